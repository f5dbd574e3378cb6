import json
import logging
import math
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import grpc
import numpy as np
import pytest
from mfn.v1 import retarget_pb2 as pb

from service.cli.neutral_file import write_neutral
from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from service.tracking.session import Session
from service.vision.arkit import GAZE, NEVER_OBSERVED, WITHOUT_GAZE
from service.vision.image import ImageLoader
from tests.service.server.grpc.conftest import PATIENCE, Running, Serve

FRAME_US = 33_333
ROOT = Path(__file__).resolve().parents[4]


def config(**fields: Any) -> pb.RetargetStreamRequest:
    return pb.RetargetStreamRequest(config=pb.StreamConfig(**fields))


def frame(number: int, data: bytes, timestamp_us: int | None = None) -> pb.RetargetStreamRequest:
    stamp = number * FRAME_US if timestamp_us is None else timestamp_us
    return pb.RetargetStreamRequest(frame=pb.Frame(sequence=number, timestamp_us=stamp, image=pb.Image(encoded=data)))


def answers(responses: Iterator[pb.RetargetStreamResponse]) -> list[pb.FrameAnswer]:
    """All answers of a stream whose first message is the model."""
    first, *rest = list(responses)
    assert first.WhichOneof("message") == "model"
    assert len(first.model.expression_names) == 46
    return [response.answer for response in rest]


class Sender:
    """Messages that a test sends one by one."""

    def __init__(self, *messages: pb.RetargetStreamRequest) -> None:
        self._queue: SimpleQueue[pb.RetargetStreamRequest | None] = SimpleQueue()
        self.send(*messages)

    def send(self, *messages: pb.RetargetStreamRequest) -> None:
        for message in messages:
            self._queue.put(message)

    def close(self) -> None:
        self._queue.put(None)

    def __iter__(self) -> Iterator[pb.RetargetStreamRequest]:
        while (message := self._queue.get()) is not None:
            yield message


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator["Gate"]:
    """Frames are looked at when a test lets them."""
    gate = Gate()
    look = Session.process_frame

    def gated(session: Session, source: ImageLoader, timestamp: float, *times: float) -> object:
        gate.begun.release()
        assert gate.let.acquire(timeout=PATIENCE)
        return look(session, source, timestamp, *times)

    monkeypatch.setattr(Session, "process_frame", gated)
    yield gate
    for _ in range(100):
        gate.let.release()


class Gate:
    def __init__(self) -> None:
        self.begun, self.let = threading.Semaphore(0), threading.Semaphore(0)


def test_every_frame_is_answered_in_order(door: Running, png: bytes) -> None:
    sent = [config(drop_policy=pb.DROP_POLICY_NONE), *(frame(number, png) for number in range(1, 31))]
    got = answers(door.stub.RetargetStream(iter(sent)))
    assert [answer.sequence for answer in got] == list(range(1, 31))
    assert [answer.timestamp_us for answer in got] == [number * FRAME_US for number in range(1, 31)]
    assert {answer.dropped for answer in got} == {0}
    assert {face.track_id for answer in got for face in answer.faces} == {1}
    assert all(len(answer.faces) == 1 and answer.width == 192 for answer in got)
    assert {face.neutral for answer in got for face in answer.faces} == {pb.NEUTRAL_STATE_OFF}


def test_a_stream_goes_on_where_its_clock_jumps(door: Running, png: bytes) -> None:
    times = [0, FRAME_US, 2**62, 2 * FRAME_US, 2 * FRAME_US, -(2**63), 2**63 - 2, 2**63 - 1]
    sent = [config(drop_policy=pb.DROP_POLICY_NONE), *(frame(n, png, time) for n, time in enumerate(times))]
    got = answers(door.stub.RetargetStream(iter(sent)))
    assert [answer.timestamp_us for answer in got] == times
    assert [answer.restarted for answer in got] == [False, False, True, True, False, True, True, False]
    assert [answer.problem.name for answer in got] == ["", "", "", "", "bad-parameter", "", "", ""]
    assert [face.track_id for answer in got for face in answer.faces] == [1, 1, 2, 3, 4, 5, 5]


@pytest.mark.parametrize(("refine", "follow"), [(False, False), (True, False), (True, True)])
def test_gaze_of_refined_and_followed_faces(door: Running, png: bytes, refine: bool, follow: bool) -> None:
    options = pb.Options(refine=refine, include_blendshapes=True)
    sent = [
        config(options=options, follow=follow, drop_policy=pb.DROP_POLICY_NONE, smoothing=pb.Smoothing()),
        *(frame(number, png) for number in range(1, 4)),
    ]
    for answer in answers(door.stub.RetargetStream(iter(sent))):
        (face,) = answer.faces
        assert tuple(answer.unobserved_arkit) == (NEVER_OBSERVED if refine else WITHOUT_GAZE)
        assert list(face.gaze) == (face.blendshapes[GAZE] if refine else [])


