"""Writing videos and windows: against OpenCV itself where it is installed, and against one that misbehaves."""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.cli.video import opencv
from service.cli.video.frames import VideoError
from service.cli.video.loop import Command
from service.cli.video.opencv import VideoFile, Window, load
from service.cli.video.sources import open_frames
from tests.service.cli.video.videos import BLUE, GREEN, RED, colours_in, plain, write


@pytest.fixture
def real() -> Any:
    return pytest.importorskip("cv2")


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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a display is always there")
def test_a_window_needs_a_display(real: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(VideoError, match=r"no display.*--out"):
        Window()


def test_without_opencv_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    for use in (load, lambda: open_frames("clip.mp4"), lambda: open_frames("0"), Window):
        with pytest.raises(VideoError, match=f"{re.escape(sys.executable)} -m pip install opencv-python$"):
            use()


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
