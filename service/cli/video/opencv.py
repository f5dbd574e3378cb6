"""Everything that needs OpenCV: reading videos and cameras, writing videos, windows. OpenCV is loaded on first use."""

import math
import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from service.cli.video.frames import Frames, VideoError, VideoFrame
from service.cli.video.loop import Command
from service.vision.arrays import Pixels

# Codecs by the suffix of a file's name; every build of OpenCV can write these.
CODECS: Final = {".mp4": "mp4v", ".avi": "MJPG"}
DEFAULT_RATE: Final = 30.0  # frames per second, where a video or a camera does not tell its rate
MAX_RATE: Final = 1000.0  # frames per second; a higher value is not a rate
LAST_CAMERA: Final = 99  # from 100 on, OpenCV's numbers also name a driver
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
            f"`mfn watch` needs OpenCV, which cannot be loaded ({error}). Install it: pip install 'mfn-retarget[watch]'"
        ) from error
    # Our own errors tell what cannot be opened.
    cv2.utils.logging.setLogLevel(SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", FFMPEG_QUIET)
    return cv2


def open_frames(source: str) -> Frames:
    """Opens a camera where the source is a number, otherwise a video file or address. Raises VideoError."""
    return Camera(int(source)) if source.isdecimal() else Recording(source)


class Recording:
    """A video file, or an address that OpenCV reads; each frame at its own time."""

    live = False

    def __init__(self, source: str) -> None:
        """Raises VideoError where it cannot be read."""
        self._cv2 = load()
        self._source = source
        self._capture = self._cv2.VideoCapture(source)
        if not self._capture.isOpened():
            missing = "://" not in source and not Path(source).exists()
            reason = "No such file or directory" if missing else "it is no video that OpenCV can read"
            raise VideoError(
                f"{source}: {reason}. Give a video file, or the number of a camera, the first of which is 0."
            )
        self.rate = _rate(self._capture.get(self._cv2.CAP_PROP_FPS))

    def __iter__(self) -> Iterator[VideoFrame]:
        last = -math.inf
        while (bgr := _read(self._capture)) is not None:
            timestamp = self._capture.get(self._cv2.CAP_PROP_POS_MSEC) / 1e3
            if not last < timestamp < math.inf:  # as in files without timestamps
                timestamp = max(last, 0.0) + 1 / self.rate
            last = timestamp
            yield VideoFrame(self._cv2.cvtColor(bgr, self._cv2.COLOR_BGR2RGB), timestamp)
        if last == -math.inf:
            raise VideoError(f"{self._source}: not one frame can be read. Give a video that plays elsewhere.")

    def close(self) -> None:
        """Closes the file."""
        self._capture.release()


class Camera:
    """A camera by its number; timestamps are when frames came, from the first on."""

    live = True

    def __init__(self, number: int) -> None:
        """Raises VideoError where there is no such camera, or another program uses it."""
        self._cv2 = load()
        if number > LAST_CAMERA:
            raise VideoError(f"There is no camera {number}: they are numbered from 0 to {LAST_CAMERA}.")
        self._number = number
        self._reading = False  # whether it is being read, in another thread
        self._capture = self._cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise VideoError(
                f"Camera {number} cannot be opened: it is not there, or another program has it. The first one is 0."
            )
        self.rate = _rate(self._capture.get(self._cv2.CAP_PROP_FPS))

    def __iter__(self) -> Iterator[VideoFrame]:
        self._reading = True
        start, last = None, -math.inf
        try:
            while (bgr := _read(self._capture)) is not None:
                now = time.perf_counter()
                start = now if start is None else start
                last = max(now - start, math.nextafter(last, math.inf))
                yield VideoFrame(self._cv2.cvtColor(bgr, self._cv2.COLOR_BGR2RGB), last)
        finally:
            self._capture.release()
        raise VideoError(f"Camera {self._number} gives no more frames. Was it unplugged?")

    def close(self) -> None:
        """Releases the camera, unless a thread reads it, which then releases it itself."""
        if not self._reading:  # that thread may be waiting for a frame
            self._capture.release()


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
        """Shows a frame (h, w, 3) uint8 RGB. Returns the command of the last key, QUIT where the window was closed."""
        if not self._sized:
            self._cv2.resizeWindow(TITLE, picture.shape[1], picture.shape[0])
            self._sized = True
        self._cv2.imshow(TITLE, self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2BGR))
        command = KEYS.get(self._cv2.waitKey(1) & 0xFF)  # higher bits tell of lock keys
        closed = self._cv2.getWindowProperty(TITLE, self._cv2.WND_PROP_VISIBLE) < 1
        return Command.QUIT if closed else command

    def close(self) -> None:
        """Closes the window."""
        self._cv2.destroyAllWindows()


def _read(capture: Any) -> Pixels | None:
    success, bgr = capture.read()
    return bgr if success else None


def _rate(reported: float) -> float:
    return reported if 1 <= reported <= MAX_RATE else DEFAULT_RATE
