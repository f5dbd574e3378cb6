"""Where a stream's frames wait for their turn: one at a time, so that a slow server never piles them up."""

import asyncio
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class DropPolicy(Enum):
    """LATEST: a new frame replaces the one that waits. NONE: the sender waits until the place is free."""

    LATEST = "latest"
    NONE = "none"


class Mailbox(Generic[T]):
    """One place between a sender and a receiver on the same event loop. dropped: how many were replaced."""

    def __init__(self, policy: DropPolicy) -> None:
        self.policy = policy
        self.dropped = 0
        self._waiting: list[T] = []
        self._closed = False
        self._changed = asyncio.Condition()

    async def put(self, item: T) -> bool:
        """Leaves an item, at once or when there is room, as the policy says. False where the mailbox is closed."""
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
        """The item that waits, or the next to come; None once the mailbox is closed and empty."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting or self._closed)
            item = self._waiting.pop() if self._waiting else None
            self._changed.notify_all()
            return item

    @property
    def waiting(self) -> int:
        """How many items wait: 0 or 1."""
        return len(self._waiting)

    async def close(self) -> None:
        """Takes nothing more; what waits can still be got."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
