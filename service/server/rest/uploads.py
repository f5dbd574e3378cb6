"""Bodies that are being received: each has to come at a least rate, and all share a budget of memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from service.errors import OVERLOADED, REQUEST_TIMEOUT, RequestError
from service.settings import Settings


class Uploads:
    """The bodies that are being received at once.

    Where their budget is used up, the oldest of them is ended for the others if it has taken longer than a request's
    deadline: clients on slow lines take their time as long as there is room.
    """

    def __init__(self, settings: Settings, budget: int) -> None:
        """budget: bytes of all bodies together."""
        self._settings = settings
        self._free = budget
        self._open: dict[Upload, None] = {}  # in the order in which they began

    @contextlib.asynccontextmanager
    async def receive(self) -> AsyncIterator["Upload"]:
        """A block in which a body is received; at its end its bytes are no longer counted.

        Raises RequestError: REQUEST_TIMEOUT where the body comes too slowly, OVERLOADED where it is ended for others.
        """
        upload = Upload(self, self._settings)
        self._open[upload] = None
        try:
            async with upload.limit:
                yield upload
        except TimeoutError as error:
            raise upload.problem() from error
        finally:
            del self._open[upload]
            self._free += upload.size

    def take(self, size: int) -> None:
        """Takes bytes of the budget. Raises RequestError OVERLOADED where it is used up and no body is old."""
        self._free -= size
        if self._free < 0:
            oldest = next(iter(self._open))
            if oldest.age() < self._settings.deadline_seconds:
                raise _no_room()
            oldest.end_for_others()


class Upload:
    """One body. size: bytes that have come. limit: the timeout of the block in which it is received."""

    def __init__(self, uploads: Uploads, settings: Settings) -> None:
        self._uploads = uploads
        self._grace = settings.upload_grace_seconds
        self._portion = settings.min_upload_rate * self._grace  # bytes that have to come within the grace time
        self._next = self._portion  # size at which the next grace time begins
        self._loop = asyncio.get_running_loop()
        self._begin = self._loop.time()
        self._unwanted = False
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

    def problem(self) -> RequestError:
        """Why it was ended."""
        if self._unwanted:
            return _no_room()
        portion = f"fewer than {round(self._portion)} bytes" if self._portion else "no bytes at all"
        return RequestError(
            REQUEST_TIMEOUT,
            f"The body came too slowly: in {self._grace:g} s {portion}, the least allowed (MFN_MIN_UPLOAD_RATE). "
            "Send a smaller picture, or over a faster line.",
        )


def _no_room() -> RequestError:
    return RequestError(OVERLOADED, "Too many uploads at once. Send it again, a little later.", 1)
