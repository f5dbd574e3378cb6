import threading
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pytest

from service.cli.video import frames as module
from service.cli.video.frames import TICK_SECONDS, FrameReader, VideoError, VideoFrame, in_real_time, in_thread

PATIENCE = 20  # seconds; nothing here takes more than an instant


def frames_at(*timestamps: float) -> list[VideoFrame]:
    return [VideoFrame(np.zeros((1, 1, 3), np.uint8), timestamp) for timestamp in timestamps]


class Source:
    """Frames that a function makes."""

    rate, missing = 30.0, 0

    def __init__(self, make: Callable[[], Iterator[VideoFrame]], live: bool = True) -> None:
        self.live = live
        self.closed = threading.Event()
        self._make = make

    def __iter__(self) -> Iterator[VideoFrame]:
        return self._make()

    def close(self) -> None:
        self.closed.set()


def given(reader: FrameReader) -> VideoFrame:
    """The next frame, however long it takes, within reason."""
    ticks = islice(reader, round(PATIENCE / TICK_SECONDS))
    return next(frame for frame in ticks if frame is not None)


def test_a_slow_consumer_gets_the_latest_frame_and_no_frame_twice() -> None:
    stored, go_on = threading.Event(), threading.Event()
    first, second, third, fourth = frames_at(0, 1, 2, 3)

    def camera() -> Iterator[VideoFrame]:
        yield first
        yield second
        yield third
        stored.set()
        assert go_on.wait(PATIENCE)
        yield fourth

    with FrameReader(Source(camera)) as reader:
        assert stored.wait(PATIENCE)
        assert next(reader) is third
        go_on.set()
        assert given(reader) is fourth
        assert [frame for frame in reader if frame is not None] == []
        assert (reader.taken, reader.dropped) == (2, 2)


def test_a_slow_consumer_of_a_recording_gets_every_frame() -> None:
    frames = frames_at(*range(20))
    with FrameReader(Source(lambda: iter(frames), live=False)) as reader:
        assert [frame for frame in reader if frame is not None] == frames
        assert (reader.taken, reader.dropped) == (20, 0)


def test_a_recording_is_not_read_ahead_by_more_than_two_frames() -> None:
    """So that memory is bounded: one frame waits, one is held until it may wait."""
    read: list[int] = []
    third = threading.Event()

    def recording() -> Iterator[VideoFrame]:
        for number in range(9):
            read.append(number)
            if number == 2:
                third.set()
            yield from frames_at(number)

    with FrameReader(Source(recording, live=False)) as reader:
        assert given(reader).timestamp == 0
        assert third.wait(PATIENCE)
        assert read == [0, 1, 2]


def test_who_waits_is_told_that_there_is_nothing_yet() -> None:
    come = threading.Event()

    def camera() -> Iterator[VideoFrame]:
        assert come.wait(PATIENCE)
        yield from frames_at(0)

    with FrameReader(Source(camera)) as reader:
        assert next(reader) is None
        come.set()
        assert given(reader).timestamp == 0


def test_what_a_source_raises_comes_after_its_last_frame() -> None:
    def unplugged() -> Iterator[VideoFrame]:
        yield from frames_at(0)
        raise VideoError("unplugged")

    with FrameReader(Source(unplugged)) as reader:
        assert given(reader).timestamp == 0
        for _ in range(2):
            with pytest.raises(VideoError, match="unplugged"):
                given(reader)


@pytest.mark.parametrize("live", [True, False])
def test_closing_lets_go_of_the_source_in_the_thread_that_reads_it(live: bool) -> None:
    let_go: list[threading.Thread] = []

    def endless() -> Iterator[VideoFrame]:
        try:
            number = 0
            while True:
                number += 1
                yield from frames_at(number)
        finally:
            let_go.append(threading.current_thread())

    with FrameReader(source := Source(endless, live)) as reader:
        given(reader)
    assert source.closed.is_set()
    assert let_go
    assert let_go[0] is not threading.main_thread()


def test_closing_does_not_wait_for_a_source_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "JOIN_SECONDS", 0.01)
    hanging, end = threading.Event(), threading.Event()

    def hangs() -> Iterator[VideoFrame]:
        hanging.set()
        assert end.wait(PATIENCE)
        yield from frames_at(0)

    with FrameReader(Source(hangs)):
        assert hanging.wait(PATIENCE)
    end.set()


def test_a_call_in_a_thread_returns_and_raises_what_it_does() -> None:
    assert in_thread(threading.current_thread) is not threading.main_thread()
    with pytest.raises(ZeroDivisionError):
        in_thread(lambda: 1 / 0)


class Clock:
    """Time that passes where somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


def shown(timestamps: list[float], work: float, skip: bool) -> list[tuple[float, float]]:
    """(timestamp, time since the first) of the frames that someone gets who works so long on each, at 10 a second."""
    clock, got = Clock(), []
    for frame in in_real_time(frames_at(*timestamps), 10, skip, clock, clock.pass_by):
        if frame is None:
            continue
        got.append((frame.timestamp, round(clock.now - 100, 6)))
        clock.pass_by(work)
    return got


def test_no_frame_comes_before_its_time() -> None:
    assert shown([5, 5.1, 5.2, 6], work=0.02, skip=True) == [(5, 0), (5.1, 0.1), (5.2, 0.2), (6, 1)]


def test_frames_that_are_late_are_left_out() -> None:
    """The second is due at 0.1, the third at 0.2 and the fourth at 0.3, which is 0.05 late when the first is done."""
    assert shown([0, 0.1, 0.2, 0.3, 0.4], work=0.35, skip=True) == [(0, 0), (0.3, 0.35)]
    assert [timestamp for timestamp, _ in shown([0, 0.1, 0.2, 0.3], work=0.35, skip=False)] == [0, 0.1, 0.2, 0.3]


def test_a_machine_that_is_far_too_slow_still_shows_some() -> None:
    times = [round(0.1 * i, 1) for i in range(21)]
    assert [timestamp for timestamp, _ in shown(times, work=100, skip=True)] == [0, 0.5, 1, 1.5, 2]


def test_who_waits_for_a_frames_time_may_do_something_else() -> None:
    clock = Clock()
    frames = in_real_time(frames_at(0, 0.35), 10, True, clock, clock.pass_by)
    assert [None if frame is None else frame.timestamp for frame in frames] == [0, None, None, None, 0.35]
    assert list(in_real_time([None], 10, True, clock, clock.pass_by)) == [None]
