"""What a client can do to the HTTP server from one machine, for a few seconds: its memory stays, and others are served.

Each flood ends when the server closes the connection, or when it has sent what it has.
"""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.service.processes import free_port, server, wait_until_ready
from tests.service.server.attacks.memory import growth

MOST_MB = 50.0  # that a flood may make the server grow by
FLOOD_BYTES = 24 * 2**20  # several times what would show
CONNECTIONS = 20  # for floods that keep within the limits of one
FLOOD_SECONDS = 3.0  # for floods that the server takes as fast as it answers
PATIENCE = 10.0  # seconds
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
BEGINNING = GET[:-2]
CHUNKED = b"POST /retarget HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
FLOODS = {
    "headers": (BEGINNING, b"a: b\r\n"),
    "a header": (BEGINNING + b"a: ", b"b"),
    "a URL": (b"GET /", b"a"),
    "blank lines": (b"", b"\r\n"),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\n", b"a: b\r\n"),
    "a trailer": (CHUNKED + b"1\r\na\r\n0\r\na: ", b"b"),
    "a chunk extension": (CHUNKED + b"1;a=", b"b"),
}


class Target:
    """A server under attack."""

    def __init__(self, port: int, pid: int, png: bytes) -> None:
        self.port, self.pid, self._png = port, pid, png
        self.serves()  # what the first picture brings along is no attack's

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that what it does not read piles up there
        return connection

    def serves(self) -> None:
        """Asserts that an honest request is answered."""
        answer = httpx2.post(
            f"http://127.0.0.1:{self.port}/retarget", content=self._png, headers={"Content-Type": "image/png"}
        )
        assert (answer.status_code, len(answer.json()["faces"])) == (200, 1)

    @contextmanager
    def stands(self) -> Iterator[None]:
        """Asserts that the server has not grown by much in the block, and serves at its end and after it."""
        with growth(self.pid) as grown:
            yield
            self.serves()
        assert grown.mb < MOST_MB


@contextmanager
def target(models_dir: Path, png: bytes, **settings: str) -> Iterator[Target]:
    port = free_port()
    with server(models_dir, port, MFN_LOG_LEVEL="error", MFN_WORKERS="1", **settings) as process:
        wait_until_ready(port)
        yield Target(port, process.pid, png)


@pytest.fixture(scope="module")
def attacked(models_dir: Path, png: bytes) -> Iterator[Target]:
    with target(models_dir, png) as attacked:
        yield attacked


@pytest.fixture(scope="module")
def narrow(models_dir: Path, png: bytes) -> Iterator[Target]:
    """One with few connections and little patience."""
    with target(models_dir, png, MFN_MAX_CONNECTIONS="10", MFN_HEADER_SECONDS="1.5") as attacked:
        yield attacked


