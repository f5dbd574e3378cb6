"""The C# client of streams: what it sends, what it makes of answers, and what it does when things go wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from websockets.sync.server import ServerConnection

from service.cli.neutral_file import write_neutral
from service.vision.arkit import ARKIT_NAMES
from tests.clients.unity.building import CLIENT, HERE, build
from tests.clients.unity.fake_service import (
    STAMP_BYTES,
    answer,
    fake_service,
    greet,
    next_frame,
    problem,
    serve_faces,
    stamp,
)
from tests.clients.unity.program import StreamProgram, stream_program
from tests.docs.pages import ROOT
from tests.service.processes import free_port

ASTRONAUT = ROOT / "docs/astronaut.jpg"
PRECISION = 2e-5  # the service's answers have five decimals


@pytest.fixture(scope="module")
def stream(built: Path) -> Iterator[StreamProgram]:
    """A program for all tests: what it runs, it compiles once."""
    build(built / "StreamProgram.exe", HERE / "StreamProgram.cs", references=(CLIENT,))
    with stream_program(built) as program:
        yield program


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A file that is as good as a picture to a service that does not look."""
    file = tmp_path / "picture"
    file.write_bytes(b"picture")
    return file


# --- what is sent


def test_the_configuration_is_what_the_options_say(stream: StreamProgram, picture: Path) -> None:
    told: list[dict[str, Any]] = []

    def conduct(connection: ServerConnection) -> None:
        told.append(greet(connection))
        connection.send(answer(next_frame(connection)))

    options = {
        "Refine": True, "Follow": True, "DetectEvery": 5, "Smoothing": 2.5, "MinScore": 0.25, "MaxFaces": 3,
        "InputSize": 448, "Blendshapes": True, "Landmarks": True, "ExcludeIdentity": True, "Rotation": 270,
        "ApiKey": 'k"\\é',
    }  # fmt: skip
    with fake_service(conduct) as address:
        stream.open(f"{address}/", **options)
        stream.do("send", picture)
    assert told[0] == {
        "stamped": True, "drop_policy": "none", "refine": True, "follow": True, "detect_every": 5,
        "smoothing": {"beta": 2.5}, "min_score": 0.25, "max_faces": 3, "input_size": 448,
        "include": ["blendshapes", "landmarks"], "exclude": ["identity"], "rotation": 270, "key": 'k"\\é',
    }  # fmt: skip


def test_a_saved_resting_face_is_told_at_once_and_again_after_a_loss(
    stream: StreamProgram, picture: Path, tmp_path: Path
) -> None:
    told: list[dict[str, Any]] = []

    def lose(connection: ServerConnection) -> None:
        told.append(greet(connection))
        next_frame(connection)
        connection.close(1001)

    def serve(connection: ServerConnection) -> None:
        told.append(greet(connection))
        connection.send(answer(next_frame(connection)))

    neutral = tmp_path / "anna.neutral.json"
    write_neutral(neutral, np.array([0.125, 0, 0.00001, 1]), ("jawOpen", "browDown_L", "mouthPucker", "cheekPuff_R"))
    with fake_service(lose, serve) as address:
        stream.open(address, Neutral=neutral)
        assert stream.do("send", picture) == {"answer": None}  # lost with the connection
        assert stream.do("send", picture)["answer"]
    assert [configuration["neutral"] for configuration in told] == [json.loads(neutral.read_text())["neutral"]] * 2


def test_what_is_left_as_it_is_is_not_told(stream: StreamProgram, picture: Path) -> None:
    told: list[dict[str, Any]] = []

    def conduct(connection: ServerConnection) -> None:
        told.append(greet(connection))
        connection.send(answer(next_frame(connection)))

    with fake_service(conduct) as address:
        stream.open(address)
        stream.do("send", picture)
    assert told[0] == {"stamped": True, "drop_policy": "none"}


