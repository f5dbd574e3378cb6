"""Videos, cameras and windows: against OpenCV itself where it is installed, and against one that misbehaves."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from service.cli.video import opencv
from service.cli.video.frames import VideoError
from service.cli.video.loop import Command
from service.cli.video.opencv import Camera, Recording, VideoFile, Window, load, open_frames

RED, GREEN, BLUE = (220, 20, 20), (20, 220, 20), (20, 20, 220)


def plain(colour: tuple[int, int, int], width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


@pytest.fixture
def real() -> Any:
    return pytest.importorskip("cv2")


def colours_in(path: Path) -> list[str]:
    """The strongest channel of each frame of a video."""
    with_frames = Recording(str(path))
    found = ["rgb"[int(frame.pixels.mean((0, 1)).argmax())] for frame in with_frames]
    with_frames.close()
    return found


def write(path: Path, rate: float, *frames: tuple[tuple[int, int, int], float]) -> None:
    file = VideoFile(path, rate)
    for colour, timestamp in frames:
        file.show(plain(colour), timestamp)
    file.close()


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
    for frame, colour in zip(frames, (RED, GREEN, BLUE), strict=True):
        np.testing.assert_allclose(frame.pixels, plain(colour), atol=12)


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((0, 0.1, 0.2), "rgb"),
        ((0, 0.3, 0.4), "rgggb"),  # a frame that comes late is there until its time, too
        ((0, 0.02, 0.1), "rb"),  # two in the time of one
        ((5, 5.1, 65), "rgb"),  # the clock was put forward
    ],
)
def test_a_written_video_keeps_time(times: tuple[float, ...], expected: str, tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    write(path, 10, *zip((RED, GREEN, BLUE), times, strict=True))
    assert "".join(colours_in(path)) == expected


@pytest.mark.usefixtures("real")
def test_a_frame_of_another_size_is_fitted(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    file = VideoFile(path, 10)
    file.show(plain(RED), 0)
    file.show(plain(BLUE, 100, 30), 0.1)
    file.close()
    assert colours_in(path) == ["r", "b"]


@pytest.mark.usefixtures("real")
def test_nothing_written_leaves_nothing_and_spoils_nothing(tmp_path: Path) -> None:
    VideoFile(tmp_path / "new.mp4", 10).close()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "old.mp4").write_bytes(b"something")
    VideoFile(tmp_path / "old.mp4", 10).close()
    assert (tmp_path / "old.mp4").read_bytes() == b"something"


@pytest.mark.usefixtures("real")
def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="No such file or directory"):
        VideoFile(tmp_path / "none" / "a.mp4", 10)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(VideoError, match="Is a directory"):
        VideoFile(tmp_path / "folder.mp4", 10)


@pytest.mark.usefixtures("real")
def test_what_is_no_video(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    with pytest.raises(VideoError, match=r"notes\.mp4: it is no video that OpenCV can read"):
        Recording(str(text))
    with pytest.raises(VideoError, match="No such file or directory"):
        Recording(str(tmp_path / "missing.mp4"))
    with pytest.raises(VideoError, match="Camera 97 cannot be opened"):
        open_frames("97")
    with pytest.raises(VideoError, match=r"no camera 99999999999: .* from 0 to 99"):
        open_frames("99999999999")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a display is always there")
def test_a_window_needs_a_display(real: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(VideoError, match=r"no display.*--out"):
        Window()


def test_without_opencv_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    for use in (load, lambda: open_frames("clip.mp4"), lambda: open_frames("0"), Window):
        with pytest.raises(VideoError, match=r"pip install 'mfn-retarget\[watch\]'"):
            use()


class Capture:
    """A capture that has so many frames, and tells these times and this rate."""

    def __init__(self, times_ms: list[float], rate: float) -> None:
        self._times, self._rate = times_ms, rate
        self._taken = 0
        self.released = 0

    def isOpened(self) -> bool:  # noqa: N802  OpenCV's
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        if self._taken == len(self._times):
            return False, None
        self._taken += 1
        return True, plain(RED)

    def get(self, what: str) -> float:
        return {"rate": self._rate, "time": self._times[max(self._taken - 1, 0)] if self._times else 0}[what]

    def release(self) -> None:
        self.released += 1


def with_capture(monkeypatch: pytest.MonkeyPatch, capture: Capture) -> None:
    fake = SimpleNamespace(
        VideoCapture=lambda _: capture,
        CAP_PROP_FPS="rate",
        CAP_PROP_POS_MSEC="time",
        COLOR_BGR2RGB=None,
        cvtColor=lambda picture, _: picture[..., ::-1],
    )
    monkeypatch.setattr(opencv, "load", lambda: fake)


@pytest.mark.parametrize("told", [0.0, -1.0, float("nan"), 90_000.0])
def test_a_rate_that_cannot_be_is_taken_for_the_usual_one(told: float, monkeypatch: pytest.MonkeyPatch) -> None:
    with_capture(monkeypatch, Capture([0], told))
    assert Recording("clip.mp4").rate == 30


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
    with_capture(monkeypatch, Capture(told, 10))
    assert [frame.timestamp for frame in Recording("clip.mp4")] == pytest.approx(expected)


def test_a_recording_without_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    with_capture(monkeypatch, Capture([], 10))
    with pytest.raises(VideoError, match=r"clip\.mp4: not one frame"):
        list(Recording("clip.mp4"))


def test_a_camera_that_ends_was_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture([0] * 3, 30)
    with_capture(monkeypatch, capture)
    camera = open_frames("0")
    assert isinstance(camera, Camera)
    assert camera.live
    times: list[float] = []
    with pytest.raises(VideoError, match="Camera 0 gives no more frames"):
        times.extend(frame.timestamp for frame in camera)
    assert capture.released == 1
    camera.close()
    assert capture.released == 1


def test_times_of_a_camera_rise_even_where_its_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    with_capture(monkeypatch, Capture([0] * 3, 30))
    monkeypatch.setattr("service.cli.video.opencv.time.perf_counter", lambda: 5.0)
    frames = iter(Camera(0))
    first, second, third = next(frames).timestamp, next(frames).timestamp, next(frames).timestamp
    assert first == 0
    assert first < second < third < 1e-6


def test_a_camera_that_was_never_read_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture([0], 30)
    with_capture(monkeypatch, capture)
    Camera(0).close()
    assert capture.released == 1


class Screen:
    """OpenCV's windows, with someone at the keys."""

    WINDOW_NORMAL, WINDOW_KEEPRATIO, WND_PROP_VISIBLE, COLOR_RGB2BGR = 0, 0, 0, 0
    error = RuntimeError

    def __init__(self, key: int = -1, visible: float = 1.0) -> None:
        self._key, self._visible = key, visible
        self.shown: list[np.ndarray] = []

    def namedWindow(self, *_: object) -> None: ...  # noqa: N802

    def resizeWindow(self, *_: object) -> None: ...  # noqa: N802

    def destroyAllWindows(self) -> None: ...  # noqa: N802

    def cvtColor(self, picture: np.ndarray, _: int) -> np.ndarray:  # noqa: N802
        return picture[..., ::-1]

    def imshow(self, _: str, picture: np.ndarray) -> None:
        self.shown.append(picture)

    def waitKey(self, _: int) -> int:  # noqa: N802
        return self._key

    def getWindowProperty(self, *_: object) -> float:  # noqa: N802
        return self._visible


@pytest.mark.parametrize(
    ("screen", "command"),
    [
        (Screen(), None),
        (Screen(ord("q")), Command.QUIT),
        (Screen(27), Command.QUIT),
        (Screen(ord("n")), Command.TAKE_NEUTRAL),
        (Screen(ord("r")), Command.RESET_NEUTRAL),
        (Screen(0x100000 + ord("q")), Command.QUIT),  # with Num Lock
        (Screen(visible=0), Command.QUIT),  # closed by its frame
    ],
)
def test_keys_of_the_window(screen: Screen, command: Command | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(opencv, "load", lambda: screen)
    window = Window()
    assert window.show(plain(RED), 0.0) is command
    window.close()
    assert tuple(screen.shown[0][0, 0]) == RED[::-1]


def test_an_opencv_without_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise RuntimeError

    screen = Screen()
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(screen, "namedWindow", none)
    monkeypatch.setattr(opencv, "load", lambda: screen)
    with pytest.raises(VideoError, match=r"no windows.*--out"):
        Window()
