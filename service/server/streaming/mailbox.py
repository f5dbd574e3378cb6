"""A mailbox, that is, a queue of length one: frames never pile up where the server is slower than the client."""

import asyncio
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class DropPolicy(Enum):
    """What happens to a frame that comes while another one waits.

    LATEST: it replaces the waiting one (a conflating queue). NONE: its sender is slowed down until the waiting one is
    processed (backpressure).
    """

    LATEST = "latest"
    NONE = "none"


class Mailbox(Generic[T]):
    """A queue of length one between two tasks of one event loop. dropped: number of items that were replaced."""

    def __init__(self, policy: DropPolicy) -> None:
        self.policy = policy
        self.dropped = 0
        self._waiting: list[T] = []
        self._closed = False
        self._waiters: list[asyncio.Future[None]] = []  # who waits for a change

    async def put(self, item: T) -> bool:
        """Puts an item, at once or when the mailbox is empty, by its policy. Returns False where it is closed."""
        while self.policy is DropPolicy.NONE and self._waiting and not self._closed:
            await self._change()
        if self._closed:
            return False
        self.dropped += len(self._waiting)
        self._waiting = [item]
        self._wake()
        return True

    async def get(self) -> T | None:
        """Takes the waiting item, or waits for the next; None once the mailbox is closed and empty."""
        while not (self._waiting or self._closed):
            await self._change()
        item = self._waiting.pop() if self._waiting else None
        self._wake()
        return item

    def empty(self) -> int:
        """Drops the waiting item, which nobody will take. Returns how many there were: 0 or 1."""
        waiting, self._waiting = self._waiting, []
        return len(waiting)

    async def close(self) -> None:
        """Closes the mailbox for new items; a waiting one can still be taken."""
        self._closed = True
        self._wake()

    async def _change(self) -> None:
        """Waits for the next change. The loop's tasks take turns, so none needs a lock, as asyncio.Condition has."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