def test_frames_have_their_number_time_and_picture(stream: StreamProgram, picture: Path) -> None:
    received: list[bytes | str] = []

    def conduct(connection: ServerConnection) -> None:
        greet(connection)
        for message in connection:
            received.append(message)
            if isinstance(message, bytes):
                connection.send(answer(message, 1))

    with fake_service(conduct) as address:
        stream.open(address)
        assert stream.do("send", picture, 40)["answer"]["captured_ms"] == 40
        assert stream.do("calibrate", "TakeNeutral") == {"told": True}
        stream.do("rotate", 90)
        stream.do("rotate", 90)
        stream.do("send", picture, 73.5)
        stream.do("calibrate", "Reset")
        stream.do("send", picture)
    frames = [message for message in received if isinstance(message, bytes)]
    assert [frame[STAMP_BYTES:] for frame in frames] == [b"picture"] * 3
    assert [stamp(frame) for frame in frames[:2]] == [(1, 40_000), (2, 73_500)]
    assert stamp(frames[2])[0] == 3
    assert [json.loads(text) for text in received if isinstance(text, str)] == [
        {"calibration": "take_neutral"},
        {"rotation": 90},
        {"calibration": "reset"},
    ]


@pytest.mark.parametrize(("most", "taken"), [(1, 1), (2, 2)])
def test_no_more_frames_are_on_their_way_than_may_be(
    stream: StreamProgram, picture: Path, most: int, taken: int
) -> None:
    offered = Event()

    def conduct(connection: ServerConnection) -> None:
        greet(connection)
        frames = [next_frame(connection) for _ in range(taken)]
        assert offered.wait(30)
        for frame in frames:
            connection.send(answer(frame))
        connection.send(answer(next_frame(connection)))

    with fake_service(conduct) as address:
        stream.open(address, InFlight=most)
        for _ in range(taken):
            stream.do("ready")
            stream.do("offer", picture)
        stream.do("offer", picture)  # one too many
        offered.set()
        answers = stream.do("settle")
        assert [document["answer"] is not None for document in answers] == [True] * taken + [False]
        assert stream.do("dropped") == {"dropped": 1}
        assert stream.do("send", picture)["answer"]["dropped"] == 1


