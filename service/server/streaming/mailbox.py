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
        self._changed = asyncio.Condition()

    async def put(self, item: T) -> bool:
        """Puts an item, at once or when the mailbox is empty, by its policy. Returns False where it is closed."""
        async with self._changed:
            if self.policy is DropPolicy.NONE:
                await self._changed.wait_for(lambda: not self._waiting or self._closed)
            if self._closed:
                return False
            self.dropped += len(self._waiting)
            self._waiting = [item]
            self._changed.notify_all()
            return True

    async def get(self) -> T | None:
        """Takes the waiting item, or waits for the next; None once the mailbox is closed and empty."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting or self._closed)
            item = self._waiting.pop() if self._waiting else None
            self._changed.notify_all()
            return item

    @property
    def waiting(self) -> int:
        """Number of waiting items: 0 or 1."""
        return len(self._waiting)

    async def close(self) -> None:
        """Closes the mailbox for new items; a waiting one can still be taken."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
