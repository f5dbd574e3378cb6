import threading
from collections.abc import Iterator

import numpy as np
import pytest

from service.cli.video.frames import LatestFrames, VideoError, VideoFrame, in_real_time

PATIENCE = 20  # seconds; nothing here takes more than an instant


def frames_at(*timestamps: float) -> list[VideoFrame]:
    return [VideoFrame(np.zeros((1, 1, 3), np.uint8), timestamp) for timestamp in timestamps]


def test_a_slow_reader_gets_the_latest_frame_and_no_frame_twice() -> None:
    stored, go_on = threading.Event(), threading.Event()
    first, second, third, fourth = frames_at(0, 1, 2, 3)

    def camera() -> Iterator[VideoFrame]:
        yield first
        yield second
        yield third
        stored.set()
        assert go_on.wait(PATIENCE)
        yield fourth

    with LatestFrames(camera()) as latest:
        assert stored.wait(PATIENCE)
        assert next(latest) is third
        go_on.set()
        assert next(latest) is fourth
        assert list(latest) == []


def test_what_the_camera_raises_comes_after_its_last_frame() -> None:
    def unplugged() -> Iterator[VideoFrame]:
        yield from frames_at(0)
        raise VideoError("unplugged")

    with LatestFrames(unplugged()) as latest:
        assert next(latest).timestamp == 0
        for _ in range(2):
            with pytest.raises(VideoError, match="unplugged"):
                next(latest)


def test_closing_lets_go_of_the_camera_in_the_thread_that_reads_it() -> None:
    let_go: list[threading.Thread] = []

    def endless() -> Iterator[VideoFrame]:
        try:
            number = 0
            while True:
                number += 1
                yield from frames_at(number)
        finally:
            let_go.append(threading.current_thread())

    with LatestFrames(endless()) as latest:
        next(latest)
    assert let_go
    assert let_go[0] is not threading.main_thread()


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
