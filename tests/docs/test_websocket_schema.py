"""Messages of a running server are what docs/websocket.schema.json says, and so are those that it takes."""

import json
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from service.server.problems import POLICY_VIOLATION
from service.vision.face_model import FaceModel
from tests.docs.pages import ROOT, blocks
from tests.service.processes import free_port, server, wait_until_ready
from tools.readme import PHOTO, SCHEMA
from tools.websocket_schema import OPTIONS, SMOOTHING

EXPRESSION_NAMES = FaceModel.load(ROOT / "models/face_model.npz").expression_names
DOCUMENT = json.loads(SCHEMA.read_text(encoding="utf-8"))
PATIENCE = 30  # seconds for an answer
STAMP = "<Qq"
SECONDS_APART = 1_000_000  # in microseconds


def validate(kind: str, message: Any) -> None:
    """Raises ValidationError unless the message is of this kind, of the names in the schema's $defs."""
    Draft202012Validator({**DOCUMENT, "anyOf": [{"$ref": f"#/$defs/{kind}"}]}).validate(message)


def named(kind: str, message: dict[str, Any]) -> None:
    """Asserts that every member of a message, and of its faces, is described."""
    assert set(message) <= set(DOCUMENT["$defs"][kind]["properties"])
    for face in message.get("faces", []):
        assert set(face) <= set(DOCUMENT["$defs"]["StreamFace"]["properties"])


Open = Callable[[dict[str, Any]], ClientConnection]


@pytest.fixture(scope="module")
def running() -> Iterator[int]:
    """Port of a server with the published models."""
    port = free_port()
    with server(ROOT / "models", port, MFN_WORKERS="1", MFN_LOG_LEVEL="critical"):
        wait_until_ready(port)
        yield port


@pytest.fixture
def opened(running: int) -> Iterator[Open]:
    """Opens streams and sends their configurations."""
    with ExitStack() as stack:

        def open_(configuration: dict[str, Any]) -> ClientConnection:
            url = f"ws://127.0.0.1:{running}/retarget/stream"
            socket = stack.enter_context(connect(url, proxy=None))
            socket.send(json.dumps(configuration))
            return socket

        yield open_


def received(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(PATIENCE))


def refused(socket: ClientConnection) -> bool:
    """Whether the server ends the stream with a problem, as the schema has it."""
    message = received(socket)
    if "model" in message:
        return False
    validate("End", message)
    validate("FromServer", message)
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(PATIENCE)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == POLICY_VIOLATION
    return True


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(DOCUMENT)


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"refine": True, "include": ["landmarks", "blendshapes"]},
        {"follow": True, "smoothing": {"beta": 2.0}, "drop_policy": "none", "exclude": ["identity"]},
    ],
)
def test_a_stream_is_as_described(opened: Open, configuration: dict[str, Any]) -> None:
    validate("Configuration", configuration)
    socket = opened(configuration)
    model = received(socket)
    validate("ModelMessage", model)
    named("ModelMessage", model)
    for calibration in ({"calibration": "take_neutral"}, {"calibration": "reset"}):
        validate("CalibrationMessage", calibration)
        socket.send(json.dumps(calibration))
        socket.send(PHOTO.read_bytes())
        answer = received(socket)
        assert len(answer["faces"]) == 1
        validate("FrameAnswer", answer)
        validate("FromServer", answer)
        named("FrameAnswer", answer)


def test_stamped_frames_are_laid_out_as_described(opened: Open) -> None:
    socket = opened({"stamped": True, "drop_policy": "none"})
    received(socket)
    for number, data in ((5, PHOTO.read_bytes()), (6, b"no picture")):
        socket.send(struct.pack(STAMP, number, number * SECONDS_APART) + data)
    answer, problem = received(socket), received(socket)
    validate("FrameAnswer", answer)
    validate("FrameProblem", problem)
    validate("FromServer", problem)
    named("FrameProblem", problem)
    assert [message["sequence"] for message in (answer, problem)] == [5, 6]
    assert [message["timestamp_us"] for message in (answer, problem)] == [5 * SECONDS_APART, 6 * SECONDS_APART]


RANGES = [(name, limits) for name, (_, limits) in OPTIONS.items() if limits]
RANGES += [(f"smoothing.{name}", limits) for name, (_, limits) in SMOOTHING.items()]


def with_option(name: str, value: float) -> dict[str, Any]:
    if name == "neutral":
        return {name: dict.fromkeys(EXPRESSION_NAMES, value)}
    outer, _, inner = name.partition(".")
    return {outer: {inner: value}} if inner else {outer: value}


@pytest.mark.parametrize(("name", "limits"), RANGES, ids=[name for name, _ in RANGES])
def test_ranges_are_those_of_the_server(opened: Open, name: str, limits: dict[str, float]) -> None:
    for value in (limits["minimum"], limits["maximum"]):
        validate("Configuration", with_option(name, value))
        assert not refused(opened(with_option(name, value)))
    for value in (limits["minimum"] - 1, limits["maximum"] + 1):
        with pytest.raises(ValidationError):
            validate("Configuration", with_option(name, value))
        assert refused(opened(with_option(name, value)))


@pytest.mark.parametrize(
    "configuration",
    [
        {"unknown": 1},
        {"drop_policy": "some"},
        {"include": ["ears"]},
        {"exclude": ["pose"]},
        {"refine": "perhaps"},
        {"neutral": {}},
        {"neutral": {"jawOpen": 0.1}},
        {"neutral": dict.fromkeys(EXPRESSION_NAMES, True)},
    ],
)
def test_what_the_schema_refuses_the_server_refuses(opened: Open, configuration: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate("Configuration", configuration)
    assert refused(opened(configuration))


def test_every_option_is_described() -> None:
    assert set(OPTIONS) == set(DOCUMENT["$defs"]["Configuration"]["properties"])
    assert set(SMOOTHING) == set(DOCUMENT["$defs"]["SmoothingMessage"]["properties"])


def test_the_pages_examples_are_messages() -> None:
    """Members of the examples are those of the schema; their values are cut short."""
    kinds = ("ModelMessage", "FrameAnswer", "FrameProblem")
    examples = [json.loads(text) for text in blocks(ROOT / "docs/websocket.md", "json")]
    assert len(examples) == len(kinds)
    for kind, example in zip(kinds, examples, strict=True):
        named(kind, {name: value for name, value in example.items() if name != "faces"})
    validate("FrameProblem", examples[2])
