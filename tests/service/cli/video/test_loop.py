import numpy as np
import pytest

from service.cli.video.frames import VideoFrame
from service.cli.video.loop import Seen, Wish, watch
from service.inference.pipeline import Pipeline
from service.tracking.neutral import NeutralState
from service.tracking.options import StreamOptions
from service.tracking.session import Session


class Wisher:
    """Sees everything, and wants something at some frames."""

    def __init__(self, wishes: dict[int, Wish] | None = None) -> None:
        self.seen: list[Seen] = []
        self._wishes = wishes or {}

    def view(self, seen: Seen) -> Wish | None:
        self.seen.append(seen)
        return self._wishes.get(seen.number)


@pytest.fixture
def session(pipeline: Pipeline) -> Session:
    return Session(pipeline, StreamOptions())


@pytest.fixture
def frames(photo: object) -> list[VideoFrame]:
    """Two seconds of one face that does not move."""
    return [VideoFrame(np.asarray(photo), i / 10) for i in range(20)]


def test_every_frame_is_seen_by_everyone(frames: list[VideoFrame], session: Session) -> None:
    first, second = Wisher(), Wisher()
    assert watch(frames, session, [first, second]) == 20
    assert [seen.number for seen in first.seen] == list(range(1, 21))
    assert [seen.frame for seen in first.seen] == frames
    assert all(a.result is b.result for a, b in zip(first.seen, second.seen, strict=True))
    assert {track_id for seen in first.seen for track_id in seen.result.track_id.tolist()} == {1}
    assert {(seen.result.width, seen.result.height) for seen in first.seen} == {(192, 192)}


def test_anyone_may_end_it_once_all_have_seen_the_frame(frames: list[VideoFrame], session: Session) -> None:
    last = Wisher()
    assert watch(frames, session, [Wisher({3: Wish.QUIT}), last]) == 3
    assert len(last.seen) == 3


def test_resting_faces_are_taken_and_forgotten(frames: list[VideoFrame], session: Session) -> None:
    wisher = Wisher({2: Wish.TAKE_NEUTRAL, 16: Wish.RESET_NEUTRAL})
    watch(frames, session, [wisher])
    states = [seen.result.neutral[0] for seen in wisher.seen]
    assert states[:3] == [NeutralState.OFF, NeutralState.OFF, NeutralState.COLLECTING]
    assert states[15:17] == [NeutralState.ON, NeutralState.OFF]


def test_no_frames(session: Session) -> None:
    assert watch([], session, []) == 0
