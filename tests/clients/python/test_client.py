import json
import pickle
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest
from mfn_client import (
    RESET,
    TAKE_NEUTRAL,
    Client,
    ColorMatrix,
    ColorRange,
    DropPolicy,
    Frame,
    MfnError,
    NeutralState,
    PixelFormat,
    Plane,
    RawImage,
    Sendable,
    Smoothing,
    StreamConfig,
)
from numpy.typing import NDArray
from PIL import Image

from service.cli.neutral_file import write_neutral
from service.errors import OVERLOADED
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.server.auth import ApiKeys
from service.server.grpc.admission import largest_received
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from service.vision.arkit import ARKIT_NAMES, NEVER_OBSERVED, WITHOUT_GAZE
from service.vision.gaze import GAZE_NAMES
from service.vision.image import Picture
from tests.service.server.grpc.conftest import PATIENCE, Running, Serve

BOX = (80, 16, 64, 64)  # of the bright cell in the tests' picture
KEY = "a-key-of-some-length"
EVERY_FRAME = StreamConfig(drop_policy=DropPolicy.NONE)


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client


def failure(call: Callable[[], object]) -> MfnError:
    with pytest.raises(MfnError) as error:
        call()
    return error.value


def test_the_model_names_the_numbers(client: Client, pipeline: Pipeline) -> None:
    model = client.model()
    manifest = pipeline.models.manifest
    assert (model.name, model.version) == (manifest.name, manifest.version)
    assert model.expression_names == manifest.expression_names
    assert model.arkit_names == ARKIT_NAMES
    assert set(model.unobserved_arkit) < set(model.arkit_names)
    assert set(model.sha256) == {"mfn", "sfn"}
    assert model.precision == "int8"


def test_a_face_is_what_the_pipeline_sees(client: Client, pipeline: Pipeline, png: bytes) -> None:
    answer = client.retarget(png, landmarks=True, blendshapes=True)
    result = pipeline.retarget(png, RetargetOptions())
    (expected,) = result.faces
    (face,) = answer.faces
    assert (answer.width, answer.height, answer.model_version) == (192, 192, "9.9.9")
    assert answer.timing.inference > 0
    assert face.box == pytest.approx(BOX)
    assert face.score == pytest.approx(expected.score)
    assert (face.yaw, face.pitch, face.roll) == (0, 0, 0)
    for name in ("quaternion", "translation", "identity", "expression"):
        np.testing.assert_allclose(getattr(face, name), getattr(expected, name), rtol=1e-6, err_msg=name)
    points = result.faces.landmarks(pipeline.models.face_model, 192, 192)[0]
    assert face.landmarks is not None
    assert face.blendshapes is not None
    np.testing.assert_allclose(face.landmarks, points, rtol=1e-5)
    np.testing.assert_allclose(face.blendshapes, expected.expression @ pipeline.models.arkit, atol=1e-6)
    assert (face.track_id, face.neutral) == (None, NeutralState.OFF)


def test_tiles_are_asked_for(client: Client, pipeline: Pipeline, png: bytes) -> None:
    answer, result = client.retarget(png, tiles=2), pipeline.retarget(png, RetargetOptions(tiles=2))
    corners = np.array([[*face.box[:2], *(face.box[:2] + face.box[2:])] for face in answer.faces])
    np.testing.assert_allclose(corners, result.faces.box, rtol=1e-6)
    assert len(corners) != len(client.retarget(png).faces)
    with pytest.raises(MfnError, match="tiles is 5; expected a number from 1 to 4"):
        client.retarget(png, tiles=5)


def test_an_input_size_is_asked_for(client: Client, pipeline: Pipeline) -> None:
    pixels = np.full((192, 192, 3), 20, np.uint8)
    pixels[96:112, 96:112] = 255  # a quarter of a cell at 96, a cell at 192
    assert not client.retarget(pixels).faces
    (face,) = client.retarget(pixels, input_size=192).faces
    (expected,) = pipeline.retarget_picture(Picture(pixels, 192, 192), RetargetOptions(input_size=192)).faces
    np.testing.assert_allclose([*face.box[:2], *(face.box[:2] + face.box[2:])], expected.box, rtol=1e-6)
    with pytest.raises(MfnError, match="input_size is 288; expected 96 or 192"):
        client.retarget(pixels, input_size=288)