def test_the_latest_frame_wins_and_the_dropped_are_counted(door: Running, png: bytes, gate: Gate) -> None:
    sender = Sender(config(), frame(1, png))
    responses = door.stub.RetargetStream(iter(sender))
    assert gate.begun.acquire(timeout=PATIENCE)
    sender.send(*(frame(number, png) for number in range(2, 7)))
    before = door.state.metrics.exposition()
    while b'mfn_frames_dropped_total{reason="newer_frame"} 4' not in door.state.metrics.exposition():
        assert before
        time.sleep(0.005)
    sender.close()  # with a frame pending
    gate.let.release()
    gate.let.release()
    got = answers(responses)
    assert [(answer.sequence, answer.dropped) for answer in got] == [(1, 4), (6, 4)]


@pytest.mark.parametrize("policy", [pb.DROP_POLICY_LATEST, pb.DROP_POLICY_NONE])
def test_half_closing_with_a_frame_pending_answers_it(door: Running, png: bytes, policy: int) -> None:
    for _ in range(20):
        got = answers(door.stub.RetargetStream(iter([config(drop_policy=policy), frame(1, png), frame(2, png)])))
        assert got[-1].sequence == 2
        assert got[-1].dropped + len(got) == 2


def test_a_sender_that_is_faster_waits_where_nothing_may_be_dropped(door: Running, png: bytes, gate: Gate) -> None:
    """Some messages are on their way in buffers of the transport; they are large, so that these fill up."""
    taken = 0
    large = png + bytes(2**20 - len(png) - 100)  # Pillow stops at PNG's end

    def messages() -> Iterator[pb.RetargetStreamRequest]:
        nonlocal taken
        yield config(drop_policy=pb.DROP_POLICY_NONE)
        for number in range(1, 61):
            taken = number
            yield frame(number, large)

    responses = door.stub.RetargetStream(messages())
    assert gate.begun.acquire(timeout=PATIENCE)
    time.sleep(0.5)
    assert taken < 60
    for _ in range(60):
        gate.let.release()
    assert [answer.sequence for answer in answers(responses)] == list(range(1, 61))


def test_a_bad_frame_is_answered_with_its_problem_and_nothing_else_suffers(door: Running, png: bytes) -> None:
    sent = [config(drop_policy=pb.DROP_POLICY_NONE), frame(1, png), frame(2, b"no picture"), frame(3, png)]
    first, bad, third = answers(door.stub.RetargetStream(iter(sent)))
    assert (bad.sequence, bad.problem.name, len(bad.faces)) == (2, "bad-picture", 0)
    assert first.faces[0].track_id == third.faces[0].track_id
    assert not third.HasField("problem")


@pytest.mark.parametrize("stamp", [FRAME_US, FRAME_US - 1, -5])
def test_a_timestamp_that_goes_back_is_told(door: Running, png: bytes, stamp: int) -> None:
    sent = [config(drop_policy=pb.DROP_POLICY_NONE), frame(1, png), frame(2, png, stamp), frame(3, png)]
    first, back, third = answers(door.stub.RetargetStream(iter(sent)))
    assert back.problem.name == "bad-parameter"
    assert first.faces[0].track_id == third.faces[0].track_id


