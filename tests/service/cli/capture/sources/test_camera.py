from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

import numpy as np
import pytest

from service.cli.capture.sources import camera, open_source
from service.cli.capture.sources.camera import Camera, is_camera, time_of_day
from service.cli.capture.sources.source import Position
from service.cli.capture.timecode import timecode_text
from service.cli.video.frames import VideoFrame


class Frames:
    """Three frames of a camera."""

    rate, live, missing = 29.97, True, 0
    closed = False

    def __iter__(self) -> Iterator[VideoFrame]:
        yield VideoFrame(np.full((48, 64, 3), 7, np.uint8), 0.0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> Frames:
    frames = Frames()
    monkeypatch.setattr(camera, "open_frames", lambda _, live: frames if live else None)
    return frames


@pytest.mark.parametrize("source", ["0", "12", "rtsp://host/path", "srt://host:9000", "/dev/null"])
def test_numbers_live_addresses_and_devices_are_cameras(source: str) -> None:
    assert is_camera(source)


@pytest.mark.parametrize("source", ["film.mp4", "http://host/film.mp4", "."])
def test_films_and_folders_are_none(source: str) -> None:
    assert not is_camera(source)


def test_frames_come_at_the_time_of_day(frames: Frames) -> None:
    source = open_source("0")
    assert isinstance(source, Camera)
    assert (source.live, source.expected, source.rates) == (True, None, (Fraction(30000, 1001),))
    before = datetime.now().timestamp()
    with source.frames(Position()) as shown:
        (frame,) = shown
    assert before <= frame.timestamp <= datetime.now().timestamp()
    picture = frame.load(1)
    assert (picture.width, picture.height, int(picture.pixels[0, 0, 0])) == (64, 48, 7)
    assert frames.closed


def test_a_timecode_is_frames_since_local_midnight() -> None:
    moment = datetime(2026, 1, 2, 1, 2, 3).astimezone().timestamp()
    assert time_of_day(moment + 0.5, Fraction(30)).first == (3600 + 120 + 3) * 30 + 15
    assert timecode_text(time_of_day(moment, Fraction(30000, 1001)), 0) == "01:02:03:00.000"
    assert timecode_text(time_of_day(moment, Fraction(24, 5)), 0) == "01:02:03:00.000"
