import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from mfn.v1 import retarget_pb2 as pb
from PIL import Image

from service.errors import StartError
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline, RetargetResult
from service.server.auth import ApiKeys
from service.server.grpc.admission import largest_received, largest_served
from service.server.grpc.images import PIXEL_FORMATS
from service.server.grpc.reading import GZIP_START
from service.server.grpc.servicer import SERVICE
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from service.vision.arkit import ARKIT_NAMES, WITHOUT_GAZE
from service.vision.faces import Faces
from service.vision.gaze import GAZE_NAMES
from service.vision.raw_layout import PLANES
from tests.service import tiny_models
from tests.service.server.attacks.http2 import Connection
from tests.service.server.grpc.conftest import PATIENCE, Running, Serve, trailing_metadata
from tests.service.tiny_models import GAZE_LOGIT

BOX = (80, 16, 64, 64)  # of the bright cell in the tests' picture
KEY = "a-key-of-some-length"


def encoded(data: bytes, **options: Any) -> pb.RetargetRequest:
    return pb.RetargetRequest(image=pb.Image(encoded=data), options=pb.Options(**options))


def raw(pixels: np.ndarray, pixel_format: int, stride: int = 0, data: bytes | None = None) -> pb.RetargetRequest:
    height, width = pixels.shape[:2]
    image = pb.RawPixels(
        format=pixel_format,  # type: ignore[arg-type]  # enums are open in proto3: any number may come
        width=width,
        height=height,
        stride=stride,
        data=data or pixels.tobytes(),
    )
    return pb.RetargetRequest(image=pb.Image(raw=image))


def with_raw(**fields: Any) -> pb.RetargetRequest:
    request = raw(np.zeros((2, 2, 3), np.uint8), pb.PIXEL_FORMAT_RGB)
    request.image.raw.MergeFrom(pb.RawPixels(**fields))
    return request


def box(face: pb.Face) -> tuple[float, ...]:
    return face.box.x, face.box.y, face.box.width, face.box.height


def refused(call: Callable[[], object], code: grpc.StatusCode, problem: str, *words: str) -> None:
    """Asserts that a call ends with this code, this problem and these words in its sentence."""
    with pytest.raises(grpc.RpcError) as error:
        call()
    assert error.value.code() is code, error.value.details()
    assert trailing_metadata(error.value)["mfn-problem"] == problem
    details = error.value.details() or ""
    for word in words:
        assert word in details


def test_the_model_names_its_numbers(door: Running) -> None:
    model = door.stub.GetModel(pb.GetModelRequest()).model
    manifest = door.state.pipeline.models.manifest
    assert (model.name, model.version) == (manifest.name, manifest.version)
    assert tuple(model.expression_names) == tuple(manifest.expression_names)
    assert tuple(model.arkit_names) == tuple(ARKIT_NAMES)
    networks = manifest.networks
    assert dict(model.sha256) == {
        "mfn": networks.mfn.forms["int8.onnx"].sha256,
        "sfn": networks.sfn.forms["int8.onnx"].sha256,
    }
    assert model.precision == "int8"


def test_a_picture_shows_what_the_pipeline_sees(door: Running, png: bytes) -> None:
    answer = door.stub.Retarget(encoded(png, include_landmarks=True, include_blendshapes=True))
    pipeline = door.state.pipeline
    (expected,) = pipeline.retarget(png, RetargetOptions()).faces
    assert (answer.width, answer.height, answer.model_version) == (192, 192, pipeline.models.manifest.version)
    (face,) = answer.faces
    assert box(face) == pytest.approx(BOX)
    assert face.score == pytest.approx(expected.score)
    q = face.pose.quaternion
    np.testing.assert_allclose([q.x, q.y, q.z, q.w], expected.quaternion, atol=1e-6)
    t = face.pose.translation
    np.testing.assert_allclose([t.x, t.y, t.z], expected.translation, rtol=1e-6)
    np.testing.assert_allclose(face.identity, expected.identity, rtol=1e-6)
    np.testing.assert_allclose(face.expression, expected.expression, rtol=1e-6)
    assert (len(face.landmarks), len(face.blendshapes), face.track_id) == (136, 52, 0)
    assert answer.timing.inference > 0