def test_a_worker_that_raises_answers_that_frame_alone(
    door: Running, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, calls = Session.process_frame, []

    def failing(session: Session, source: ImageLoader, timestamp: float, *times: float) -> object:
        calls.append(timestamp)
        if len(calls) == 2:
            raise ZeroDivisionError("innards")
        return look(session, source, timestamp, *times)

    monkeypatch.setattr(Session, "process_frame", failing)
    sent = [config(drop_policy=pb.DROP_POLICY_NONE), *(frame(number, png) for number in (1, 2, 3))]
    first, failed, third = answers(door.stub.RetargetStream(iter(sent)))
    assert (failed.problem.name, len(first.faces), len(third.faces)) == ("internal", 1, 1)
    assert "innards" not in failed.problem.detail


def test_calibration(door: Running, png: bytes) -> None:
    """Two seconds of the same face: its own expression is its neutral one, and nothing of it is left."""
    take, reset = (
        pb.RetargetStreamRequest(calibration=value) for value in (pb.CALIBRATION_TAKE_NEUTRAL, pb.CALIBRATION_RESET)
    )
    frames = [frame(number, png) for number in range(1, 64)]
    sent = [config(drop_policy=pb.DROP_POLICY_NONE), *frames[:2], take, *frames[2:60], reset, *frames[60:]]
    got = answers(door.stub.RetargetStream(iter(sent)))
    # a calibration may overtake a frame that waits
    states = [answer.faces[0].neutral for answer in got]
    assert states[0] == states[-1] == pb.NEUTRAL_STATE_OFF
    assert pb.NEUTRAL_STATE_COLLECTING in states[1:5]
    assert states[55] == pb.NEUTRAL_STATE_ON
    assert max(got[55].faces[0].expression) == pytest.approx(0, abs=1e-5)
    assert got[-1].faces[0].expression == pytest.approx(got[0].faces[0].expression)


def test_a_saved_resting_face_is_everybodys(door: Running, png: bytes, models: Models, tmp_path: Path) -> None:
    """Its face shows nothing until it is forgotten, also where the clock jumps."""
    (seen,) = (
        answer.faces[0].expression for answer in answers(door.stub.RetargetStream(iter([config(), frame(1, png)])))
    )
    names = models.face_model.expression_names
    path = tmp_path / "anna.neutral.json"
    write_neutral(path, np.array(seen), names)
    sender = Sender(config(drop_policy=pb.DROP_POLICY_NONE, **json.loads(path.read_text())))
    responses = door.stub.RetargetStream(iter(sender))
    next(responses)

    def look(number: int) -> pb.Face:
        sender.send(frame(number, png))
        face: pb.Face = next(responses).answer.faces[0]
        return face

    for number in (1, 2, 1000):
        face = look(number)
        assert face.neutral == pb.NEUTRAL_STATE_ON
        assert max(face.expression) == pytest.approx(0, abs=1e-4)
    sender.send(pb.RetargetStreamRequest(calibration=pb.CALIBRATION_RESET))
    face = look(1001)
    assert face.neutral == pb.NEUTRAL_STATE_OFF
    assert face.expression == pytest.approx(seen)
    sender.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mouthSmile_L": 1.5}, ("neutral.mouthSmile_L is 1.5", "0 to 1")),
        ({"mouthSmile_L": math.nan}, ("neutral.mouthSmile_L is nan",)),
        ({"mouthSmileLeft": 0.5}, ("neutral has 'mouthSmileLeft'", "46 names of `expression`")),
    ],
)
def test_what_is_no_resting_face(
    door: Running, models: Models, change: dict[str, float], words: tuple[str, ...]
) -> None:
    weights = dict.fromkeys(models.face_model.expression_names, 0.5)
    call = door.stub.RetargetStream(iter([config(neutral=weights | change)]))
    ends(call, grpc.StatusCode.INVALID_ARGUMENT, *words)


def ends(responses: Iterator[pb.RetargetStreamResponse], code: grpc.StatusCode, *words: str) -> None:
    with pytest.raises(grpc.RpcError) as error:
        list(responses)
    assert error.value.code() is code, error.value.details()
    details = error.value.details() or ""
    for word in words:
        assert word in details


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], ("configuration",)),
        ([frame(1, b"")], ("configuration",)),
        ([config(), config()], ("second configuration",)),
        ([config(), pb.RetargetStreamRequest()], ("neither",)),
        ([config(), pb.RetargetStreamRequest(calibration=pb.CALIBRATION_UNSPECIFIED)], ("neither",)),
        ([config(drop_policy=9)], ("drop policy 9",)),
        ([config(neutral={"jawOpen": 0.1})], ("neutral lacks browDown_L",)),
        ([config(neutral={str(number): 0.1 for number in range(9000)})], ("is no frame", "65536")),
        ([config(detect_every=301)], ("detect_every", "300")),
        ([config(smoothing=pb.Smoothing(min_cutoff=-1))], ("min_cutoff",)),
        ([config(options=pb.Options(max_faces=1000))], ("max_faces",)),
        ([config(options=pb.Options(tiles=2))], ("tiles", "single pictures")),
        ([config(options=pb.Options(input_size=288))], ("input_size is 288", "96 or 192")),
    ],
)
def test_messages_out_of_order_or_range_end_the_stream(
    door: Running, png: bytes, messages: list[pb.RetargetStreamRequest], words: tuple[str, ...]
) -> None:
    ends(door.stub.RetargetStream(iter(messages)), grpc.StatusCode.INVALID_ARGUMENT, *words)
    assert answers(door.stub.RetargetStream(iter([config(), frame(1, png)])))
    assert door.state.streams == 0


def test_one_stream_too_many(door: Running, png: bytes) -> None:
    senders = [Sender(config()) for _ in range(4)]
    streams = [door.stub.RetargetStream(iter(sender)) for sender in senders]
    for stream in streams:
        assert next(stream).WhichOneof("message") == "model"
    ends(door.stub.RetargetStream(iter([config()])), grpc.StatusCode.RESOURCE_EXHAUSTED, "4 places for streams")
    for sender, stream in zip(senders, streams, strict=True):
        sender.close()
        assert list(stream) == []
    assert answers(door.stub.RetargetStream(iter([config(), frame(1, png)])))