def test_weights_by_name(client: Client, pipeline: Pipeline, png: bytes) -> None:
    model = client.model()
    (face,) = client.retarget(png, blendshapes=True).faces
    place = pipeline.models.manifest.expression_names.index("jawOpen")
    assert model.expression_of(face)["jawOpen"] == model.blendshapes_of(face)["jawOpen"] == face.expression[place]
    assert len(model.expression_of(face)) == 46
    (bare,) = client.retarget(png).faces
    with pytest.raises(ValueError, match="blendshapes=True"):
        model.blendshapes_of(bare)


def test_gaze_of_a_second_look(client: Client, png: bytes) -> None:
    model = client.model()
    assert (model.gaze_names, model.unobserved_arkit) == (GAZE_NAMES, NEVER_OBSERVED)
    answer = client.retarget(png, refine=True, blendshapes=True)
    (face,) = answer.faces
    assert face.gaze is not None
    assert face.gaze.shape == (8,)
    shown = model.blendshapes_of(face)
    assert model.gaze_of(face) == {name: shown[name] for name in GAZE_NAMES}
    assert answer.unobserved_arkit == NEVER_OBSERVED
    plain = client.retarget(png, blendshapes=True)
    assert plain.unobserved_arkit == WITHOUT_GAZE
    assert plain.faces[0].gaze is None
    with pytest.raises(ValueError, match="refine=True"):
        model.gaze_of(plain.faces[0])


@pytest.mark.parametrize("refine", [False, True])
def test_gaze_of_followed_faces(client: Client, png: bytes, refine: bool) -> None:
    config = StreamConfig(drop_policy=DropPolicy.NONE, refine=refine, follow=True, blendshapes=True)
    with client.stream(((png, number / 30) for number in range(3)), config) as answers:
        assert answers.model.gaze_names == GAZE_NAMES
        for answer in answers:
            seen = answer.faces[0].gaze is not None
            assert seen or not refine
            assert answer.unobserved_arkit == (NEVER_OBSERVED if seen else WITHOUT_GAZE)


def test_what_is_not_asked_for_is_not_there(client: Client, png: bytes) -> None:
    (face,) = client.retarget(png, identity=False).faces
    assert (face.identity, face.landmarks, face.blendshapes) == (None, None, None)


def test_options_reach_the_server(client: Client, png: bytes) -> None:
    assert "min_score" in failure(lambda: client.retarget(png, min_score=2.0)).detail
    assert "max_faces" in failure(lambda: client.retarget(png, max_faces=101)).detail
    refined = client.retarget(png, refine=True).faces[0].identity
    assert refined is not None
    assert refined[0] == pytest.approx(1.55)  # 0.15 of the first tiny network's -1, 0.85 of the second one's 2


def test_pixels(client: Client, photo: Image.Image) -> None:
    rgb = np.asarray(photo)
    larger = np.zeros((192, 400, 3), np.uint8)
    larger[:, 100:292] = rgb
    bgra = np.concatenate([rgb[..., ::-1], np.zeros((192, 192, 1), np.uint8)], axis=2)
    padded = np.zeros((192, 800), np.uint8)
    padded[:, :768] = bgra.reshape(192, 768)
    pictures: list[NDArray[np.uint8] | RawImage] = [
        rgb,
        larger[:, 100:292],  # a part of a larger array
        np.ascontiguousarray(rgb[..., ::-1])[..., ::-1],  # BGR seen as RGB
        RawImage(PixelFormat.RGB, 192, 192, 0, rgb.tobytes()),
        RawImage(PixelFormat.BGRA, 192, 192, 800, padded.tobytes()),
    ]
    grey = rgb[..., 0]
    luma = np.pad(grey, ((0, 16), (0, 64))).tobytes()  # as a decoder pads it
    planes = (Plane(0, 256), Plane(len(luma)))
    pictures += [
        RawImage(PixelFormat.BGR, 192, 192, 0, rgb[::-1, :, ::-1].tobytes(), bottom_up=True),
        RawImage(PixelFormat.GRAY8, 192, 192, 0, grey.tobytes(), range=ColorRange.FULL),
        RawImage(PixelFormat.YUY2, 192, 192, 0, np.stack([grey, np.full_like(grey, 128)], axis=-1).tobytes()),
        RawImage(
            PixelFormat.NV21, 192, 192, 0, luma + bytes([128]) * 192 * 96, planes, ColorMatrix.BT709, ColorRange.FULL
        ),
    ]
    for picture in pictures:
        (face,) = client.retarget(picture).faces
        assert face.box == pytest.approx(BOX)


