import base64
import contextlib
import json
import logging
import math
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from service.cli.neutral_file import write_neutral
from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.server.auth import ApiKeys
from service.server.rest.app import RestApp
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from service.vision.arkit import NEVER_OBSERVED, WITHOUT_GAZE
from service.vision.gaze import GAZE_NAMES
from tests.service.server.rest.conftest import running
from tests.service.tiny_models import encoded

KEY = "a-key-of-some-length"
FRAME_US = 33_333


class Door:
    """Opens sockets to an application that runs until the test's end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def serve(self, app: RestApp) -> httpx2.Client:
        self.client = self._stack.enter_context(running(app))
        return self.client

    def open(self, configuration: dict[str, Any] | None = None, **headers: str) -> ClientConnection:
        url = str(self.client.base_url).replace("http", "ws") + "/retarget/stream"
        socket = self._stack.enter_context(connect(url, additional_headers=headers, proxy=None))
        if configuration is not None:
            socket.send(json.dumps(configuration))
        return socket


@pytest.fixture
def state(settings: Settings, pipeline: Pipeline, workers: Workers) -> ServerState:
    return ServerState(replace(settings, max_streams=2), pipeline, workers)


@pytest.fixture
def door(state: ServerState) -> Iterator[Door]:
    with ExitStack() as stack:
        door = Door(stack)
        door.serve(RestApp(state))
        yield door


def received(socket: ClientConnection) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(socket.recv(20))
    return document


def stamped(number: int, png: bytes) -> bytes:
    return struct.pack("<Qq", number, number * FRAME_US) + png


def ended(socket: ClientConnection, status: int, *words: str) -> bool:
    """Asserts that the server ends the stream with a problem of this status."""
    problem = received(socket)["problem"]
    assert problem["status"] == status, problem
    missing = [word for word in words if word not in problem["detail"]]
    assert not missing, problem["detail"]
    with pytest.raises(ConnectionClosed):
        socket.recv(20)
    return True


def test_a_picture_in_json_out(door: Door, png: bytes) -> None:
    socket = door.open({"include": ["landmarks", "blendshapes"]}, **{"X-Request-Id": "mine"})
    assert socket.response is not None
    assert socket.response.headers["x-request-id"] == "mine"
    assert len(received(socket)["model"]["expression_names"]) == 46
    for number in (1, 2):
        socket.send(png)
        answer = received(socket)
        assert (answer["sequence"], answer["dropped"]) == (number, 0)
        assert answer["image"] == {"width": 192, "height": 192}
        (face,) = answer["faces"]
        assert face["box"] == {"x": 80.0, "y": 16.0, "width": 64.0, "height": 64.0}
        assert (face["track_id"], face["neutral"]) == (1, "off")
        assert (len(face["landmarks"]), len(face["blendshapes"]), len(face["expression"])) == (68, 52, 46)
        assert set(answer["timing_ms"]) >= {"decode", "queue", "inference", "track"}


@pytest.mark.parametrize(
    ("options", "unobserved"),
    [({}, WITHOUT_GAZE), ({"refine": True}, NEVER_OBSERVED), ({"refine": True, "follow": True}, NEVER_OBSERVED)],
)
def test_gaze_of_refined_and_followed_faces(
    door: Door, png: bytes, options: dict[str, Any], unobserved: tuple[str, ...]
) -> None:
    socket = door.open({"include": ["blendshapes"], "smoothing": {}} | options)
    assert received(socket)["model"]["gaze_names"] == list(GAZE_NAMES)
    for _ in range(3):
        socket.send(png)
        answer = received(socket)
        assert answer["unobserved_arkit"] == list(unobserved)
        (face,) = answer["faces"]
        looks = {name: face["blendshapes"][name] for name in GAZE_NAMES}
        assert face.get("gaze") == (looks if options else None)


def test_identity_is_left_out_where_excluded(door: Door, png: bytes) -> None:
    faces = []
    for configuration in ({}, {"exclude": ["identity"]}):
        socket = door.open(configuration)
        received(socket)
        socket.send(png)
        faces.append(received(socket)["faces"][0])
    assert len(faces[0].pop("identity")) == 50
    assert faces[0] == faces[1]


def test_frames_are_turned_upright(door: Door, photo: Image.Image) -> None:
    """By the configuration, then by what is told among the frames."""
    turned = {rotation: encoded(photo.rotate(rotation), "PNG") for rotation in (0, 90, 270)}  # counter-clockwise
    socket = door.open({"drop_policy": "none", "rotation": 270})
    received(socket)
    for rotation in (270, 90, 0):
        if rotation != 270:
            socket.send(json.dumps({"rotation": rotation}))
        for _ in range(2):
            socket.send(turned[rotation])
            (face,) = received(socket)["faces"]
            assert face["box"] == {"x": 80.0, "y": 16.0, "width": 64.0, "height": 64.0}


@pytest.mark.parametrize("rotation", [45, -90, 360])
def test_other_turns_are_refused(door: Door, rotation: int) -> None:
    words = (f"The rotation is {rotation}; expected 0, 90, 180 or 270",)
    assert ended(door.open({"rotation": rotation}), 422, *words)
    socket = door.open({})
    received(socket)
    socket.send(json.dumps({"rotation": rotation}))
    assert ended(socket, 422, *words)


def test_a_rotation_is_told_alone(door: Door) -> None:
    socket = door.open({})
    received(socket)
    socket.send('{"rotation": 90, "calibration": "reset"}')
    assert ended(socket, 422, "The calibration of a text message is not valid")


def test_who_does_not_ask_for_blendshapes_is_not_told_of_them(door: Door, png: bytes) -> None:
    socket = door.open({"refine": True})
    received(socket)
    socket.send(png)
    assert "unobserved_arkit" not in received(socket)


def test_frames_with_a_stamp_keep_it(door: Door, png: bytes) -> None:
    socket = door.open({"stamped": True, "drop_policy": "none"})
    received(socket)
    for number in (7, 9, 12):
        socket.send(stamped(number, png))
    answers = [received(socket) for _ in range(3)]
    assert [(a["sequence"], a["timestamp_us"]) for a in answers] == [(n, n * FRAME_US) for n in (7, 9, 12)]


def test_a_stream_goes_on_where_its_clock_jumps(door: Door, png: bytes) -> None:
    socket = door.open({"stamped": True, "drop_policy": "none"})
    received(socket)
    answers = []
    for number, time_us in enumerate([0, FRAME_US, 2**62, 2 * FRAME_US, FRAME_US, -(2**63), 2**63 - 1]):
        socket.send(struct.pack("<Qq", number, time_us) + png)
        answers.append(received(socket))
    assert [answer.get("restarted") for answer in answers] == [False, False, True, True, None, True, True]
    assert "0.033333 s before that of the last frame" in answers.pop(4)["problem"]["detail"]
    assert [answer["faces"][0]["track_id"] for answer in answers] == [1, 1, 2, 3, 4, 5]


def test_a_bad_frame_is_answered_with_its_problem(door: Door, png: bytes) -> None:
    socket = door.open({"stamped": True, "drop_policy": "none"})
    received(socket)
    for frame in (stamped(1, png), stamped(2, b"no picture"), stamped(1, png), stamped(3, png)):
        socket.send(frame)
    first, bad, back, third = (received(socket) for _ in range(4))
    assert bad["problem"]["status"] == 400
    assert back["problem"]["status"] == 422
    assert first["faces"][0]["track_id"] == third["faces"][0]["track_id"]


def test_calibration(door: Door, png: bytes) -> None:
    socket = door.open({"stamped": True, "drop_policy": "none", "smoothing": {}})
    received(socket)

    def look(number: int) -> dict[str, Any]:
        socket.send(stamped(number, png))
        face: dict[str, Any] = received(socket)["faces"][0]
        return face

    seen = look(1)
    socket.send(json.dumps({"calibration": "take_neutral"}))
    assert look(2)["neutral"] == "collecting"
    *_, face = (look(number) for number in range(3, 45))
    assert face["neutral"] == "on"
    assert max(face["expression"].values()) == pytest.approx(0, abs=1e-4)
    socket.send(json.dumps({"calibration": "reset"}))
    face = look(50)
    assert face["neutral"] == "off"
    assert face["expression"]["jawOpen"] == pytest.approx(seen["expression"]["jawOpen"], abs=1e-3)


def test_a_saved_resting_face_is_everybodys(door: Door, png: bytes, models: Models, tmp_path: Path) -> None:
    """The file is a part of the configuration; its face shows nothing until it is forgotten."""
    socket = door.open({})
    received(socket)
    socket.send(png)
    seen = received(socket)["faces"][0]["expression"]
    names = models.face_model.expression_names
    path = tmp_path / "anna.neutral.json"
    write_neutral(path, np.array([seen[name] for name in names]), names)
    socket = door.open({"stamped": True, "drop_policy": "none", **json.loads(path.read_text())})
    received(socket)

    def look(number: int) -> dict[str, Any]:
        socket.send(stamped(number, png))
        face: dict[str, Any] = received(socket)["faces"][0]
        return face

    for number in (1, 2, 1000):  # the clock jumps before the last
        face = look(number)
        assert face["neutral"] == "on"
        assert max(face["expression"].values()) == pytest.approx(0, abs=1e-3)
    socket.send(json.dumps({"calibration": "reset"}))
    face = look(1001)
    assert (face["neutral"], face["expression"]) == ("off", pytest.approx(seen, abs=1e-3))


def test_a_resting_face_with_all_its_decimals_fits_into_a_configuration(door: Door, models: Models) -> None:
    weights = dict.fromkeys(models.face_model.expression_names, 0.1 + 0.2)  # 0.30000000000000004
    assert "model" in received(door.open({"neutral": weights, "key": "x" * 256}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mouthSmile_L": 1.5}, ("neutral.mouthSmile_L is 1.5", "0 to 1")),
        ({"mouthSmile_L": math.nan}, ("neutral.mouthSmile_L is nan",)),
        ({"mouthSmile_L": True}, ("neutral.mouthSmile_L of a text message is not valid",)),
        ({"mouthSmileLeft": 0.5}, ("neutral has 'mouthSmileLeft'", "46 names of `expression`")),
    ],
)
def test_what_is_no_resting_face(door: Door, models: Models, change: dict[str, Any], words: tuple[str, ...]) -> None:
    weights = dict.fromkeys(models.face_model.expression_names, 0.5)
    assert ended(door.open({"neutral": weights | change}), 422, *words)


@pytest.mark.parametrize(
    ("messages", "status", "words"),
    [
        ([b"frame"], 400, ("configuration first",)),
        (["data:image/jpeg;base64,AAAA"], 400, ("configuration first",)),
        (["no json"], 422, ("valid",)),
        (["[]"], 422, ()),
        (['{"min_score": 2}'], 422, ("min_score",)),
        (['{"min_score": NaN}'], 422, ("min_score",)),
        (['{"max_face": 2}'], 422, ("max_face",)),
        (['{"drop_policy": "some"}'], 422, ("drop_policy",)),
        (['{"smoothing": {"min_cutoff": 0}}'], 422, ("min_cutoff",)),
        (['{"neutral": {}}'], 422, ("neutral lacks browDown_L",)),
        (['{"input_size": 288}'], 422, ("input_size is 288", "96 or 192")),
        ([json.dumps({"key": "x" * 5000})], 400, ("4096", "5011 characters", "data:image/jpeg;base64,")),
    ],
)
def test_configurations_that_cannot_be_served(
    door: Door, messages: list[str | bytes], status: int, words: tuple[str, ...]
) -> None:
    socket = door.open()
    for message in messages:
        socket.send(message)
    assert ended(socket, status, *words)


@pytest.mark.parametrize(("message", "status"), [("{}", 422), ('{"calibration": "now"}', 422), (b"short", 400)])
def test_messages_that_cannot_be_understood_end_the_stream(door: Door, message: str | bytes, status: int) -> None:
    socket = door.open({"stamped": True})
    received(socket)
    socket.send(message)
    assert ended(socket, status)


def data_url(picture: bytes) -> str:
    """As a canvas gives it."""
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()


def test_a_picture_as_a_data_url(door: Door, png: bytes) -> None:
    socket = door.open({"drop_policy": "none"})
    received(socket)
    for message in (data_url(png), png, data_url(png)):
        socket.send(message)
    answers = [received(socket) for _ in range(3)]
    assert [answer["sequence"] for answer in answers] == [1, 2, 3]
    assert {answer["faces"][0]["box"]["x"] for answer in answers} == {80.0}


def test_a_data_url_that_holds_no_picture_is_answered_with_its_problem(door: Door, png: bytes) -> None:
    socket = door.open({"drop_policy": "none"})
    received(socket)
    for message, words in (
        ("data:image/png;base64,A*", "The data URL is not base64"),
        ("data:image/svg+xml,<svg/>", "without base64"),
        ("data:,", "without base64"),
        (data_url(b"no picture"), "JPEG, PNG, WebP or AVIF"),
    ):
        socket.send(message)
        problem = received(socket)["problem"]
        assert problem["status"] == 400
        assert words in problem["detail"]
    socket.send(png)
    assert received(socket)["sequence"] == 5


@pytest.mark.parametrize("form", [bytes, data_url], ids=["binary", "data URL"])
def test_a_picture_has_as_many_bytes_as_over_rest(
    door: Door, settings: Settings, form: Callable[[bytes], bytes | str]
) -> None:
    socket = door.open({"drop_policy": "none"})
    received(socket)
    for beyond, status in ((0, 400), (1, 413), (0, 400)):
        socket.send(form(bytes(settings.max_bytes + beyond)))
        assert received(socket)["problem"]["status"] == status


def test_a_data_url_has_no_stamp(door: Door, png: bytes) -> None:
    socket = door.open({"stamped": True})
    received(socket)
    socket.send(data_url(png))
    assert ended(socket, 400, "no place for a stamp", "binary", "`stamped`")


def test_a_long_text_that_is_no_picture(door: Door, png: bytes) -> None:
    socket = door.open({})
    received(socket)
    socket.send(base64.b64encode(png * 20).decode())
    assert ended(socket, 400, "no data URL", "at most 4096", "binary messages")


def test_a_message_over_the_limit_ends_the_stream(door: Door, settings: Settings) -> None:
    socket = door.open({})
    received(socket)
    socket.send(bytes(settings.max_bytes * 4 // 3 + 1000))
    assert ended(socket, 413, f"more than {settings.max_bytes} bytes")
    assert socket.close_code == 1009


def test_one_stream_too_many(door: Door, state: ServerState) -> None:
    sockets = [door.open({}) for _ in range(2)]
    for socket in sockets:
        received(socket)
    assert ended(door.open({}), 429, "2 places for streams")
    sockets[0].close()
    end = time.monotonic() + 20
    while state.streams > 1 and time.monotonic() < end:
        time.sleep(0.005)
    assert "model" in received(door.open({}))


def test_keys(door: Door, settings: Settings, pipeline: Pipeline, workers: Workers) -> None:
    door.serve(RestApp(ServerState(settings, pipeline, workers, ApiKeys.of_setting(KEY, None))))
    assert ended(door.open({}), 401, "missing")
    assert ended(door.open({"key": "wrong-key-of-some-length"}), 401, "wrong")
    assert "model" in received(door.open({"key": KEY}))
    assert "model" in received(door.open({}, Authorization=f"Bearer {KEY}"))


def test_pages_of_other_hosts_may_not_open_a_stream(
    door: Door,
    settings: Settings,
    pipeline: Pipeline,
    workers: Workers,
    png: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They are told why after the opening: of one that fails a page learns nothing. Nothing else is answered."""
    with caplog.at_level(logging.WARNING):
        socket = door.open(Origin="https://elsewhere.example")
        with contextlib.suppress(ConnectionClosed):
            socket.send("{}")
            socket.send(png)
        problem = received(socket)["problem"]
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(20)
    assert (problem["status"], problem["type"]) == (403, "urn:problem-type:mfn:origin-refused")
    assert problem["detail"] == (
        "The server's MFN_CORS_ORIGINS does not name the page's origin, https://elsewhere.example. Add it there."
    )
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, problem["detail"])
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == f"refused a page: {problem['detail']}"
    assert ended(door.open(Origin="https://" + "\u00e9" * 500), 403, "MFN_CORS_ORIGINS")
    assert "model" in received(door.open({}, Origin=str(door.client.base_url).rstrip("/")))
    open_to_one = replace(settings, cors_origins="https://elsewhere.example")
    door.serve(RestApp(ServerState(open_to_one, pipeline, workers)))
    assert "model" in received(door.open({}, Origin="https://elsewhere.example"))


