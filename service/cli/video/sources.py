"""Videos, streams and cameras, as OpenCV reads them: recordings, of which every frame counts, and live sources."""

import math
import re
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from service.cli.video.frames import Frames, VideoError, VideoFrame, in_thread
from service.cli.video.opencv import load
from service.vision.arrays import Pixels

DEFAULT_RATE: Final = 30.0  # frames per second, where a video or a camera does not tell its rate
MAX_RATE: Final = 1000.0  # frames per second; a higher value is not a rate
LAST_CAMERA: Final = 99  # from 100 on, OpenCV's numbers also name a driver
WEB_SCHEMES: Final = {"http", "https"}
LIVE_SCHEMES: Final = {"rtsp", "rtsps", "rtmp", "rtmps", "rtmpt", "rtp", "srtp", "udp", "srt", "tcp", "mms", "mmsh"}
TIMEOUT_SECONDS: Final = 10.0  # for a stream to open, and for its next frame
FIRST_PAUSE: Final = 0.5  # seconds before a live source is opened again; each pause is twice the last one
MAX_PAUSE: Final = 10.0  # seconds
# A recording breaks off where more than a tenth of it is missing, and more than a second: of some files the number of
# frames is an estimate, and sound may go on for longer than the picture.
WHOLE: Final = 0.9
CREDENTIALS: Final = re.compile(r"//[^/@]*@")


def open_frames(source: str, live: bool | None = None) -> Frames:
    """Opens a camera, by its number or device, or a video by its file or address. Raises VideoError.

    live: whether it is live; None where that is to be found out. Cameras are, and streams by their scheme; what comes
    over HTTP is live where it has no length.
    """
    cv2 = load()
    if source.isdecimal():
        number = int(source)
        if number > LAST_CAMERA:
            raise VideoError(f"There is no camera {number}: they are numbered from 0 to {LAST_CAMERA}.")
        capture = cv2.VideoCapture(number)  # not in a thread: macOS asks for its user's permission only in the main one
        if not capture.isOpened():
            raise VideoError(
                f"Camera {number} cannot be opened: it is not there, or another program has it. The first one is 0."
            )
        return LiveSource(cv2, f"Camera {number}", capture, partial(cv2.VideoCapture, number))
    name = CREDENTIALS.sub("//***@", source)
    open_again = partial(_opened, cv2, source)
    capture = in_thread(open_again)
    if not capture.isOpened():
        raise VideoError(_cannot_open(name))
    if live is None:
        live = _is_live(source) or (_scheme(source) in WEB_SCHEMES and not _announced(cv2, capture))
        if live and _scheme(source) in WEB_SCHEMES:
            tell(f"{name} has no length, so its latest frames are watched; --recording watches every frame.")
    return LiveSource(cv2, name, capture, open_again) if live else Recording(cv2, name, capture)


def _scheme(source: str) -> str:
    scheme, colon, _ = source.partition("://")
    return scheme.lower() if colon else ""


def _is_live(source: str) -> bool:
    """Whether its name tells that a source is live, as /dev/video0 and rtsp://camera."""
    if _scheme(source):
        return _scheme(source) in LIVE_SCHEMES
    try:
        return stat.S_ISCHR(Path(source).stat().st_mode)
    except OSError:  # OpenCV may know more than files, such as numbered pictures
        return False


def tell(sentence: str) -> None:
    """Tells the user something on stderr."""
    print(f"mfn: {sentence}", file=sys.stderr, flush=True)


class Recording:
    """A video with an end; each frame at its own time."""

    live = False

    def __init__(self, cv2: Any, name: str, capture: Any) -> None:
        """name: for messages. capture: open."""
        self.rate = _rate(capture.get(cv2.CAP_PROP_FPS))
        self.missing = 0
        self._cv2, self._name = cv2, name
        self._source = _Capture(cv2, capture)

    def __iter__(self) -> Iterator[VideoFrame]:
        capture, announced = self._source.capture, _announced(self._cv2, self._source.capture)
        count, last = 0, -math.inf
        with self._source:
            while (bgr := self._source.read()) is not None:
                count += 1
                timestamp = capture.get(self._cv2.CAP_PROP_POS_MSEC) / 1e3
                if not last < timestamp < math.inf:  # as in files without timestamps
                    timestamp = max(last, 0.0) + 1 / self.rate
                last = timestamp
                yield VideoFrame(self._cv2.cvtColor(bgr, self._cv2.COLOR_BGR2RGB), timestamp)
            if self._source.closed.is_set():
                return
        if not count:
            raise VideoError(f"{self._name}: not one frame can be read. Give a video that plays elsewhere.")
        self.missing = max(0, announced - count)
        length = announced / self.rate
        if count < WHOLE * announced and last < min(WHOLE * length, length - 1):
            raise VideoError(
                f"{self._name} breaks off after {count} of {announced} frames: the rest is missing or cannot be "
                "decoded. Give the whole file."
            )

    def close(self) -> None:
        """See Frames."""
        self._source.close()


