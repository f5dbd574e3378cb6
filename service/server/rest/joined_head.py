"""Writes the head of a response together with the beginning of its body.

uvicorn writes them one after the other, and uvloop hands each write to the kernel at once: two system calls, two
packets, and a client that is woken for a head that it can do nothing with.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class JoinedHead:
    """The transport of one request and its response, as far as uvicorn uses it."""

    def __init__(self, transport: asyncio.Transport, cycle: RequestResponseCycle) -> None:
        self._transport = transport
        self._cycle = cycle
        self._head = b""  # held until the body begins
        self._begun = cycle.scope["method"] == "HEAD"  # whose response has no body that it could wait for

    def write(self, data: bytes) -> None:
        """Writes what follows the head with it. What comes before, such as 100 Continue, is written at once."""
        if self._begun or not self._cycle.response_started:
            self._transport.write(data)
        elif not self._head:
            self._head = data
        else:
            head, self._head, self._begun = self._head, b"", True
            self._transport.writelines((head, data))

    def is_closing(self) -> bool:
        """Whether the connection is being closed."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Closes the connection, after what is held."""
        self._transport.write(self._head)
        self._transport.close()
