"""How many connections there may be at once, which one makes room for the next, and whose held requests go on."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol


class Connection(Protocol):
    def abort(self) -> None:
        """Closes it at once, whatever is still to be sent."""


class Connections:
    """All that are open, and which of them wait: no request of theirs is in work, so that they can be closed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[Connection] = set()
        self._waiting: dict[Connection, None] = {}  # in the order in which they began to wait
        self._turns: deque[Callable[[], None]] = deque()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, connection: Connection) -> bool:
        """Counts a new one, which waits. False where it is beyond the limit: where no other one could make room.

        The one that has waited for the longest time makes room.
        """
        fits = len(self._open) < self._most
        if not fits and self._waiting:
            longest = next(iter(self._waiting))
            self.close(longest)
            longest.abort()
            fits = len(self._open) < self._most
        self._open.add(connection)
        self._waiting[connection] = None
        return fits

    def wait(self, connection: Connection) -> None:
        """It waits from now on, where it is open still and does not wait already."""
        if connection in self._open:
            self._waiting.setdefault(connection)

    def work(self, connection: Connection) -> None:
        """A request of it is in work from now on."""
        self._waiting.pop(connection, None)

    def close(self, connection: Connection) -> None:
        """It does not count any more."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)

    def take_turn(self, go_on: Callable[[], None]) -> None:
        """Calls `go_on` in an iteration of the loop that is for no other connection's requests that were held: one in
        each, lest they keep the loop from what is new."""
        self._turns.append(go_on)
        if len(self._turns) == 1:
            asyncio.get_running_loop().call_soon(self._next_turn)

    def _next_turn(self) -> None:
        go_on = self._turns.popleft()
        if self._turns:
            asyncio.get_running_loop().call_soon(self._next_turn)
        go_on()
