"""As much of HTTP/2 (RFC 9113) as it takes to send gRPC calls as no library would."""

import contextlib
import socket
import struct

DATA, HEADERS, SETTINGS, PING = 0, 1, 4, 6
END_STREAM, END_HEADERS, ACK = 1, 4, 1


class Connection:
    """A connection to a gRPC server on loopback. What it answers is read where pings are answered, and only there."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(SETTINGS, 0, 0, b""))
        self._next = 1

    def call(self, path: str, body: bytes, whole: bool = True, encoding: str = "identity") -> None:
        """Begins a call and sends `body`, a message with its prefix, of 16 KiB at most a frame; whole: and ends it.

        Does nothing where the server has closed the connection, which it may do to defend itself.
        """
        stream, self._next = self._next, self._next + 2
        fields = {
            ":method": "POST", ":scheme": "http", ":path": path, ":authority": "x", "te": "trailers",
            "content-type": "application/grpc", "grpc-encoding": encoding,
        }  # fmt: skip
        block = b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields.items())
        frames = [_frame(HEADERS, END_HEADERS, stream, block)]
        parts = [body[start : start + 2**14] for start in range(0, len(body), 2**14)]
        frames += [_frame(DATA, 0, stream, part) for part in parts]
        if whole:
            frames.append(_frame(DATA, END_STREAM, stream, b""))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(b"".join(frames))

    def ping(self, number: int) -> None:
        """Sends a ping that carries a number."""
        self._socket.sendall(_frame(PING, 0, 0, number.to_bytes(8)))

    def answer_to_ping(self) -> int:
        """Reads on to the next answer to a ping, and returns its number. Raises EOFError where there is none."""
        while True:
            head = self._read(9)
            payload = self._read(int.from_bytes(head[:3]))
            if (head[3], head[4]) == (PING, ACK):
                return int.from_bytes(payload)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            if not (piece := self._socket.recv(count - len(data))):
                raise EOFError
            data += piece
        return data

    def close(self) -> None:
        self._socket.close()


def prefixed(message: bytes, compressed: bool = False) -> bytes:
    """A message as gRPC sends it."""
    return struct.pack(">BI", compressed, len(message)) + message


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _text(value: str) -> bytes:
    """HPACK, RFC 7541, section 5.2: a string of fewer than 127 bytes."""
    return bytes([len(value)]) + value.encode()