def test_gaze_is_there_with_a_second_look_alone(door: Running, png: bytes) -> None:
    """And an answer with blendshapes says what was not seen for them."""
    model = door.stub.GetModel(pb.GetModelRequest()).model
    assert tuple(model.gaze_names) == GAZE_NAMES
    assert list(model.unobserved_arkit) == ["tongueOut"]
    plain = door.stub.Retarget(encoded(png, include_blendshapes=True))
    assert not plain.faces[0].gaze
    assert tuple(plain.unobserved_arkit) == WITHOUT_GAZE
    refined = door.stub.Retarget(encoded(png, include_blendshapes=True, refine=True))
    (face,) = refined.faces
    np.testing.assert_allclose(face.gaze, 1 / (1 + np.exp(-GAZE_LOGIT)), rtol=1e-6)
    assert [face.blendshapes[ARKIT_NAMES.index(name)] for name in model.gaze_names] == list(face.gaze)
    assert list(refined.unobserved_arkit) == ["tongueOut"]
    assert not door.stub.Retarget(encoded(png, refine=True)).unobserved_arkit


def test_models_without_gaze(
    serve: Serve, local: Settings, models_without_gaze: Models, workers: Workers, png: bytes
) -> None:
    """Those before 0.6, after a second look, too."""
    door = serve(ServerState(local, Pipeline(models_without_gaze, local), workers))
    answer = door.stub.Retarget(encoded(png, include_blendshapes=True, refine=True))
    assert not answer.faces[0].gaze
    assert tuple(answer.unobserved_arkit) == WITHOUT_GAZE
    model = door.stub.GetModel(pb.GetModelRequest()).model
    assert tuple(model.unobserved_arkit) == WITHOUT_GAZE
    assert not model.gaze_names


def test_what_is_not_asked_for_is_left_out(door: Running, png: bytes) -> None:
    (face,) = door.stub.Retarget(encoded(png, exclude_identity=True)).faces
    assert (len(face.identity), len(face.landmarks), len(face.blendshapes), len(face.expression)) == (0, 0, 0, 46)


def test_tiles_show_smaller_faces(door: Running) -> None:
    """A fifth of a cell of the whole picture, a cell of the middle one of nine tiles."""
    pixels = np.full((192, 192, 3), 20, np.uint8)
    pixels[83:97, 83:97] = 255
    request = raw(pixels, pb.PIXEL_FORMAT_RGB)
    assert not door.stub.Retarget(request).faces
    request.options.tiles = 3
    assert len(door.stub.Retarget(request).faces) == 1


def test_a_larger_input_shows_smaller_faces(door: Running) -> None:
    """A quarter of a cell at 96, a cell at 192."""
    pixels = np.full((192, 192, 3), 20, np.uint8)
    pixels[96:112, 96:112] = 255
    request = raw(pixels, pb.PIXEL_FORMAT_RGB)
    assert not door.stub.Retarget(request).faces
    request.options.input_size = 192
    assert len(door.stub.Retarget(request).faces) == 1


def test_raw_pixels(door: Running, photo: Image.Image) -> None:
    rgb = np.asarray(photo)
    alpha = np.full((192, 192, 1), 7, np.uint8)
    padded = np.concatenate([rgb.reshape(192, -1), np.zeros((192, 16), np.uint8)], axis=1)
    requests = [
        raw(rgb, pb.PIXEL_FORMAT_RGB),
        raw(rgb, pb.PIXEL_FORMAT_RGB, 192 * 3 + 16, padded.tobytes()),
        raw(np.concatenate([rgb, alpha], axis=2), pb.PIXEL_FORMAT_RGBA),
        raw(np.concatenate([rgb[..., ::-1], alpha], axis=2), pb.PIXEL_FORMAT_BGRA),
    ]
    for request in requests:
        (face,) = door.stub.Retarget(request).faces
        assert box(face) == pytest.approx(BOX)