class LiveSource:
    """A camera or a stream, watched until the user ends it; timestamps are when frames came, from the first on.

    Where it breaks off, it is opened again, after pauses that grow; its user is told once, and again when it is back.
    """

    live = True
    missing = 0

    def __init__(self, cv2: Any, name: str, capture: Any, reopen: Callable[[], Any]) -> None:
        """name: for messages. capture: open. reopen: opens another one, which may fail."""
        self.rate = _rate(capture.get(cv2.CAP_PROP_FPS))
        self._cv2, self._name, self._reopen = cv2, name, reopen
        self._source = _Capture(cv2, capture)

    def __iter__(self) -> Iterator[VideoFrame]:
        start, last = None, -math.inf
        lost_at: float | None = None
        pause = FIRST_PAUSE
        with self._source:
            while not self._source.closed.is_set():
                opened_at = time.monotonic()
                while (bgr := self._source.read()) is not None:
                    now = time.monotonic()
                    if lost_at is not None:
                        tell(f"{self._name} is back after {now - lost_at:.0f} s.")
                        lost_at = None
                    start = now if start is None else start
                    last = max(now - start, math.nextafter(last, math.inf))
                    yield VideoFrame(self._cv2.cvtColor(bgr, self._cv2.COLOR_BGR2RGB), last)
                if self._source.closed.is_set():
                    return
                if start is None:
                    raise VideoError(f"{self._name}: not one frame can be read. Does another program watch it?")
                if lost_at is None:
                    lost_at = time.monotonic()
                    tell(f"{self._name} gives no more frames; it is opened again until it is back. Ctrl-C ends.")
                    if lost_at - opened_at > MAX_PAUSE:  # not of a source that breaks off again and again
                        pause = FIRST_PAUSE
                self._source.replace(self._reopen, pause)
                pause = min(2 * pause, MAX_PAUSE)

    def close(self) -> None:
        """See Frames."""
        self._source.close()


class _Capture:
    """An OpenCV capture, released by the thread that reads it, since that may be waiting for a frame.

    closed: set where it is to be released. Entered by the thread that reads it.
    """

    def __init__(self, cv2: Any, capture: Any) -> None:
        self.capture = capture
        self._error = cv2.error
        self.closed = threading.Event()
        self._read_elsewhere = False

    def __enter__(self) -> None:
        self._read_elsewhere = True

    def __exit__(self, *_: object) -> None:
        self.capture.release()

    def read(self) -> Pixels | None:
        """The next frame (h, w, 3) uint8 BGR; None where there is none, and once it is closed."""
        if self.closed.is_set():
            return None
        try:
            success, bgr = self.capture.read()
        except self._error:  # as of a lack of memory
            return None
        return bgr if success else None

    def replace(self, reopen: Callable[[], Any], pause: float) -> None:
        """Releases the capture and opens another one after `pause` seconds, unless it is closed in the meantime."""
        self.capture.release()
        if not self.closed.wait(pause):
            self.capture = reopen()

    def close(self) -> None:
        self.closed.set()
        if not self._read_elsewhere:
            self.capture.release()


def _opened(cv2: Any, source: str) -> Any:
    """A capture of a file or an address, which may not be open."""
    if not _scheme(source):
        return cv2.VideoCapture(source)
    milliseconds = round(TIMEOUT_SECONDS * 1e3)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds]
    # FFmpeg's decoders hold back a frame for each of their threads, by default one a core.
    return cv2.VideoCapture(source, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_N_THREADS, 1])


def _announced(cv2: Any, capture: Any) -> int:
    """The number of frames that a video announces, which may be an estimate; 0 where it has no length."""
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(count) if 0 < count < math.inf else 0


def _cannot_open(name: str) -> str:
    if _scheme(name):
        return (
            f"{name} cannot be opened: nothing answers there within {TIMEOUT_SECONDS:g} s, or it is no video that "
            "OpenCV can read. Try the address in a player such as VLC."
        )
    try:
        Path(name).stat()
        reason = "it is no video that OpenCV can read"
    except OSError as error:
        reason = error.strerror or str(error)
    return f"{name}: {reason}. Give a video file, or the number of a camera, the first of which is 0."


def _rate(reported: float) -> float:
    return reported if 1 <= reported <= MAX_RATE else DEFAULT_RATE