def settles(door: Running) -> None:
    """Waits until no stream is left."""
    end = time.monotonic() + PATIENCE
    while door.state.streams:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_cancelled_stream_gives_its_place_back(door: Running, png: bytes, gate: Gate) -> None:
    sender = Sender(config(), frame(1, png))
    stream = door.stub.RetargetStream(iter(sender))
    assert gate.begun.acquire(timeout=PATIENCE)
    stream.cancel()
    settles(door)
    sender.close()
    gate.let.release()
    with pytest.raises(grpc.RpcError):
        list(stream)


def test_a_client_deadline_ends_the_stream(door: Running, png: bytes, gate: Gate) -> None:
    sender = Sender(config(), frame(1, png))
    ends(door.stub.RetargetStream(iter(sender), timeout=0.2), grpc.StatusCode.DEADLINE_EXCEEDED)
    sender.close()
    settles(door)
    gate.let.release()


def test_silence_ends_the_stream(serve: Serve, local: Settings, pipeline: Pipeline, workers: Workers) -> None:
    server = serve(ServerState(replace(local, stream_idle_seconds=0.1), pipeline, workers))
    for sender in (Sender(), Sender(config())):
        ends(server.stub.RetargetStream(iter(sender)), grpc.StatusCode.DEADLINE_EXCEEDED)
        sender.close()


def test_a_frame_that_takes_too_long_is_told_and_the_next_is_served(
    serve: Serve, local: Settings, pipeline: Pipeline, workers: Workers, png: bytes, gate: Gate
) -> None:
    server = serve(ServerState(replace(local, frame_deadline_seconds=0.2), pipeline, workers))
    sender = Sender(config(drop_policy=pb.DROP_POLICY_NONE), frame(1, png))
    stream = server.stub.RetargetStream(iter(sender))
    assert next(stream).WhichOneof("message") == "model"
    assert next(stream).answer.problem.name == "deadline-passed"
    gate.let.release()
    gate.let.release()
    sender.send(frame(2, png))
    sender.close()
    assert [len(response.answer.faces) for response in stream] == [1]


def test_a_client_that_never_reads_is_ended(
    serve: Serve,
    local: Settings,
    pipeline: Pipeline,
    workers: Workers,
    png: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A raw HTTP/2 client would be needed to stop reading for good; a channel with a tiny window comes close."""
    server = serve(ServerState(replace(local, frame_deadline_seconds=0.3), pipeline, workers))
    options = [("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{server.port}", options) as channel:
        call = channel.stream_stream(
            "/mfn.v1.RetargetService/RetargetStream",
            pb.RetargetStreamRequest.SerializeToString,
            pb.RetargetStreamResponse.FromString,
        )

        def endless() -> Iterator[pb.RetargetStreamRequest]:
            yield config(options=pb.Options(include_landmarks=True), drop_policy=pb.DROP_POLICY_NONE)
            number = 0
            while True:
                number += 1
                yield frame(number, png)

        unread = call(endless())  # nobody iterates over it
        end = time.monotonic() + PATIENCE
        while not server.state.streams:
            assert time.monotonic() < end
            time.sleep(0.01)
        with caplog.at_level(logging.INFO, "mfn.requests"):
            settles(server)
        unread.cancel()  # type: ignore[no-untyped-call]  # grpc-stubs leave out what it returns
    assert vars(caplog.records[-1])["fields"]["code"] == "DEADLINE_EXCEEDED"


def test_streams_are_told_when_the_server_drains(
    serve: Serve, local: Settings, pipeline: Pipeline, workers: Workers, png: bytes, gate: Gate
) -> None:
    server = serve(ServerState(local, pipeline, workers))
    sender = Sender(config(), frame(1, png))
    stream = server.stub.RetargetStream(iter(sender))
    assert gate.begun.acquire(timeout=PATIENCE)
    server.drain()
    gate.let.release()
    assert next(stream).WhichOneof("message") == "model"
    assert next(stream).answer.sequence == 1  # what is in work is finished
    ends(stream, grpc.StatusCode.UNAVAILABLE, "shutting down")
    sender.close()
    ends(server.stub.RetargetStream(iter([config()])), grpc.StatusCode.UNAVAILABLE)


KILLED = """
import sys, time, grpc
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc

def messages():
    yield pb.RetargetStreamRequest(config=pb.StreamConfig())
    time.sleep(60)

stub = retarget_pb2_grpc.RetargetServiceStub(grpc.insecure_channel(sys.argv[1]))
call = stub.RetargetStream(messages())
next(call)
print("open", flush=True)
time.sleep(60)
"""


def test_a_client_that_is_killed_gives_its_place_back(door: Running) -> None:
    command = [sys.executable, "-c", KILLED, f"127.0.0.1:{door.port}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "open\n"
        assert door.state.streams == 1
        client.kill()
        settles(door)