def test_pictures_are_turned_upright(client: Client, photo: Image.Image, png: bytes) -> None:
    """Alone and in a stream, in which each frame has its own rotation."""
    turned = np.asarray(photo.rotate(90))  # counter-clockwise
    (face,) = client.retarget(turned, rotation=90).faces
    assert face.box == pytest.approx(BOX)
    with client.stream([Frame(turned, 1, rotation=90), Frame(png, 2)], EVERY_FRAME) as answers:
        boxes = [face.box for answer in answers for face in answer.faces]
    assert boxes == [pytest.approx(BOX)] * 2
    assert failure(lambda: client.retarget(png, rotation=45)).problem == "bad-parameter"
    with pytest.raises(ValueError, match="-90"):
        client.retarget(png, rotation=-90)


def test_a_picture_of_more_bytes_than_grpc_receives(client: Client, local: Settings) -> None:
    """gRPC ends the call without a problem's name, which follows from its sentence."""
    beyond = bytes(largest_received(local))
    error = failure(lambda: client.retarget(beyond))
    assert (error.code, error.problem) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "too-large")
    end = f" bytes, and at most {len(beyond)} are received. Scale the picture down."
    assert error.detail.startswith("The message has ")
    assert error.detail.endswith(end)


@pytest.mark.parametrize(
    "array",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32), np.zeros(3, np.uint8)],
)
def test_arrays_that_are_no_picture(client: Client, array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected \(H, W, 3\) uint8"):
        client.retarget(array)


def test_a_path_is_no_picture(client: Client) -> None:
    with pytest.raises(TypeError, match="not str"):
        client.retarget("photo.jpg")  # type: ignore[arg-type]


def test_a_problem_of_the_server(client: Client, png: bytes) -> None:
    error = failure(lambda: client.retarget(b"no picture"))
    assert (error.code, error.problem, error.retry_after) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-picture", None)
    assert "JPEG, PNG, WebP or AVIF" in error.detail
    assert str(error) == f"bad-picture: {error.detail}"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert client.retarget(png).faces


def test_a_full_queue_says_when_to_come_back(serve: Serve, local: Settings, pipeline: Pipeline, png: bytes) -> None:
    server = serve(ServerState(local, pipeline, Workers(0, 0)))
    with Client(f"127.0.0.1:{server.port}") as client:
        error = failure(lambda: client.retarget(png))
    assert (error.problem, error.retry_after) == (OVERLOADED.name, 1)
    assert error.code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_nobody_there() -> None:
    with Client("127.0.0.1:1") as client:
        for call in (client.model, lambda: list(client.stream([]))):
            error = failure(call)
            assert (error.code, error.problem) == (grpc.StatusCode.UNAVAILABLE, None)
            assert str(error).startswith("UNAVAILABLE: ")


def test_a_timeout(serve: Serve, local: Settings, pipeline: Pipeline, png: bytes) -> None:
    server = serve(ServerState(replace(local, deadline_seconds=PATIENCE), pipeline, Workers(0, 4)))
    with Client(f"127.0.0.1:{server.port}") as client:
        assert failure(lambda: client.retarget(png, timeout=0.1)).code is grpc.StatusCode.DEADLINE_EXCEEDED


def test_keys(serve: Serve, local: Settings, pipeline: Pipeline, workers: Workers, png: bytes) -> None:
    server = serve(ServerState(local, pipeline, workers, ApiKeys.of_setting(KEY, None)))
    address = f"127.0.0.1:{server.port}"
    with Client(address) as client:
        assert failure(client.model).problem == "unauthenticated"
    with Client(address, key=KEY) as client:
        assert client.model().name
        assert client.retarget(png).faces
        assert len(list(client.stream([(png, 0.0)]))) == 1
    with pytest.raises(ValueError, match="line break"):
        Client(address, key=f"{KEY}\n")


def test_root_certificates_that_are_not_there(address: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Client(address, tls=tmp_path / "roots.pem")


def test_tls_needs_a_server_that_speaks_it(address: str) -> None:
    with Client(address, tls=True) as client:
        assert failure(lambda: client.model(timeout=PATIENCE)).code is grpc.StatusCode.UNAVAILABLE


def test_a_name_that_stands_for_several_addresses(door: Running, png: bytes) -> None:
    with Client(f"dns:///localhost:{door.port}") as client:
        assert client.retarget(png).faces


def test_every_frame_is_answered_in_order(client: Client, png: bytes, photo: Image.Image) -> None:
    sent: list[Sendable] = [
        (png, 0.0),
        Frame(np.asarray(photo), 33_333),
        Frame(png, 66_667, sequence=1000),
        (png, 0.1),
    ]
    with client.stream(sent, replace(EVERY_FRAME, landmarks=True, identity=False)) as stream:
        assert stream.model == client.model()
        answers = list(stream)
    assert [answer.sequence for answer in answers] == [1, 2, 1000, 4]
    assert [answer.timestamp_us for answer in answers] == [0, 33_333, 66_667, 100_000]
    assert answers[-1].timestamp == 0.1
    for answer in answers:
        (face,) = answer.faces
        assert (answer.width, answer.height, answer.dropped, answer.problem) == (192, 192, 0, None)
        assert (face.track_id, face.neutral, face.identity) == (1, NeutralState.OFF, None)
        assert face.landmarks is not None
        assert face.landmarks.shape == (68, 2)


def test_a_frame_without_a_picture_is_told_and_the_stream_goes_on(client: Client, png: bytes) -> None:
    first, bad, third = client.stream([(png, 0.0), (b"no picture", 0.1), (png, 0.2)], EVERY_FRAME)
    assert bad.problem is not None
    assert (bad.problem.name, bad.faces) == ("bad-picture", ())
    assert "JPEG, PNG, WebP or AVIF" in bad.problem.detail
    assert first.faces[0].track_id == third.faces[0].track_id


def test_calibration(client: Client, png: bytes) -> None:
    """A face that never moves is its own neutral one: after the second that it takes, nothing of it is left."""
    frames: list[Sendable] = [(png, number / 30) for number in range(60)]
    sent = [*frames[:2], TAKE_NEUTRAL, *frames[2:50], RESET, *frames[50:]]
    faces = [answer.faces[0] for answer in client.stream(sent, EVERY_FRAME)]
    assert faces[0].neutral is faces[-1].neutral is NeutralState.OFF
    assert NeutralState.COLLECTING in {face.neutral for face in faces[1:10]}
    assert faces[45].neutral is NeutralState.ON
    assert faces[45].expression == pytest.approx(0, abs=1e-5)
    assert faces[-1].expression == pytest.approx(faces[0].expression)


def test_a_saved_resting_face(client: Client, png: bytes, tmp_path: Path) -> None:
    """A file of `mfn capture` is what it says of a stream: of the face in it nothing is left, in the first answer."""
    model = client.model()
    seen = model.expression_of(client.retarget(png).faces[0])
    path = tmp_path / "anna.neutral.json"
    write_neutral(path, np.array(list(seen.values())), model.expression_names)
    for config in (
        StreamConfig(neutral=json.loads(path.read_text())["neutral"]),
        StreamConfig(**json.loads(path.read_text())),
    ):
        ((face,),) = (answer.faces for answer in client.stream([(png, 0.0)], config))
        assert face.neutral is NeutralState.ON
        assert face.expression == pytest.approx(0, abs=1e-4)


def test_wrong_configuration_ends_the_stream(client: Client, png: bytes) -> None:
    wrong = StreamConfig(smoothing=Smoothing(min_cutoff=-1))
    error = failure(lambda: list(client.stream([(png, 0.0)], wrong)))
    assert error.problem == "bad-parameter"
    assert "min_cutoff" in error.detail


class UnpluggedError(Exception):
    pass


@pytest.mark.parametrize("error", [UnpluggedError("the camera is gone"), SystemExit(3)])
def test_what_the_frames_raise_comes_out_after_the_answers(client: Client, png: bytes, error: BaseException) -> None:
    def frames() -> Iterator[Sendable]:
        yield png, 0.0
        yield png, 0.1
        raise error

    stream = client.stream(frames(), EVERY_FRAME)
    assert [next(stream).sequence, next(stream).sequence] == [1, 2]
    with pytest.raises(type(error)) as raised:
        next(stream)
    assert raised.value is error
    assert list(stream) == []


def test_a_frame_that_is_none_comes_out_too(client: Client, png: bytes) -> None:
    stream = client.stream([(png, 0.0), png], EVERY_FRAME)  # type: ignore[list-item]
    next(stream)
    with pytest.raises(TypeError, match="not bytes"):
        next(stream)


def test_leaving_early_ends_the_stream_and_lets_go_of_the_frames(client: Client, door: Running, png: bytes) -> None:
    let_go = threading.Event()

    def endless() -> Iterator[Sendable]:
        try:
            number = 0
            while True:
                number += 1
                yield png, number / 30
        finally:
            let_go.set()

    with client.stream(endless()) as stream:
        assert next(stream).faces
    assert let_go.wait(PATIENCE)
    for _ in client.stream(endless()):
        break
    ended = threading.Event()
    for _ in range(PATIENCE * 100):
        if door.state.streams == 0:
            break
        ended.wait(0.01)
    assert door.state.streams == 0