def test_behind_a_trusted_proxy_the_host_is_the_one_that_it_was_asked_for(
    door: Door, settings: Settings, pipeline: Pipeline, workers: Workers
) -> None:
    headers = {"Origin": "https://faces.example", "X-Forwarded-Host": "faces.example"}
    assert "model" in received(door.open({}, **headers))
    suspicious = replace(settings, trusted_proxies="192.0.2.1")
    door.serve(RestApp(ServerState(suspicious, pipeline, workers)))
    assert ended(door.open(None, **headers), 403)


def test_silence_age_and_shutdown_end_a_stream(
    door: Door, settings: Settings, pipeline: Pipeline, workers: Workers
) -> None:
    door.serve(RestApp(ServerState(replace(settings, stream_idle_seconds=0.1, header_seconds=0.2), pipeline, workers)))
    assert ended(door.open(), 504)
    socket = door.open({})
    received(socket)
    assert ended(socket, 504, "0.1 s")
    door.serve(RestApp(ServerState(replace(settings, max_connection_age_seconds=0.1), pipeline, workers)))
    socket = door.open({})
    received(socket)
    assert ended(socket, 503, "old")
    draining = ServerState(settings, pipeline, workers)
    draining.draining.set()
    door.serve(RestApp(draining))
    assert ended(door.open({}), 503, "shutting down")
