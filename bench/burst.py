"""Many clients at once: each opens a connection, sends one request and reads its answer, in one thread.

It costs next to nothing, for it runs on the cores that it measures: a client library takes several times the server's
own time for a refused request.
"""

import selectors
import socket
import time
from dataclasses import dataclass, field

HEAD_END = b"\r\n\r\n"
PIECE = 2**18  # bytes sent or received at once


@dataclass(frozen=True)
class Told:
    """What a client was told. status: of HTTP. seconds: from its beginning to the answer's last byte."""

    status: int
    seconds: float


@dataclass
class _Client:
    began: float
    unsent: memoryview
    received: bytearray = field(default_factory=bytearray)

    def status(self) -> int:
        """Of the answer; 0 until all of it has come."""
        head, end, body = bytes(self.received).partition(HEAD_END)
        if not end:
            return 0
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        return int(head.split()[1]) if len(body) >= length else 0


def burst(port: int, request: bytes, clients: int) -> list[Told]:
    """Sends a request of HTTP/1.1 from so many clients at once. Raises ConnectionError where one gets no answer."""
    told: list[Told] = []
    with selectors.DefaultSelector() as selector:
        for _ in range(clients):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", port))
            client = _Client(time.perf_counter(), memoryview(request))
            selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
        while len(told) < clients:
            for key, events in selector.select():
                connection, client = key.fileobj, key.data  # type: ignore[assignment]
                if events & selectors.EVENT_WRITE:
                    client.unsent = client.unsent[connection.send(client.unsent[:PIECE]) :]
                    if not client.unsent:
                        selector.modify(connection, selectors.EVENT_READ, client)
                if events & selectors.EVENT_READ:
                    piece = connection.recv(PIECE)
                    if not piece:
                        raise ConnectionError(f"No whole answer: {bytes(client.received[:200])!r}")
                    client.received += piece
                    if status := client.status():
                        told.append(Told(status, time.perf_counter() - client.began))
                        selector.unregister(connection)
                        connection.close()
    return told
