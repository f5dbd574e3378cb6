"""Recordings and live sources: against OpenCV itself where it is installed, and against one that misbehaves."""

import queue
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from service.cli.video import sources
from service.cli.video.frames import TICK_SECONDS, FrameReader, VideoError, VideoFrame
from service.cli.video.sources import LiveSource, Recording, open_frames
from tests.service.cli.video.streams import NetworkCamera, number_in
from tests.service.cli.video.videos import BLUE, GREEN, RED, plain, write

PATIENCE = 20  # seconds; nothing here takes more than an instant


@pytest.fixture
def real() -> Any:
    return pytest.importorskip("cv2")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> "queue.Queue[str]":
    """What the user is told."""
    sentences: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(sources, "tell", sentences.put)
    return sentences


@pytest.fixture
def camera(real: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[NetworkCamera]:  # noqa: ARG001
    """A camera over HTTP; pauses are short."""
    monkeypatch.setattr(sources, "FIRST_PAUSE", 0.01)
    write(tmp_path / "clip.mp4", 25, *((RED, i / 25) for i in range(30)))
    camera = NetworkCamera((tmp_path / "clip.mp4").read_bytes())
    yield camera
    camera.stop()


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("name", ["a.mp4", "a.AVI"])
def test_what_is_written_can_be_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    write(path, 25, (RED, 7.0), (GREEN, 7.04), (BLUE, 7.08))
    recording = open_frames(str(path))
    assert (recording.rate, recording.live) == (25, False)
    frames = list(recording)
    recording.close()
    assert [frame.timestamp for frame in frames] == pytest.approx([0, 0.04, 0.08])
    assert recording.missing == 0
    for frame, colour in zip(frames, (RED, GREEN, BLUE), strict=True):
        np.testing.assert_allclose(frame.pixels, plain(colour), atol=12)


@pytest.mark.usefixtures("real")
def test_what_is_no_video(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    with pytest.raises(VideoError, match=r"notes\.mp4: it is no video that OpenCV can read"):
        open_frames(str(text))
    with pytest.raises(VideoError, match="No such file or directory"):
        open_frames(str(tmp_path / "missing.mp4"))
    with pytest.raises(VideoError, match="it is no video"):
        open_frames(str(tmp_path))
    with pytest.raises(VideoError, match="Camera 97 cannot be opened"):
        open_frames("97")
    with pytest.raises(VideoError, match=r"no camera 99999999999: .* from 0 to 99"):
        open_frames("99999999999")


@pytest.mark.usefixtures("real")
def test_a_file_that_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "cut.avi"
    write(path, 25, *((RED, i / 25) for i in range(100)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    recording = open_frames(str(path))
    read: list[VideoFrame] = []
    with pytest.raises(VideoError, match=r"cut\.avi breaks off after \d+ of \d+ frames"):
        read.extend(recording)
    assert 20 < len(read) < 80


class Stored:
    """A live source of which a test may await the frames that its reader has stored."""

    def __init__(self, inner: LiveSource) -> None:
        self.live, self.rate, self.missing = inner.live, inner.rate, inner.missing
        self.close = inner.close
        self._inner = inner
        self._changed = threading.Condition()
        self._number = -1

    def __iter__(self) -> Iterator[VideoFrame]:
        for frame in self._inner:
            yield frame
            with self._changed:
                self._number = number_in(frame.pixels)
                self._changed.notify_all()

    def wait_for(self, condition: Callable[[int], bool]) -> int:
        """Waits for a number of the last frame."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self._number), PATIENCE)
            return self._number


def given(reader: FrameReader) -> VideoFrame:
    """The next frame, however long it takes, within reason."""
    ticks = islice(reader, round(PATIENCE / TICK_SECONDS))
    return next(frame for frame in ticks if frame is not None)


def test_a_slow_consumer_of_a_live_stream_lags_by_a_frame_only(camera: NetworkCamera, told: "queue.Queue[str]") -> None:
    source = open_frames(f"{camera.url}/camera")
    assert isinstance(source, LiveSource)
    assert "--recording" in told.get_nowait()
    stored = Stored(source)
    with FrameReader(stored) as reader:
        for _ in range(3):
            last = number_in(given(reader).pixels)
            newest = stored.wait_for(lambda number, last=last: number >= last + 20)  # type: ignore[misc]
            last = number_in(given(reader).pixels)
            assert last >= newest
        stored.wait_for(lambda number: number > last)
        camera.pause()
        stored.wait_for(lambda number: number == camera.sent)
        assert number_in(given(reader).pixels) == camera.sent
        assert next(reader) is None
        assert reader.dropped >= 3 * 19


def test_a_live_stream_that_breaks_off_is_opened_again(camera: NetworkCamera, told: "queue.Queue[str]") -> None:
    with FrameReader(open_frames(f"{camera.url}/camera", live=True)) as reader:
        before = given(reader)
        for _ in range(2):
            camera.stop()
            assert "/camera gives no more frames" in told.get(timeout=PATIENCE)
            assert next(frame for frame in reader if frame is None) is None
            camera.start()
            assert "/camera is back after" in told.get(timeout=PATIENCE)
            after = given(reader)
            assert after.timestamp > before.timestamp
            before = after
    assert told.empty()


def test_a_video_over_http_is_a_recording(camera: NetworkCamera, told: "queue.Queue[str]") -> None:
    recording = open_frames(f"{camera.url}/clip.mp4")
    assert isinstance(recording, Recording)
    assert len(list(recording)) == 30
    assert isinstance(open_frames(f"{camera.url}/clip.mp4", live=True), LiveSource)
    assert isinstance(open_frames(f"{camera.url}/camera", live=False), Recording)
    assert told.empty()


def test_a_stream_that_does_not_answer_is_given_up(camera: NetworkCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "TIMEOUT_SECONDS", 0.1)
    url = f"{camera.url}/nothing".replace("//", "//user:secret@")
    with pytest.raises(VideoError, match=r"//\*\*\*@127.*/nothing cannot be opened: nothing answers .* 0\.1 s"):
        open_frames(url)


class Capture:
    """A capture that has so many frames, tells these times, this rate and this number of frames, and may be closed."""

    def __init__(self, times_ms: list[float], rate: float = 30, announced: float = 0, opened: bool = True) -> None:
        self._times, self._rate, self._announced, self._opened = times_ms, rate, announced, opened
        self._taken = 0
        self.released = 0

    def isOpened(self) -> bool:  # noqa: N802  OpenCV's
        return self._opened

    def read(self) -> tuple[bool, np.ndarray | None]:
        if self._taken == len(self._times):
            return False, None
        self._taken += 1
        return True, plain(RED)

    def get(self, what: str) -> float:
        time = self._times[max(self._taken - 1, 0)] if self._times else 0
        return {"rate": self._rate, "time": time, "announced": self._announced}[what]

    def release(self) -> None:
        self.released += 1


CLOSED = Capture([], opened=False)


def opened(monkeypatch: pytest.MonkeyPatch, source: str, *captures: Capture, live: bool | None = None) -> Any:
    """What open_frames makes of a source that has these captures, one after another."""
    left = iter(captures)
    fake = SimpleNamespace(
        VideoCapture=lambda *_: next(left),
        CAP_PROP_FPS="rate",
        CAP_PROP_POS_MSEC="time",
        CAP_PROP_FRAME_COUNT="announced",
        CAP_PROP_OPEN_TIMEOUT_MSEC=0,
        CAP_PROP_READ_TIMEOUT_MSEC=0,
        CAP_PROP_N_THREADS=0,
        CAP_FFMPEG=0,
        COLOR_BGR2RGB=None,
        cvtColor=lambda picture, _: picture[..., ::-1],
        error=RuntimeError,
    )
    monkeypatch.setattr(sources, "load", lambda: fake)
    return open_frames(source, live)


@pytest.mark.parametrize(
    ("source", "announced", "live"),
    [
        ("0", 0, True),
        ("/dev/null", 0, True),  # a device, as /dev/video0 is
        ("rtsp://camera/1", 0, True),
        ("RTMP://camera/1", 99, True),
        ("udp://@:1234", 0, True),
        ("srt://camera:9", 0, True),
        ("http://camera/mjpeg", -9.2e18, True),
        ("https://host/live.m3u8", 0, True),
        ("https://host/live.m3u8", float("nan"), True),
        ("https://host/clip.mp4", 250, False),
        ("clip.mp4", 250, False),
        ("raw.h264", 0, False),  # such a file has no length
        ("file:///clip.mp4", 0, False),
    ],
)
@pytest.mark.usefixtures("told")
def test_what_is_live(source: str, announced: float, live: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(monkeypatch, source, Capture([0], announced=announced)).live is live
    if source != "0":
        for chosen in (True, False):
            assert opened(monkeypatch, source, Capture([0], announced=announced), live=chosen).live is chosen


@pytest.mark.parametrize("told", [0.0, -1.0, float("nan"), 90_000.0])
def test_a_rate_that_cannot_be_is_taken_for_the_usual_one(told: float, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(monkeypatch, "clip.mp4", Capture([0], told)).rate == 30
    assert opened(monkeypatch, "0", Capture([0], told)).rate == 30


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([0, 40, 80], [0, 0.04, 0.08]),
        ([0, 0, 0], [0, 0.1, 0.2]),  # a file that knows no times
        ([float("nan")] * 3, [0.1, 0.2, 0.3]),
        ([1000, float("inf"), 500], [1, 1.1, 1.2]),
        ([-40, 0, 40], [-0.04, 0, 0.04]),
    ],
)
def test_times_rise_whatever_a_file_tells(
    told: list[float], expected: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = opened(monkeypatch, "clip.mp4", Capture(told, 10))
    assert [frame.timestamp for frame in frames] == pytest.approx(expected)


def test_a_recording_without_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VideoError, match=r"clip\.mp4: not one frame"):
        list(opened(monkeypatch, "clip.mp4", Capture([])))


@pytest.mark.parametrize(
    ("times", "announced", "missing", "whole"),
    [
        (range(0, 10_000, 100), 100, 0, True),
        (range(0, 10_000, 100), 90, 0, True),  # an estimate
        (range(0, 10_000, 100), 102, 2, True),
        (range(0, 10_000, 200), 100, 50, True),  # every second frame could not be decoded, or the rate varies
        (range(0, 9_200, 100), 100, 8, True),  # its sound is longer
        (range(0, 5_000, 100), 100, 50, False),
        (range(0, 500, 100), 10, 5, True),  # half a second
    ],
)
def test_frames_that_are_missing(
    times: range, announced: int, missing: int, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = opened(monkeypatch, "clip.mp4", Capture(list(times), 10, announced))
    frames = iter(recording)
    for _ in times:
        next(frames)
    if whole:
        assert list(frames) == []
    else:
        with pytest.raises(VideoError, match=f"breaks off after {len(times)} of {announced} frames"):
            next(frames)
    assert recording.missing == missing


def test_pauses_grow_up_to_a_limit_and_the_user_is_told_once(
    told: "queue.Queue[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def replace(self: Any, reopen: Callable[[], Any], pause: float) -> None:
        pauses.append(pause)
        self.capture.release()
        self.capture = reopen()

    monkeypatch.setattr(sources._Capture, "replace", replace)
    first, last = Capture([0]), Capture([0])
    frames = iter(opened(monkeypatch, "0", first, *[CLOSED] * 7, last))
    assert next(frames).timestamp == 0
    assert next(frames).timestamp > 0
    assert pauses == [0.5, 1, 2, 4, 8, 10, 10, 10]
    assert first.released == 1
    assert [told.get_nowait(), told.get_nowait()] == [
        "Camera 0 gives no more frames; it is opened again until it is back. Ctrl-C ends.",
        "Camera 0 is back after 0 s.",
    ]
    assert told.empty()


def test_a_live_source_that_never_had_a_frame_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VideoError, match="Camera 0: not one frame can be read"):
        list(opened(monkeypatch, "0", Capture([])))


def test_times_of_a_live_source_rise_even_where_the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.cli.video.sources.time.monotonic", lambda: 5.0)
    frames = iter(opened(monkeypatch, "0", Capture([0] * 3)))
    first, second, third = next(frames).timestamp, next(frames).timestamp, next(frames).timestamp
    assert first == 0
    assert first < second < third < 1e-6


@pytest.mark.parametrize("source", ["0", "clip.mp4"])
def test_who_reads_a_source_releases_it(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unread, read = Capture([0] * 3), Capture([0] * 3)
    opened(monkeypatch, source, unread).close()
    assert unread.released == 1
    frames = opened(monkeypatch, source, read)
    iterator = iter(frames)
    next(iterator)
    frames.close()
    assert read.released == 0
    assert list(iterator) == []
    assert read.released == 1


def test_a_frame_that_opencv_cannot_hold_ends_a_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture([0])
    monkeypatch.setattr(capture, "read", lambda: (_ for _ in ()).throw(RuntimeError("Insufficient memory")))
    with pytest.raises(VideoError, match="not one frame"):
        list(opened(monkeypatch, "clip.mp4", capture))