def flood(connection: socket.socket, beginning: bytes, more: bytes) -> int:
    """Sends until the server closes the connection, at most FLOOD_BYTES. Returns how many bytes it took."""
    piece = more * (2**16 // len(more))
    sent = 0
    try:
        connection.sendall(beginning)
        while sent < FLOOD_BYTES:
            sent += connection.send(piece)
    except OSError:  # closed; or full, as the server does not read on
        pass
    return sent


def read_all(connection: socket.socket) -> bytes:
    """What the server has sent, until it closes the connection."""
    read = b""
    try:
        while piece := connection.recv(2**16):
            read += piece
    except ConnectionResetError:
        pass
    return read


@pytest.mark.parametrize("name", FLOODS)
def test_what_never_ends_is_cut_off(attacked: Target, name: str) -> None:
    with attacked.stands(), attacked.connect() as connection:
        assert flood(connection, *FLOODS[name]) < FLOOD_BYTES


@pytest.mark.parametrize("name", FLOODS)
def test_whoever_stops_sending_reads_the_reason(attacked: Target, name: str) -> None:
    beginning, more = FLOODS[name]
    with attacked.connect() as connection:
        connection.sendall(beginning + more * (100_000 // len(more)))
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 Request Header Fields Too Large")
    assert json.loads(body)["type"] == "urn:problem-type:mfn:headers-too-large"


def test_headers_that_stop_just_below_the_limit_on_many_connections(attacked: Target) -> None:
    with attacked.stands(), ExitStack() as stack:
        for _ in range(400):
            connection = stack.enter_context(attacked.connect())
            connection.sendall(BEGINNING + b"a: " + b"b" * 65_000)


def test_requests_without_end_whose_answers_are_not_read(attacked: Target) -> None:
    with attacked.stands(), ExitStack() as stack:
        for _ in range(CONNECTIONS):
            connection = stack.enter_context(attacked.connect())
            connection.settimeout(0.1)
            flood(connection, b"", GET)


def test_requests_without_end_behind_chunked_bodies(attacked: Target) -> None:
    unit = CHUNKED + b"0\r\n\r\n" + GET * 14 + BEGINNING + b"a: " + b"x" * 15_000 + b"\r\n\r\n"
    with attacked.stands(), ExitStack() as stack:
        connections = [stack.enter_context(attacked.connect()) for _ in range(CONNECTIONS)]
        for connection in connections:
            connection.setblocking(False)
        end = time.perf_counter() + FLOOD_SECONDS
        while time.perf_counter() < end:
            for connection in connections:
                with suppress(BlockingIOError):
                    connection.send(unit * 50)
                with suppress(BlockingIOError):
                    assert connection.recv(2**16)


def test_silent_and_slow_connections_make_room_and_end(narrow: Target) -> None:
    with narrow.stands(), ExitStack() as stack:
        slow = stack.enter_context(narrow.connect())
        slow.sendall(BEGINNING)
        silent = [stack.enter_context(narrow.connect()) for _ in range(40)]
        start = time.perf_counter()
        for path in ("livez", "readyz"):
            assert httpx2.get(f"http://127.0.0.1:{narrow.port}/{path}").status_code == 200
        assert time.perf_counter() - start < 1
        late = stack.enter_context(narrow.connect())
        for number in range(100):  # a header every 50 ms
            try:
                late.sendall(b"%s: b\r\n" % (b"a" if number else b"GET / HTTP/1.1\r\na"))
            except OSError:
                break
            time.sleep(0.05)
        assert 1 < time.perf_counter() - start < 4
        for connection in (slow, late, *silent):
            assert read_all(connection) == b""


def test_bodies_that_trickle_end_and_leave_no_trace(models_dir: Path, png: bytes) -> None:
    """After much of them has come at once, too: the memory that they hold is bounded and given back."""
    head = b"POST /retarget HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n"
    with target(models_dir, png, MFN_UPLOAD_GRACE_SECONDS="0.5") as attacked, attacked.stands(), ExitStack() as stack:
        connections = [stack.enter_context(attacked.connect()) for _ in range(CONNECTIONS)]
        for number, connection in enumerate(connections):
            connection.sendall(head + bytes(500_000) * (number % 2))
        start = time.perf_counter()
        answers: list[bytes] = [b""] * CONNECTIONS
        while not all(answers) and time.perf_counter() - start < PATIENCE:
            for number, connection in enumerate(connections):
                if not answers[number]:
                    connection.sendall(b"a")
                    with suppress(BlockingIOError):
                        answers[number] = connection.recv(2**16, socket.MSG_DONTWAIT)
            time.sleep(0.05)
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)


def test_probes_are_answered_when_all_connections_are_busy(narrow: Target) -> None:
    url = f"http://127.0.0.1:{narrow.port}"
    with narrow.stands(), ExitStack() as stack:
        with ExitStack() as busy:
            for _ in range(10):
                busy.enter_context(narrow.connect()).sendall(CHUNKED)
            time.sleep(0.2)
            stack.enter_context(narrow.connect())  # silent, beyond the limit
            assert httpx2.get(f"{url}/livez").status_code == 200
            refused = httpx2.get(f"{url}/model")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        time.sleep(0.2)  # until it has noticed


def test_more_connections_than_open_files(models_dir: Path) -> None:
    """The limit of connections comes down, so that there is always one left to be answered."""
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (290, 290))"
    port = free_port()
    with server(models_dir, port, few, MFN_LOG_FORMAT="text") as process:
        wait_until_ready(port)
        with ExitStack() as stack:
            for _ in range(300):
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            assert httpx2.get(f"http://127.0.0.1:{port}/livez").status_code == 200
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert "Only 290 files may be open (ulimit -n), so there can be 34 HTTP connections instead of 512" in log
    assert process.returncode == 0