def test_the_lowest_score_that_is_allowed(door: Running, png: bytes) -> None:
    assert door.stub.Retarget(encoded(png, min_score=0.01, max_faces=100)).faces


@pytest.mark.parametrize(
    ("request_", "problem", "words"),
    [
        (pb.RetargetRequest(), "bad-picture", ("image.encoded", "image.raw")),
        (encoded(b""), "bad-picture", ("0 bytes",)),
        (encoded(b"no picture"), "bad-picture", ("JPEG, PNG, WebP or AVIF",)),
        (encoded(bytes(2**20 + 1)), "too-large", ("1048576 bytes",)),
        (raw(np.zeros((2, 2, 3), np.uint8), pb.PIXEL_FORMAT_UNSPECIFIED), "bad-parameter", ("PIXEL_FORMAT_RGB",)),
        (raw(np.zeros((2, 2, 3), np.uint8), pb.PIXEL_FORMAT_RGBA), "bad-picture", ()),
        (raw(np.zeros((2, 2, 3), np.uint8), 99), "bad-parameter", ("format is 99",)),
        (raw(np.zeros((3001, 3000, 1), np.uint8), pb.PIXEL_FORMAT_GRAY8), "too-large", ("9 are allowed of raw",)),
        (with_raw(color_matrix=9), "bad-parameter", ("color_matrix is 9", "COLOR_MATRIX_BT709")),
        (with_raw(color_range=9), "bad-parameter", ("color_range is 9", "COLOR_RANGE_FULL")),
        (with_raw(color_range=pb.COLOR_RANGE_LIMITED), "bad-parameter", ("RGB of limited range",)),
        (pb.RetargetRequest(image=pb.Image(encoded=b"x", rotation=45)), "bad-parameter", ("rotation is 45", "270")),
        (raw(np.zeros((0, 2, 3), np.uint8), pb.PIXEL_FORMAT_RGB), "bad-picture", ()),
        (encoded(b"x", min_score=0), "bad-parameter", ("min_score", "0.01")),
        (encoded(b"x", min_score=float("nan")), "bad-parameter", ("min_score",)),
        (encoded(b"x", max_faces=101), "bad-parameter", ("max_faces", "100")),
        (encoded(b"x", tiles=5), "bad-parameter", ("tiles", "5", "4")),
        (encoded(b"x", input_size=288), "bad-parameter", ("input_size is 288", "96 or 192")),
    ],
)
def test_what_cannot_be_served_is_an_invalid_argument(
    door: Running, png: bytes, request_: pb.RetargetRequest, problem: str, words: tuple[str, ...]
) -> None:
    refused(lambda: door.stub.Retarget(request_), grpc.StatusCode.INVALID_ARGUMENT, problem, *words)
    assert door.stub.Retarget(encoded(png)).faces


def test_keys(serve: Serve, local: Settings, pipeline: Pipeline, workers: Workers) -> None:
    stub = serve(ServerState(local, pipeline, workers, ApiKeys.of_setting(KEY, None))).stub
    refused(lambda: stub.GetModel(pb.GetModelRequest()), grpc.StatusCode.UNAUTHENTICATED, "unauthenticated", "missing")
    assert stub.GetModel(pb.GetModelRequest(), metadata=[("authorization", f"Bearer {KEY}")]).model.name
    assert stub.GetModel(pb.GetModelRequest(), metadata=[("x-api-key", KEY)]).model.name


def test_every_call_of_the_contract_is_there(door: Running) -> None:
    for method in pb.DESCRIPTOR.services_by_name["RetargetService"].methods:
        call = door.channel.stream_stream(f"/{SERVICE}/{method.name}", None, None)
        try:
            list(call(iter([b""]), timeout=PATIENCE))
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, method.name  # noqa: PT017