@pytest.mark.parametrize(
    ("address", "options", "sentence"),
    [
        ("localhost:8000", {}, "it is the service's address, as http://localhost:8000"),
        ("ftp://localhost", {}, "it is the service's address"),
        ("http://localhost", {"InFlight": 0}, "InFlight is 0; it is a number of frames, 1 or more"),
        ("http://localhost", {"Rotation": 45}, "0, 90, 180 or 270 degrees; this one is 45"),
        ("http://localhost", {"Timeout": 0}, "it is more than 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    stream: StreamProgram, address: str, options: dict[str, int], sentence: str
) -> None:
    assert sentence in stream.new(address, **options)["refused"]


# --- what goes wrong


def test_after_a_loss_it_connects_again_and_tracks_go_on(stream: StreamProgram, picture: Path) -> None:
    def lose(connection: ServerConnection) -> None:
        greet(connection)
        connection.send(answer(next_frame(connection), 1, 2))
        next_frame(connection)
        connection.close(1001)

    with fake_service(lose, serve_faces(1)) as address:
        stream.open(address)
        first = stream.do("send", picture)["answer"]
        assert not first["restarted"]
        assert [face["track_id"] for face in first["faces"]] == [1, 2]
        assert stream.do("send", picture) == {"answer": None}  # lost with the connection
        second = stream.do("send", picture)["answer"]
        assert second["restarted"]
        assert second["dropped"] == 1
        assert [face["track_id"] for face in second["faces"]] == [3]
        assert not stream.do("send", picture)["answer"]["restarted"]
    assert stream.states == ["Open", "Connecting", "Open"]
    assert [failure["kind"] for failure in stream.failures] == ["connection"]
    assert "was lost, with code 1001" in stream.failures[0]["message"]


def test_a_problem_that_passes_is_waited_for(stream: StreamProgram, picture: Path) -> None:
    def refuse(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(problem("overloaded", "Too many streams."))
        connection.close(1013)

    with fake_service(refuse, serve_faces(1)) as address:
        stream.open(address)
        assert stream.do("send", picture)["answer"]["sequence"] == 1
    assert stream.failures == [{"kind": "overloaded", "message": "Too many streams."}]


def test_a_problem_that_stays_closes_the_stream(stream: StreamProgram, picture: Path) -> None:
    def refuse(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(problem("unauthorized", "The key is wrong."))
        connection.close(1008)

    with fake_service(refuse) as address:
        stream.open(address)
        stream.do("wait", "Failed")
        error = {"kind": "unauthorized", "message": "The key is wrong."}
        assert stream.do("send", picture) == {"error": error}
        assert stream.do("calibrate", "Reset") == {"told": False}
    assert stream.states == ["Closed"]
    assert stream.failures == [error]


def test_without_reconnection_a_loss_closes_the_stream(stream: StreamProgram, picture: Path) -> None:
    with fake_service(lambda connection: connection.close(1001)) as address:
        stream.open(address, Reconnect=False)
        stream.do("wait", "Closed")
        assert "There is no connection" in stream.do("send", picture)["error"]["message"]


def test_a_frame_s_problem_is_the_frame_s_alone(stream: StreamProgram, picture: Path) -> None:
    def conduct(connection: ServerConnection) -> None:
        greet(connection)
        sequence, timestamp = stamp(next_frame(connection))
        connection.send(
            problem("bad-picture", "It is no picture.", sequence=sequence, timestamp_us=timestamp, dropped=0)
        )
        connection.send(answer(next_frame(connection), 1))
        for _ in connection:  # until the client ends it
            pass

    with fake_service(conduct) as address:
        stream.open(address)
        assert stream.do("send", picture) == {"error": {"kind": "bad-picture", "message": "It is no picture."}}
        assert stream.do("send", picture)["answer"]["sequence"] == 2
        stream.do("dispose")
        stream.do("wait", "Closed")
    assert stream.failures == []


@pytest.mark.parametrize("text", ["hello", "{}", '{"model": []}', "<html></html>"])
def test_what_is_not_the_service_is_told(stream: StreamProgram, text: str) -> None:
    with fake_service(lambda connection: connection.send(text)) as address:
        stream.open(address)
        stream.do("wait", "Failed")
    assert stream.states == ["Closed"]
    assert "is not this service" in stream.failures[0]["message"]


def test_silence_ends_a_connection(stream: StreamProgram, picture: Path) -> None:
    def be_silent(connection: ServerConnection) -> None:
        greet(connection)
        next_frame(connection)
        next_frame(connection)  # does not come

    with fake_service(be_silent, serve_faces(1)) as address:
        stream.open(address, Timeout=0.5)
        assert stream.do("send", picture) == {"answer": None}
        assert stream.do("send", picture)["answer"]["restarted"]
    assert "has not answered for 0.5 s" in stream.failures[0]["message"]


def test_a_stream_without_frames_that_is_closed_opens_again_without_a_word(
    stream: StreamProgram, picture: Path
) -> None:
    def be_idle(connection: ServerConnection) -> None:
        greet(connection)
        connection.send(problem("deadline-passed", "No frame came."))
        connection.close(1000)

    with fake_service(be_idle, serve_faces(1)) as address:
        stream.open(address)
        stream.do("wait", "Connecting")
        assert stream.do("send", picture)["answer"]["sequence"] == 1
    assert stream.failures == []


def test_where_nobody_listens_it_tries_again(stream: StreamProgram) -> None:
    stream.open(f"http://127.0.0.1:{free_port()}")
    stream.do("wait", "Failed")
    stream.do("wait", "Failed")
    stream.do("dispose")
    stream.do("wait", "Closed")
    assert stream.do("send", ASTRONAUT) == {"error": {"kind": "disposed"}}
    assert "Check that the service runs" in stream.failures[0]["message"]


def test_disposing_drops_what_is_on_its_way(stream: StreamProgram, picture: Path) -> None:
    codes: list[int | None] = []

    def conduct(connection: ServerConnection) -> None:
        greet(connection)
        next_frame(connection)
        for _ in connection:  # ends well, with the client's code
            pass
        codes.append(connection.close_code)

    with fake_service(conduct) as address:
        stream.open(address)
        stream.do("ready")
        stream.do("offer", picture)
        stream.do("dispose")
        assert stream.do("settle") == {"answer": None}
        stream.do("wait", "Closed")
    assert stream.failures == []
    assert codes == [1000]


# --- the real service


def mirrored(folder: Path) -> Path:
    """The astronaut in a mirror, as a PNG."""
    file = folder / "mirrored.png"
    with Image.open(ASTRONAUT) as photo:
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(file)
    return file


def numbers_of(face: dict[str, Any]) -> dict[str, Any]:
    """Of a face as POST /retarget answers it: what the program shows of one."""
    pose = face["pose"]
    return {
        "score": face["score"], "box": list(face["box"].values()), "quaternion": pose["quaternion"],
        "angles": [pose["yaw"], pose["pitch"], pose["roll"]], "translation": pose["translation"],
        "scale": pose["scale"], "expression": list(face["expression"].values()), "identity": face["identity"],
        "blendshapes": list(face["blendshapes"].values()), "gaze": list(face["gaze"].values()),
        "landmarks": face["landmarks"],
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_it_has_the_numbers_of_the_service(stream: StreamProgram, url: str, tmp_path: Path, kind: str) -> None:
    file = ASTRONAUT if kind == "jpeg" else mirrored(tmp_path)
    parameters = {"refine": "true", "include": "landmarks,blendshapes"}
    asked = httpx2.post(f"{url}/retarget", params=parameters, content=file.read_bytes()).json()
    stream.open(url, Refine=True, Landmarks=True, Blendshapes=True)
    shown = stream.do("send", file)["answer"]
    assert (shown["width"], shown["height"]) == (asked["image"]["width"], asked["image"]["height"])
    assert shown["unobserved_arkit"] == ["tongueOut"]
    assert shown["timing_ms"].keys() >= {"decode", "inference", "refine", "track"}
    assert list(shown["faces"][0]["blendshapes"]) == list(ARKIT_NAMES)
    for face, expected in zip(shown["faces"], asked["faces"], strict=True):
        for name, numbers in numbers_of(expected).items():
            found = list(face[name].values()) if isinstance(face[name], dict) else face[name]
            np.testing.assert_allclose(found, numbers, rtol=1e-6, atol=PRECISION, err_msg=name)


def test_a_person_is_followed_calibrated_and_turned(stream: StreamProgram, url: str) -> None:
    stream.open(url, Follow=True, Refine=True, Smoothing=4.0)
    frames = [stream.do("send", ASTRONAUT, number * 40)["answer"] for number in range(3)]
    assert {face["track_id"] for frame in frames for face in frame["faces"]} == {1}
    stream.do("calibrate", "TakeNeutral")
    (face,) = stream.do("send", ASTRONAUT, 200)["answer"]["faces"]
    assert face["neutral"] == "collecting"
    stream.do("send", ASTRONAUT, 800)
    (face,) = stream.do("send", ASTRONAUT, 1300)["answer"]["faces"]
    assert face["neutral"] == "on"
    assert max(face["expression"].values()) < 0.1
    assert face["blendshapes"] is None
    assert stream.do("send", ASTRONAUT, 5000)["answer"]["restarted"]
    assert stream.do("send", ASTRONAUT, 5000)["error"]["kind"] == "bad-parameter"


def test_of_a_saved_resting_face_nothing_is_left(stream: StreamProgram, url: str, tmp_path: Path) -> None:
    stream.open(url, Refine=True)
    (face,) = stream.do("send", ASTRONAUT)["answer"]["faces"]
    neutral = tmp_path / "astronaut.neutral.json"
    write_neutral(neutral, np.array(list(face["expression"].values())), tuple(face["expression"]))
    stream.open(url, Refine=True, Neutral=neutral)
    (face,) = stream.do("send", ASTRONAUT)["answer"]["faces"]
    assert face["neutral"] == "on"
    assert max(face["expression"].values()) < 1e-4


def test_what_the_service_refuses_it_says(stream: StreamProgram, url: str, picture: Path, tmp_path: Path) -> None:
    stream.open(url, MinScore=3.0)
    stream.do("wait", "Failed")
    assert stream.states == ["Closed"]
    assert stream.failures[0]["kind"] == "bad-parameter"
    lacking = tmp_path / "lacking.neutral.json"
    write_neutral(lacking, np.array([0.1]), ("jawOpen",))
    stream.open(url, Neutral=lacking)
    stream.do("wait", "Failed")
    assert "neutral lacks" in stream.failures[0]["message"]
    stream.open(url)
    assert stream.do("send", picture)["error"]["kind"] == "bad-picture"
    assert stream.do("send", ASTRONAUT)["answer"]["faces"]
