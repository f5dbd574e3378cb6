"""OpenCV, loaded on first use: writing videos, windows. service.cli.video.sources reads them with it."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from service.cli.packages import pip_install
from service.cli.video.frames import VideoError
from service.cli.video.loop import Command
from service.vision.arrays import Pixels

# Codecs by the suffix of a file's name; every build of OpenCV can write these.
CODECS: Final = {".mp4": "mp4v", ".avi": "MJPG"}
MAX_STILL_SECONDS: Final = 5.0  # longest time for which a written frame is repeated until the next one
SILENT: Final = 0  # OpenCV's log level
FFMPEG_QUIET: Final = "-8"  # that of FFmpeg below it

TITLE: Final = "mfn watch"
KEYS: Final = {
    ord("q"): Command.QUIT,
    27: Command.QUIT,  # escape
    ord("n"): Command.TAKE_NEUTRAL,
    ord("r"): Command.RESET_NEUTRAL,
}


def load() -> Any:
    """Imports the module cv2. Raises VideoError where it is not installed."""
    try:
        cv2 = import_module("cv2")
    except ImportError as error:
        raise VideoError(
            f"This needs OpenCV, which cannot be loaded ({error}). Install it: {pip_install('opencv-python')}"
        ) from error
    # Our own errors tell what cannot be opened.
    cv2.utils.logging.setLogLevel(SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", FFMPEG_QUIET)
    return cv2


class VideoFile:
    """A video file that is written at a constant rate: each frame is repeated until the next one's time."""

    def __init__(self, path: Path, rate: float) -> None:
        """Raises VideoError where the file cannot be written."""
        self._cv2 = load()
        self._path = path
        self._rate = rate
        self._writer: Any = None
        self._size = (0, 0)
        self._start = 0.0
        self._written = 0
        try:
            path.open("ab").close()  # OpenCV would not tell why it fails
        except OSError as error:
            raise VideoError(f"{path}: {error.strerror or error}") from error

    def show(self, picture: Pixels, timestamp: float) -> None:
        """Writes a frame (h, w, 3) uint8 RGB. timestamp: seconds. Raises VideoError where the codec is missing."""
        bgr = self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2BGR)
        if self._writer is None:
            self._begin(bgr.shape[1], bgr.shape[0], timestamp)
        if bgr.shape[1::-1] != self._size:  # a video whose size changes; OpenCV would drop the frame
            bgr = self._cv2.resize(bgr, self._size)
        due = round((timestamp - self._start) * self._rate) + 1
        if due - self._written > MAX_STILL_SECONDS * self._rate:
            self._start += (due - self._written - 1) / self._rate
            due = self._written + 1
        for _ in range(due - self._written):
            self._writer.write(bgr)
        self._written = max(due, self._written)

    def _begin(self, width: int, height: int, timestamp: float) -> None:
        code = self._cv2.VideoWriter_fourcc(*CODECS[self._path.suffix.lower()])
        self._writer = self._cv2.VideoWriter(str(self._path), code, self._rate, (width, height))
        if not self._writer.isOpened():
            raise VideoError(f"{self._path}: this OpenCV cannot write it. Try another of {', '.join(CODECS)}.")
        self._size, self._start = (width, height), timestamp

    def close(self) -> None:
        """Finishes the file; removes it where nothing has been written."""
        if self._writer is not None:
            self._writer.release()
        elif self._path.stat().st_size == 0:
            self._path.unlink()


class Window:
    """A window that shows frames; its keys are commands."""

    def __init__(self) -> None:
        """Raises VideoError where no window can be opened."""
        self._cv2 = load()
        # Without a display, OpenCV's toolkit would end the process.
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise VideoError("There is no display to open a window on. Use --out FILE instead of --window.")
        try:
            self._cv2.namedWindow(TITLE, self._cv2.WINDOW_NORMAL | self._cv2.WINDOW_KEEPRATIO)
        except self._cv2.error as error:
            raise VideoError(
                "This OpenCV has no windows. Use --out FILE, or install opencv-python, not opencv-python-headless."
            ) from error
        self._sized = False

    def show(self, picture: Pixels, timestamp: float) -> Command | None:  # noqa: ARG002  files need it
        """Shows a frame (h, w, 3) uint8 RGB. Returns the user's command, if there is one."""
        if not self._sized:
            self._cv2.resizeWindow(TITLE, picture.shape[1], picture.shape[0])
            self._sized = True
        self._cv2.imshow(TITLE, self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2BGR))
        return self.command()

    def command(self) -> Command | None:
        """The command of the last key, QUIT where the window was closed. Without asking for it the window hangs."""
        command = KEYS.get(self._cv2.waitKey(1) & 0xFF)  # higher bits tell of lock keys
        closed = self._cv2.getWindowProperty(TITLE, self._cv2.WND_PROP_VISIBLE) < 1
        return Command.QUIT if closed else command

    def close(self) -> None:
        """Closes the window."""
        self._cv2.destroyAllWindows()