@pytest.mark.parametrize("method", [f"/{SERVICE}/Retarget2", "/mfn.v2.RetargetService/Retarget", "/"])
def test_a_method_that_there_is_not(door: Running, method: str) -> None:
    call = door.channel.unary_unary(method, None, None)
    refused(lambda: call(b""), grpc.StatusCode.UNIMPLEMENTED, "not-found", f"no method {method}.")


def test_bytes_that_are_no_message(door: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Neither as they are nor once they are decompressed. The log has a line about the call, and no error."""

    def calls(method: str, messages: list[bytes]) -> Callable[[], object]:
        call = door.channel.stream_stream(method, None, None)
        return lambda: list(call(iter(messages), timeout=PATIENCE))

    config = pb.RetargetStreamRequest(config=pb.StreamConfig()).SerializeToString()
    health, reflection = "/grpc.health.v1.Health", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    cases = [
        (f"/{SERVICE}/Retarget", [b"\xff\xff"], "mfn.v1.RetargetRequest"),
        (f"/{SERVICE}/Retarget", [GZIP_START], "compression is damaged"),
        (f"/{SERVICE}/RetargetStream", [b"\xff\xff"], "mfn.v1.RetargetStreamRequest"),
        (f"/{SERVICE}/RetargetStream", [config, b"\xff\xff"], "mfn.v1.RetargetStreamRequest"),
        (f"/{SERVICE}/RetargetStream", [config, GZIP_START], "compression is damaged"),
        (f"{health}/Check", [b"\xff\xff"], "none of this method"),
        (f"{health}/Check", [], "no message"),
        (f"{health}/Watch", [b"\xff\xff"], "none of this method"),
        (reflection, [b"\xff\xff"], "none of this method"),
    ]
    with caplog.at_level(logging.INFO):
        for method, messages, words in cases:
            refused(calls(method, messages), grpc.StatusCode.INVALID_ARGUMENT, "bad-body", words)
    assert {(line.name, line.levelno) for line in caplog.records} == {("mfn.requests", logging.INFO)}


def test_metadata_up_to_the_limit_of_headers(door: Running) -> None:
    most = door.state.settings.max_header_bytes
    assert most == 64 * 1024

    def call(count: int) -> str:
        value = "v" * (count // 8 - 1)
        name: str = door.stub.GetModel(pb.GetModelRequest(), metadata=[(key, value) for key in "abcdefgh"]).model.name
        return name

    assert call(most - 1000)  # gRPC adds some of its own
    refused(lambda: call(most + 8), grpc.StatusCode.INVALID_ARGUMENT, "headers-too-large", f"at most {most} are read")
    with pytest.raises(grpc.RpcError) as error:
        call(2 * most)
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert door.stub.GetModel(pb.GetModelRequest()).model.name


def test_pings_every_second_between_calls(door: Running) -> None:
    """Twice as many, here. gRPC ends a connection after the third one that comes too soon."""
    with closing(Connection(door.port)) as connection:
        for number in range(5):
            connection.ping(number)
            assert connection.answer_to_ping() == number
            time.sleep(0.51)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_pictures_are_turned_upright(door: Running, rotation: int) -> None:
    """As a camera sends them that is held at an angle: of the upright picture turned back, counter-clockwise."""
    wide = Image.new("RGB", (384, 256), (40, 40, 40))
    wide.paste((250, 250, 250), (128, 64, 192, 128))
    (upright,) = door.stub.Retarget(encoded(tiny_models.encoded(wide, "PNG"))).faces
    sent = np.asarray(wide.rotate(rotation, expand=True))
    requests = [encoded(tiny_models.encoded(Image.fromarray(sent), "PNG")), raw(sent, pb.PIXEL_FORMAT_RGB)]
    for request in requests:
        request.image.rotation = rotation
        answer = door.stub.Retarget(request)
        assert (answer.width, answer.height) == (384, 256)
        (face,) = answer.faces
        assert box(face) == pytest.approx(box(upright))


def test_exif_orientation_comes_before_rotation(door: Running, photo: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    data = BytesIO()
    photo.rotate(180).save(data, "PNG", exif=exif)
    request = encoded(data.getvalue())
    request.image.rotation = 90
    (face,) = door.stub.Retarget(request).faces
    assert box(face) == pytest.approx(BOX)


def test_rows_from_the_bottom(door: Running, photo: Image.Image) -> None:
    request = raw(np.asarray(photo)[::-1], pb.PIXEL_FORMAT_RGB)
    assert box(door.stub.Retarget(request).faces[0])[1] != pytest.approx(BOX[1])
    request.image.raw.bottom_up = True
    assert box(door.stub.Retarget(request).faces[0]) == pytest.approx(BOX)


def test_planes_matrix_and_range(door: Running) -> None:
    """A frame as a decoder of Android gives it: rows padded, and more of them than it shows."""
    luma = np.full((208, 256), 40, np.uint8)
    luma[32:64, 96:128] = 250
    chroma = np.full((104, 256), 128, np.uint8)
    image = pb.RawPixels(
        format=pb.PIXEL_FORMAT_NV21,
        width=192,
        height=192,
        planes=[pb.Plane(stride=256), pb.Plane(offset=208 * 256, stride=256)],
        color_matrix=pb.COLOR_MATRIX_BT709,
        color_range=pb.COLOR_RANGE_FULL,
        data=luma.tobytes() + chroma.tobytes(),
    )
    (face,) = door.stub.Retarget(pb.RetargetRequest(image=pb.Image(raw=image))).faces
    assert box(face) == pytest.approx(BOX)
    image.planes[1].offset += 9 * 256
    refused(
        lambda: door.stub.Retarget(pb.RetargetRequest(image=pb.Image(raw=image))),
        grpc.StatusCode.INVALID_ARGUMENT,
        "bad-picture",
        "its plane Cr Cb has 96 rows of 192 bytes, 256 bytes apart, from byte 55552 to 80064",
        "has 79872 bytes",
    )


@pytest.mark.parametrize("pixel_format", list(PIXEL_FORMATS))
def test_4k_frames_of_every_format(door: Running, pixel_format: pb.PixelFormat) -> None:
    """Alone and in a stream."""
    width, height = 4096, 2160
    planes = PLANES[PIXEL_FORMATS[pixel_format]]
    count = sum(width // plane.across * plane.samples * (height // plane.down) for plane in planes)
    image = pb.Image(raw=pb.RawPixels(format=pixel_format, width=width, height=height, data=bytes(count)))
    assert door.stub.Retarget(pb.RetargetRequest(image=image)).width == width
    messages = [
        pb.RetargetStreamRequest(config=pb.StreamConfig()),
        pb.RetargetStreamRequest(frame=pb.Frame(sequence=1, timestamp_us=1, image=image)),
    ]
    *_, answer = door.stub.RetargetStream(iter(messages), timeout=PATIENCE)
    assert (answer.answer.width, answer.answer.height) == (width, height)


def test_what_is_compressed_is_inflated_up_to_the_limit(door: Running, png: bytes) -> None:
    gzip = grpc.Compression.Gzip
    assert door.stub.Retarget(encoded(png), compression=gzip).faces
    refused(
        lambda: door.stub.Retarget(encoded(bytes(2**20 + 1)), compression=gzip),
        grpc.StatusCode.INVALID_ARGUMENT,
        "too-large",
    )
    largest = largest_served(door.state.settings)
    refused(
        lambda: door.stub.Retarget(encoded(bytes(largest)), compression=gzip),
        grpc.StatusCode.INVALID_ARGUMENT,
        "too-large",
        f"more than {largest} bytes once it is decompressed",
    )


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip])
def test_a_picture_that_is_far_too_large(door: Running, compression: grpc.Compression | None) -> None:
    """Up to what gRPC receives it is told which limit it passes; beyond that gRPC itself ends the call."""
    beyond = largest_received(door.state.settings)
    refused(
        lambda: door.stub.Retarget(encoded(bytes(beyond - 100)), compression=compression),
        grpc.StatusCode.INVALID_ARGUMENT,
        "too-large",
        "the most allowed. Scale",
    )
    with pytest.raises(grpc.RpcError) as error:
        door.stub.Retarget(encoded(bytes(beyond)))
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in (error.value.details() or "")


def test_a_probe_has_few_bytes(door: Running) -> None:
    health = health_pb2_grpc.HealthStub(door.channel)
    request = health_pb2.HealthCheckRequest(service="x" * 5000)
    gzip = grpc.Compression.Gzip
    calls: list[Callable[[], object]] = [
        lambda: health.Check(request),
        lambda: next(health.Watch(request)),
        lambda: health.Check(request, compression=gzip),
    ]
    for call in calls:
        refused(call, grpc.StatusCode.INVALID_ARGUMENT, "too-large", "4096")
    assert health.Check(health_pb2.HealthCheckRequest(service=SERVICE), compression=gzip).status == 1
    watch = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()


def test_a_call_that_waits_too_long(serve: Serve, local: Settings, pipeline: Pipeline, png: bytes) -> None:
    workers = Workers(0, 4)  # nobody works
    stub = serve(ServerState(replace(local, deadline_seconds=0.05), pipeline, workers)).stub
    refused(lambda: stub.Retarget(encoded(png)), grpc.StatusCode.DEADLINE_EXCEEDED, "deadline-passed", "0.05 s")


def test_a_full_queue(serve: Serve, local: Settings, pipeline: Pipeline, png: bytes) -> None:
    stub = serve(ServerState(local, pipeline, Workers(0, 0))).stub
    with pytest.raises(grpc.RpcError) as error:
        stub.Retarget(encoded(png))
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert trailing_metadata(error.value)["retry-after"] == "1"


def test_a_failure_of_ours_tells_no_innards(
    serve: Serve, local: Settings, pipeline: Pipeline, workers: Workers, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> RetargetResult:
        raise ZeroDivisionError("innards")

    broken = Pipeline(pipeline.models, local)
    monkeypatch.setattr(broken, "retarget_source", failing)
    stub = serve(ServerState(local, broken, workers)).stub
    with pytest.raises(grpc.RpcError) as error:
        stub.Retarget(encoded(png))
    assert error.value.code() is grpc.StatusCode.INTERNAL
    details = error.value.details()
    assert details is not None
    assert "innards" not in details


def test_the_request_id_comes_back(door: Running) -> None:
    _, call = door.stub.GetModel.with_call(pb.GetModelRequest(), metadata=[("x-request-id", "mine-1")])
    assert dict(call.trailing_metadata())["x-request-id"] == "mine-1"


def test_a_call_that_was_taken_is_served_while_the_server_drains(
    serve: Serve, local: Settings, pipeline: Pipeline, workers: Workers, png: bytes
) -> None:
    """Its sender had not been told; once gRPC's own server stops, it takes no more."""
    server = serve(ServerState(local, pipeline, workers))
    server.drain()
    assert server.stub.Retarget(encoded(png)).faces
    server.on_loop(server.server.stop(0))
    with pytest.raises(grpc.RpcError) as error:
        server.stub.Retarget(encoded(png))
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("Failed to allocate memory for requested buffer")])
def test_no_memory_left_for_a_call(
    serve: Serve,
    local: Settings,
    pipeline: Pipeline,
    workers: Workers,
    png: bytes,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def failing(*_: object) -> RetargetResult:
        raise error

    state = ServerState(local, Pipeline(pipeline.models, local), workers)
    stub = serve(state).stub
    with monkeypatch.context() as broken:
        broken.setattr(state.pipeline, "retarget_source", failing)
        refused(lambda: stub.Retarget(encoded(png)), grpc.StatusCode.UNAVAILABLE, "no-memory", "no memory left")
    assert stub.Retarget(encoded(png)).faces
    labels = 'code="UNAVAILABLE",method="Retarget",transport="grpc"'
    assert f"mfn_request_duration_seconds_count{{{labels}}} 1.0" in state.metrics.exposition().decode()


def test_connections_of_an_age_are_renewed_without_a_loss(
    serve: Serve, local: Settings, pipeline: Pipeline, workers: Workers
) -> None:
    """As its clients see it: the channel leaves its connection and comes back, and each call is answered."""
    server = serve(ServerState(replace(local, max_connection_age_seconds=0.2), pipeline, workers))
    left = threading.Event()
    states: list[grpc.ChannelConnectivity] = []

    def watch(state: grpc.ChannelConnectivity) -> None:
        if states and states[-1] is grpc.ChannelConnectivity.READY and state is not states[-1]:
            left.set()
        states.append(state)

    server.channel.subscribe(watch)
    for _ in range(2000):
        assert server.stub.GetModel(pb.GetModelRequest()).model.name
        if left.wait(0.01):
            break
    server.channel.unsubscribe(watch)
    assert left.is_set()
    assert server.stub.GetModel(pb.GetModelRequest()).model.name


def test_a_stream_on_a_connection_of_an_age_is_to_be_opened_anew(
    serve: Serve, local: Settings, pipeline: Pipeline, workers: Workers
) -> None:
    aged = replace(local, max_connection_age_seconds=0.2, deadline_seconds=0.2)
    server = serve(ServerState(aged, pipeline, workers))
    done = threading.Event()

    def messages() -> Iterator[pb.RetargetStreamRequest]:
        yield pb.RetargetStreamRequest(config=pb.StreamConfig())
        done.wait(PATIENCE)

    stream = server.stub.RetargetStream(messages())
    assert next(stream).WhichOneof("message") == "model"
    with pytest.raises(grpc.RpcError) as error:
        next(stream)
    done.set()
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert server.stub.GetModel(pb.GetModelRequest()).model.name


def test_health_and_reflection(serve: Serve, local: Settings, pipeline: Pipeline, workers: Workers) -> None:
    server = serve(ServerState(local, pipeline, workers))
    health = health_pb2_grpc.HealthStub(server.channel)
    for name in ("", SERVICE):
        answer = health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert SERVICE == "mfn.v1.RetargetService"
    assert SERVICE in ProtoReflectionDescriptorDatabase(server.channel).get_services()
    server.on_loop(server.server.not_ready())
    answer = health.Check(health_pb2.HealthCheckRequest(service=SERVICE))
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING


def test_a_port_that_is_taken(
    serve: Serve, door: Running, local: Settings, pipeline: Pipeline, workers: Workers
) -> None:
    with pytest.raises(StartError, match=f"port {door.port}.*MFN_GRPC_PORT"):
        serve(ServerState(replace(local, grpc_port=door.port), pipeline, workers))


def test_five_faces_are_less_than_three_kilobytes(door: Running) -> None:
    from service.server.grpc.messages import Included, faces_of

    random = np.random.default_rng(0)
    faces = Faces(
        *(random.random((5, *shape)).astype(np.float32) for shape in ((), (4,), (4,), (3,), (), (50,), (46,), (8,)))
    )
    answer = pb.FrameAnswer(faces=faces_of(faces, door.state.pipeline.models, 640, 480, Included()))
    for face in answer.faces:
        face.track_id = 1000
    assert answer.ByteSize() < 3000


def test_what_is_included_of_no_face_is_nothing(door: Running) -> None:
    dark = encoded(
        tiny_models.encoded(Image.new("RGB", (64, 64)), "PNG"), include_landmarks=True, include_blendshapes=True
    )
    answer = door.stub.Retarget(dark)
    assert (len(answer.faces), answer.width) == (0, 64)
