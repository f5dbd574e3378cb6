"""A budget of memory for what clients send: the bytes of bodies and frames that come in, or wait for a worker."""

import math
import weakref
from threading import RLock
from typing import Final

from service.errors import OVERLOADED, RequestError
from service.settings import Settings

RAW_PIXEL_BYTES: Final = 4  # of the widest formats, RGBA and BGRA
ENVELOPED: Final = 2  # bytes of a body for a byte of its picture, at most: base64 takes 4/3, and names are around it


def largest_raw(settings: Settings) -> int:
    """Bytes of the largest raw picture."""
    return math.ceil(settings.max_raw_megapixels * 1e6) * RAW_PIXEL_BYTES


def budget_of(settings: Settings) -> int:
    """Bytes that may be held at once: at least one of the largest pictures, which could never come in otherwise."""
    return max(settings.max_waiting_bytes, ENVELOPED * max(settings.max_bytes, largest_raw(settings)))


class HeldBytes:
    """Counts the bytes that are held. free: how many more fit; negative until a body that did not fit is refused."""

    def __init__(self, most: int) -> None:
        """most: bytes that may be held at once."""
        self.free = most
        self._most = most
        # What a worker holds is let go of in the worker's thread; and the garbage collector may let go of something in
        # a thread that has just taken the lock.
        self._lock = RLock()

    def take(self, size: int) -> None:
        """Counts bytes, whether they fit or not."""
        with self._lock:
            self.free -= size

    def release(self, size: int) -> None:
        """Counts them no more."""
        with self._lock:
            self.free += size

    def keep(self, holder: object, size: int) -> None:
        """Counts the bytes of an object until nothing refers to it any more: a job may outlive its request."""
        self.take(size)
        weakref.finalize(holder, self.release, size).atexit = False

    def full(self) -> RequestError:
        """The error of a body or a frame that does not fit."""
        return RequestError(
            OVERLOADED,
            "There is no room for it beside the pictures that come in or wait: they may have "
            f"{self._most} bytes together (MFN_MAX_WAITING_BYTES). Send it again, a little later.",
            retry_after=1,
        )
