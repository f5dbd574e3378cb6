import numpy as np
import pytest

from service.cli.video.frames import VideoFrame
from service.cli.video.loop import Command, ProcessedFrame, watch
from service.inference.pipeline import Pipeline
from service.tracking.neutral import NeutralState
from service.tracking.options import StreamOptions
from service.tracking.session import Session


class Commander:
    """A sink that stores all frames, and gives commands at some of them."""

    def __init__(self, commands: dict[int, Command] | None = None) -> None:
        self.frames: list[ProcessedFrame] = []
        self._commands = commands or {}

    def consume(self, processed: ProcessedFrame) -> Command | None:
        self.frames.append(processed)
        return self._commands.get(processed.number)


@pytest.fixture
def session(pipeline: Pipeline) -> Session:
    return Session(pipeline, StreamOptions())


@pytest.fixture
def frames(photo: object) -> list[VideoFrame]:
    """Two seconds of one face that does not move."""
    return [VideoFrame(np.asarray(photo), i / 10) for i in range(20)]


def test_every_sink_consumes_every_frame(frames: list[VideoFrame], session: Session) -> None:
    first, second = Commander(), Commander()
    watch(frames, session, [first, second])
    assert [processed.number for processed in first.frames] == list(range(1, 21))
    assert [processed.frame for processed in first.frames] == frames
    assert all(a.result is b.result for a, b in zip(first.frames, second.frames, strict=True))
    assert {track_id for processed in first.frames for track_id in processed.result.track_id.tolist()} == {1}
    assert {(processed.result.width, processed.result.height) for processed in first.frames} == {(192, 192)}


def test_any_sink_may_end_it_once_all_have_consumed_the_frame(frames: list[VideoFrame], session: Session) -> None:
    last = Commander()
    watch(frames, session, [Commander({3: Command.QUIT}), last])
    assert len(last.frames) == 3


def test_resting_faces_are_taken_and_forgotten(frames: list[VideoFrame], session: Session) -> None:
    commander = Commander({2: Command.TAKE_NEUTRAL, 16: Command.RESET_NEUTRAL})
    watch(frames, session, [commander])
    states = [processed.result.neutral[0] for processed in commander.frames]
    assert states[:3] == [NeutralState.OFF, NeutralState.OFF, NeutralState.COLLECTING]
    assert states[15:17] == [NeutralState.ON, NeutralState.OFF]


def test_the_user_is_asked_while_there_is_no_frame(frames: list[VideoFrame], session: Session) -> None:
    commander, asked = Commander(), iter([None, Command.TAKE_NEUTRAL, Command.QUIT])
    watch([None, frames[0], None, frames[1], None, frames[2]], session, [commander], lambda: next(asked))
    assert [processed.number for processed in commander.frames] == [1, 2]
    assert [processed.result.neutral[0] for processed in commander.frames] == [
        NeutralState.OFF, NeutralState.COLLECTING
    ]  # fmt: skip
