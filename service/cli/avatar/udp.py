"""Sends UDP datagrams to programs that may not be running."""

import socket
from types import TracebackType
from typing import Any, Final, Self

HIGHEST_PORT: Final = 65535


class UdpSender:
    """Sends datagrams to one host without blocking: to a port, or to one of those after it.

    A datagram that cannot be sent now (no route, no receiver, a full buffer) is dropped, as the network itself may drop
    one; the next frame replaces it. dropped: number of these. ports: how many there are, from the first on.
    """

    def __init__(self, host: str, port: int) -> None:
        """Resolves the host's name, which may take a moment. Raises OSError where it is unknown."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        # Programs that receive faces listen on IPv4, which is not the first address of localhost.
        family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        self._address: tuple[Any, ...] = address
        self.ports = HIGHEST_PORT + 1 - port
        # Not connected: on a connected socket the refusal of one datagram is the error of the next, which is not sent.
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self.dropped = 0

    def send(self, *packets: bytes, offset: int = 0) -> None:
        """Sends datagrams in their order. offset: below `ports`, from the first port to the one they go to."""
        host, first, *scope = self._address  # of IPv6, flow and scope
        address = (host, first + offset, *scope)
        for packet in packets:
            try:
                self._socket.sendto(packet, address)
            except OSError:
                self.dropped += 1

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
