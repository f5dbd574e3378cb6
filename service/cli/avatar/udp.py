"""Datagrams to a program that may or may not be there."""

import socket
from types import TracebackType
from typing import Self


class UdpSender:
    """Sends datagrams to one address and never waits.

    What cannot be sent now (no route, nobody there, a full buffer) is dropped, as the network may drop it later: the
    next frame replaces it. dropped counts these.
    """

    def __init__(self, host: str, port: int) -> None:
        """Looks the host up, which may take a moment. Raises OSError where its name is not known."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        # Programs that receive faces listen on IPv4, which is not the first that localhost stands for.
        family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        self._address = address
        # Not connected: a connected socket answers the next send with the refusal of the last, and does not send it.
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self.dropped = 0

    def send(self, *packets: bytes) -> None:
        for packet in packets:
            try:
                self._socket.sendto(packet, self._address)
            except OSError:
                self.dropped += 1

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
