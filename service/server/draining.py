"""The server's shutdown, as what waits for clients sees it."""

import asyncio
from collections.abc import Callable
from types import TracebackType
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

    def limit(self, grace: float = 0.0) -> "WaitLimit":
        """A block (async with) that waits for a client, at most until `grace` seconds after the shutdown has begun.

        Raises RequestError UNAVAILABLE where that ends it.
        """
        return WaitLimit(self._limits, grace, self.is_set())


class WaitLimit:
    """What Draining.limit returns. A class, since a generator would cost every call more."""

    def __init__(self, limits: dict[asyncio.Timeout, float], grace: float, draining: bool) -> None:
        """limits: those that the shutdown will set, with their grace. draining: whether it has begun."""
        self._limits, self._grace, self._draining = limits, grace, draining
        self._timeout = asyncio.timeout(grace if draining else None)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        if not self._draining:
            self._limits[self._timeout] = self._grace

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limits.pop(self._timeout, None)
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise shutting_down() from None
        if isinstance(error, TimeoutError) and self._timeout.expired():
            raise shutting_down() from None


def shutting_down() -> RequestError:
    """The error of a request that this server does not serve any more."""
    return RequestError(UNAVAILABLE, "The server is shutting down. Send the request again, to another.", retry_after=1)
