"""Bodies that are being received: each has to come at a least rate, and all share a budget of memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from service.errors import REQUEST_TIMEOUT, RequestError
from service.server.draining import Draining, shutting_down
from service.server.held_bytes import HeldBytes
from service.settings import Settings

LAST_BYTES_SECONDS: Final = 1.0  # longest silence of a body's sender once the server shuts down


class Uploads:
    """The bodies that are being received at once.

    Where the budget is used up, the oldest of them is ended for the others if it has taken longer than a request's
    deadline: clients on slow lines take their time as long as there is room.
    """

    def __init__(self, settings: Settings, held: HeldBytes, draining: Draining) -> None:
        """held: counts the bytes of all that is held, and of these bodies while they are received."""
        self.held = held
        self._settings = settings
        self._open: dict[Upload, None] = {}  # in the order in which they began
        draining.when_set(self._hurry)

    @contextlib.asynccontextmanager
    async def receive(self, announced: int = 0) -> AsyncIterator["Upload"]:
        """A block in which a body is received; at its end its bytes are no longer counted.

        announced: the body's bytes, as far as they are known. Raises RequestError: OVERLOADED where there is no room
        for them, or where the body is ended for others, REQUEST_TIMEOUT where it comes too slowly, UNAVAILABLE where
        the server shuts down and no more comes.
        """
        if announced > self.held.free:
            self._make_room()
        upload = Upload(self, self._settings)
        self._open[upload] = None
        try:
            async with upload.limit:
                yield upload
        except TimeoutError as error:
            raise upload.problem() from error
        finally:
            del self._open[upload]
            self.held.release(upload.size)

    def take(self, size: int) -> None:
        """Takes bytes of the budget. Raises RequestError OVERLOADED where it is used up and no body is old."""
        self.held.take(size)
        if self.held.free < 0:
            self._make_room()

    def _make_room(self) -> None:
        oldest = next(iter(self._open), None)
        if oldest is None or oldest.age() < self._settings.deadline_seconds:
            raise self.held.full()
        oldest.end_for_others()

    def _hurry(self) -> None:
        for upload in self._open:
            upload.hurry()


class Upload:
    """One body. size: bytes that have come. limit: the timeout of the block in which it is received."""

    def __init__(self, uploads: Uploads, settings: Settings) -> None:
        self._uploads = uploads
        self._grace = settings.upload_grace_seconds
        self._portion = settings.min_upload_rate * self._grace  # bytes that have to come within the grace time
        self._next = self._portion  # size at which the next grace time begins
        self._loop = asyncio.get_running_loop()
        self._begin = self._loop.time()
        self._unwanted = self._hurried = False
        self.size = 0
        self.limit = asyncio.timeout_at(self._begin + self._grace)

    def add(self, size: int) -> None:
        """Counts bytes that have come. Raises RequestError OVERLOADED where there is no room for them."""
        self.size += size
        if self.size >= self._next and not self._unwanted:
            self._next = self.size + self._portion
            self.limit.reschedule(self._loop.time() + self._grace)
        self._uploads.take(size)

    def age(self) -> float:
        """Seconds since it began."""
        return self._loop.time() - self._begin

    def end_for_others(self) -> None:
        """Ends it, since the room that it takes is needed, unless it is being ended already."""
        if not self._unwanted and not self.limit.expired():
            self._unwanted = True
            self.limit.reschedule(self._loop.time())

    def hurry(self) -> None:
        """Ends it once nothing more has come for LAST_BYTES_SECONDS, unless it is being ended already."""
        if not self._unwanted and not self.limit.expired():
            self._hurried = True
            self._grace, self._portion = min(self._grace, LAST_BYTES_SECONDS), 1
            self._next = self.size + self._portion
            self.limit.reschedule(self._loop.time() + self._grace)

    def problem(self) -> RequestError:
        """Why it was ended."""
        if self._unwanted:
            return self._uploads.held.full()
        if self._hurried:
            return shutting_down()
        portion = f"fewer than {round(self._portion)} bytes" if self._portion else "no bytes at all"
        return RequestError(
            REQUEST_TIMEOUT,
            f"The body came too slowly: in {self._grace:g} s {portion}, the least allowed (MFN_MIN_UPLOAD_RATE). "
            "Send a smaller picture, or over a faster line.",
        )
