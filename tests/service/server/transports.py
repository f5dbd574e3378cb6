"""A transport without a network, for protocols that are fed bytes by hand."""

import asyncio
from typing import Any


class Transport(asyncio.Transport):
    """sent: what was written. unread: bytes that are said to wait for the client."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.unread = 0
        self._reading = True
        self.closed = self.aborted = self.ended = False
        self.protocol: Any = None

    def write(self, data: Any) -> None:
        self.sent += data

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_reading(self) -> bool:
        return self._reading

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True
