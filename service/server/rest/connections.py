"""The limit of open connections: which idle connection is closed for a new one, and fair turns for held requests."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol


class Connection(Protocol):
    """A connection that can be closed for another one."""

    def abort(self) -> None:
        """Closes the connection at once, without sending what is left."""


class Connections:
    """The open connections. Idle ones, without a request in progress, can be closed for new ones."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: set[Connection] = set()
        self._idle: dict[Connection, None] = {}  # in the order in which they became idle
        self._turns: deque[Callable[[], None]] = deque()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, connection: Connection) -> bool:
        """Adds a new, idle connection. At the limit, the connection that has been idle the longest is closed for it.

        Returns False where it is over the limit, that is, where no other connection is idle.
        """
        fits = len(self._open) < self._limit
        if not fits and self._idle:
            longest = next(iter(self._idle))
            self.close(longest)
            longest.abort()
            fits = len(self._open) < self._limit
        self._open.add(connection)
        self._idle[connection] = None
        return fits

    def set_idle(self, connection: Connection) -> None:
        """Marks a connection as idle, unless it is closed or idle already."""
        if connection in self._open:
            self._idle.setdefault(connection)

    def set_busy(self, connection: Connection) -> None:
        """Marks a connection as busy: one of its requests is in progress."""
        self._idle.pop(connection, None)

    def close(self, connection: Connection) -> None:
        """Removes a connection."""
        self._open.discard(connection)
        self._idle.pop(connection, None)

    def take_turn(self, go_on: Callable[[], None]) -> None:
        """Calls `go_on`, which goes on with a connection's held requests, in a later iteration of the event loop.

        There is one connection in each iteration, so that held requests do not delay new ones.
        """
        self._turns.append(go_on)
        if len(self._turns) == 1:
            asyncio.get_running_loop().call_soon(self._next_turn)

    def _next_turn(self) -> None:
        go_on = self._turns.popleft()
        if self._turns:
            asyncio.get_running_loop().call_soon(self._next_turn)
        go_on()
