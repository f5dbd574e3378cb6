"""What a client can do over WebSocket before it has shown a key: the server's memory stays, and others are served."""

import contextlib
import json
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.service.processes import free_port, server, wait_until_ready
from tests.service.server.attacks.memory import growth

MOST_MB = 50.0  # that an attack may make the server grow by
CONNECTIONS = 30
BYTES = 2 * 2**20  # that each of them tries to send
HEADER_SECONDS = 2.0
OPENING = (
    b"GET /retarget/stream HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
MASKED, MASK = 0x80, bytes(4)  # by which nothing changes
TEXT, BINARY, CONTINUED, PING = 0x81, 0x82, 0x00, 0x89
BEGUN, COMPRESSED = 0x01, 0xC2  # a text to be continued; a whole binary message


def frame(head: int, data: bytes) -> bytes:
    size = len(data)
    length = bytes([MASKED | size]) if size < 126 else bytes([MASKED | 127]) + size.to_bytes(8)
    return bytes([head]) + length + MASK + data


def bomb() -> bytes:
    """8 MiB of zeros, in some 8 KiB."""
    deflate = zlib.compressobj(9, wbits=-15)
    return deflate.compress(bytes(8 * 2**20)) + deflate.flush(zlib.Z_SYNC_FLUSH)[:-4]


ATTACKS = {
    "compressed": frame(COMPRESSED, bomb()),
    "large": frame(BINARY, bytes(2**20)),
    "announced": frame(BINARY, bytes(9 * 2**20))[: 2**20],
    "small": frame(TEXT, b"{"),
    "configurations": frame(TEXT, b"{}"),
    "fragments": frame(BEGUN, b"{") + frame(CONTINUED, b"") * 10_000,
    "pings": frame(PING, bytes(125)),
}


@pytest.fixture(scope="module")
def target(models_dir: Path) -> Iterator[tuple[int, int]]:
    """Port and process of a server that wants a key."""
    port = free_port()
    settings = {"MFN_API_KEYS": "a-key-of-some-length", "MFN_HEADER_SECONDS": str(HEADER_SECONDS)}
    with server(models_dir, port, MFN_LOG_LEVEL="error", MFN_WORKERS="1", **settings) as process:
        wait_until_ready(port)
        yield port, process.pid


def serves(port: int, png: bytes) -> None:
    """Asserts that an honest request is answered, and an honest stream, too."""
    headers = {"Content-Type": "image/png", "X-API-Key": "a-key-of-some-length"}
    answer = httpx2.post(f"http://127.0.0.1:{port}/retarget", content=png, headers=headers)
    assert (answer.status_code, len(answer.json()["faces"])) == (200, 1)
    with connect(f"ws://127.0.0.1:{port}/retarget/stream", proxy=None) as stream:
        stream.send(json.dumps({"key": "a-key-of-some-length"}))
        stream.send(png)
        assert "model" in json.loads(stream.recv(10))
        assert len(json.loads(stream.recv(10))["faces"]) == 1


def opened(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(OPENING)
    head = connection.recv(2**16)
    assert head.startswith(b"HTTP/1.1 101")
    assert b"permessage-deflate" not in head
    return connection


def send(connection: socket.socket, message: bytes) -> None:
    """The message again and again, until BYTES are sent, or the server reads no more."""
    connection.settimeout(0.05)
    piece = message * max(1, 2**16 // len(message))
    sent = 0
    try:
        while sent < BYTES:
            sent += connection.send(piece)
    except OSError:
        pass


@pytest.mark.parametrize("name", ATTACKS)
def test_messages_before_a_key(target: tuple[int, int], png: bytes, name: str) -> None:
    port, pid = target
    serves(port, png)
    with growth(pid) as grown:
        with ExitStack() as stack:
            for connection in [stack.enter_context(opened(port)) for _ in range(CONNECTIONS)]:
                send(connection, ATTACKS[name])
            serves(port, png)
        serves(port, png)
    assert grown.mb < MOST_MB


def test_streams_that_are_never_configured_end(target: tuple[int, int], png: bytes) -> None:
    port, pid = target
    serves(port, png)
    with growth(pid) as grown, ExitStack() as stack:
        start = time.perf_counter()
        silent = [stack.enter_context(opened(port)) for _ in range(100)]
        serves(port, png)
        for connection in silent:
            connection.settimeout(10)
            assert b"No configuration came" in connection.recv(2**16)
        assert HEADER_SECONDS - 0.5 < time.perf_counter() - start < HEADER_SECONDS + 3
    assert grown.mb < MOST_MB


@pytest.mark.parametrize("size", [20_000, 2 * 2**20])
def test_a_long_first_message_is_told_to_be_too_big(target: tuple[int, int], size: int) -> None:
    with connect(f"ws://127.0.0.1:{target[0]}/retarget/stream", proxy=None) as stream:
        stream.send(bytes(size))
        assert "Send the configuration first" in json.loads(stream.recv(10))["problem"]["detail"]
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    assert closed.value.rcvd.reason.startswith("The first message is too large. Send the configuration first")


SMALL_BUFFERS = """
import socket
import service.server.listening

listener = service.server.listening._listener

def with_small_buffers(*address):
    small = listener(*address)
    small.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return small

service.server.listening._listener = with_small_buffers
"""  # so that the system takes few answers that are not read


@pytest.fixture(scope="module")
def impatient(models_dir: Path) -> Iterator[tuple[int, int]]:
    """Port and process of an open server that waits half a second for an answer to be read."""
    port = free_port()
    settings = {"MFN_FRAME_DEADLINE_SECONDS": "0.5", "MFN_LOG_LEVEL": "error", "MFN_WORKERS": "1"}
    with server(models_dir, port, SMALL_BUFFERS, **settings) as process:
        wait_until_ready(port)
        yield port, process.pid


@pytest.mark.parametrize("name", ["frames", "bad frames", "pings", "both"])
def test_a_client_that_reads_nothing_is_closed(impatient: tuple[int, int], png: bytes, name: str) -> None:
    port, pid = impatient
    sent = {
        "frames": frame(BINARY, png),
        "bad frames": frame(BINARY, b"no picture"),
        "pings": frame(PING, bytes(125)),
        "both": frame(BINARY, png) + frame(PING, bytes(125)) * 20,
    }
    with growth(pid) as grown, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.sendall(OPENING)
        assert connection.recv(2**12).startswith(b"HTTP/1.1 101")
        connection.sendall(frame(TEXT, b'{"include": ["landmarks", "blendshapes"]}'))
        connection.settimeout(20)
        with contextlib.suppress(ConnectionError):  # never TimeoutError
            while True:
                connection.sendall(sent[name] * 20)
    assert grown.mb < MOST_MB
    metrics = httpx2.get(f"http://127.0.0.1:{port}/metrics", timeout=20).text
    assert "mfn_streams_active 0.0" in metrics
    assert "mfn_requests_in_progress 1.0" in metrics  # this one
