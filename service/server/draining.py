"""The server's shutdown, as what waits for clients sees it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from service.errors import UNAVAILABLE, RequestError

# For a client's first message to come once the server shuts down: it may be on its way. Of gRPC's nobody knows how much
# has come before all of it has.
LAST_MESSAGE_SECONDS: Final = 0.2


class Draining:
    """Set once the server shuts down: what is in work is finished, and nobody waits for a client any more."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._limits: dict[asyncio.Timeout, float] = {}
        self._calls: list[Callable[[], None]] = []

    def is_set(self) -> bool:
        """Whether the server shuts down."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Waits until the server shuts down."""
        await self._event.wait()

    def when_set(self, call: Callable[[], None]) -> None:
        """Calls something once the shutdown begins."""
        self._calls.append(call)

    def set(self) -> None:
        """Begins the shutdown."""
        self._event.set()
        for call in self._calls:
            call()
        for limit, grace in self._limits.items():
            limit.reschedule(asyncio.get_running_loop().time() + grace)
        self._limits.clear()

    @contextlib.asynccontextmanager
    async def limit(self, grace: float = 0.0) -> AsyncIterator[None]:
        """A block that waits for a client, at most until `grace` seconds after the shutdown has begun.

        Raises RequestError UNAVAILABLE where that ends it.
        """
        limit = asyncio.timeout(grace if self.is_set() else None)
        try:
            async with limit:
                if not self.is_set():
                    self._limits[limit] = grace
                try:
                    yield
                finally:
                    self._limits.pop(limit, None)
        except TimeoutError:
            if limit.expired():
                raise shutting_down() from None
            raise


def shutting_down() -> RequestError:
    """The error of a request that this server does not serve any more."""
    return RequestError(UNAVAILABLE, "The server is shutting down. Send the request again, to another.", retry_after=1)
