"""All that needs OpenCV: reading videos and cameras, writing videos, windows. It is loaded when first used."""

import math
import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from service.cli.video.frames import Frames, VideoError, VideoFrame
from service.cli.video.loop import Wish
from service.vision.arrays import Pixels

# What an ending stands for: codecs that every build of OpenCV can write.
CODECS: Final = {".mp4": "mp4v", ".avi": "MJPG"}
USUAL_RATE: Final = 30.0  # frames a second, where a video or a camera does not tell
HIGHEST_RATE: Final = 1000.0  # one that says more means something else
LAST_CAMERA: Final = 99  # from 100 on, the number names a driver, too
LONGEST_STILL: Final = 5.0  # seconds that a written frame stays at most until the next one
SILENT: Final = 0  # OpenCV's log level
FFMPEG_QUIET: Final = "-8"  # that of FFmpeg below it

TITLE: Final = "mfn watch"
KEYS: Final = {
    ord("q"): Wish.QUIT,
    27: Wish.QUIT,  # escape
    ord("n"): Wish.TAKE_NEUTRAL,
    ord("r"): Wish.RESET_NEUTRAL,
}


def load() -> Any:
    """The module cv2. Raises VideoError where it is not installed."""
    try:
        cv2 = import_module("cv2")
    except ImportError as error:
        raise VideoError(
            f"`mfn watch` needs OpenCV, which cannot be loaded ({error}). Install it: pip install 'mfn-retarget[watch]'"
        ) from error
    # what cannot be opened, we say ourselves
    cv2.utils.logging.setLogLevel(SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", FFMPEG_QUIET)
    return cv2


def open_frames(source: str) -> Frames:
    """A camera where the source is a number, otherwise a video file or address. Raises VideoError."""
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
            if not last < timestamp < math.inf:  # as in files that have none
                timestamp = max(last, 0.0) + 1 / self.rate
            last = timestamp
            yield VideoFrame(self._cv2.cvtColor(bgr, self._cv2.COLOR_BGR2RGB), timestamp)
        if last == -math.inf:
            raise VideoError(f"{self._source}: not one frame can be read. Give a video that plays elsewhere.")

    def close(self) -> None:
        self._capture.release()


class Camera:
    """A camera by its number; each frame at the time it came, from the first on."""

    live = True

    def __init__(self, number: int) -> None:
        """Raises VideoError where there is none, or it is taken."""
        self._cv2 = load()
        if number > LAST_CAMERA:
            raise VideoError(f"There is no camera {number}: they are numbered from 0 to {LAST_CAMERA}.")
        self._number = number
        self._read_elsewhere = False
        self._capture = self._cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise VideoError(
                f"Camera {number} cannot be opened: it is not there, or another program has it. The first one is 0."
            )
        self.rate = _rate(self._capture.get(self._cv2.CAP_PROP_FPS))

    def __iter__(self) -> Iterator[VideoFrame]:
        self._read_elsewhere = True
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
        if not self._read_elsewhere:  # otherwise a thread that waits for a frame would have the camera taken from it
            self._capture.release()


class VideoFile:
    """Frames into a file, at a constant rate: one stays until the next one's time, and gives way to it."""

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
            path.open("ab").close()  # OpenCV would not say why it cannot
        except OSError as error:
            raise VideoError(f"{path}: {error.strerror or error}") from error

    def show(self, picture: Pixels, timestamp: float) -> None:
        """picture: (h, w, 3) uint8 RGB. Raises VideoError."""
        bgr = self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2BGR)
        if self._writer is None:
            self._begin(bgr.shape[1], bgr.shape[0], timestamp)
        if bgr.shape[1::-1] != self._size:  # a video whose size changes; OpenCV would leave the frame out
            bgr = self._cv2.resize(bgr, self._size)
        due = round((timestamp - self._start) * self._rate) + 1
        if due - self._written > LONGEST_STILL * self._rate:
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
        if self._writer is not None:
            self._writer.release()
        elif self._path.stat().st_size == 0:
            self._path.unlink()


class Window:
    """Shows frames; its keys say what is wanted."""

    def __init__(self) -> None:
        """Raises VideoError where no window can be opened."""
        self._cv2 = load()
        # without a display, OpenCV's toolkit would end the process
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise VideoError("There is no display to open a window on. Use --out FILE instead of --window.")
        try:
            self._cv2.namedWindow(TITLE, self._cv2.WINDOW_NORMAL | self._cv2.WINDOW_KEEPRATIO)
        except self._cv2.error as error:
            raise VideoError(
                "This OpenCV has no windows. Use --out FILE, or install opencv-python, not opencv-python-headless."
            ) from error
        self._sized = False

    def show(self, picture: Pixels, timestamp: float) -> Wish | None:  # noqa: ARG002  files need it
        """picture: (h, w, 3) uint8 RGB."""
        if not self._sized:
            self._cv2.resizeWindow(TITLE, picture.shape[1], picture.shape[0])
            self._sized = True
        self._cv2.imshow(TITLE, self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2BGR))
        wish = KEYS.get(self._cv2.waitKey(1) & 0xFF)  # lock keys show in the higher bits
        closed = self._cv2.getWindowProperty(TITLE, self._cv2.WND_PROP_VISIBLE) < 1
        return Wish.QUIT if closed else wish

    def close(self) -> None:
        self._cv2.destroyAllWindows()


def _read(capture: Any) -> Pixels | None:
    seen, bgr = capture.read()
    return bgr if seen else None


def _rate(told: float) -> float:
    return told if 1 <= told <= HIGHEST_RATE else USUAL_RATE
