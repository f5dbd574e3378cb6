import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from service.server import listen

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from service.server import serve
from service.settings import Settings
sys.exit(serve(Settings.from_environment()))
"""


@contextmanager
def server(models: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MFN_")}
    environment |= {
        "MFN_MODELS_DIR": str(models),
        "MFN_HOST": "127.0.0.1",
        "MFN_HTTP_PORT": str(port),
        "MFN_GRPC_PORT": "0",
    }
    environment |= settings
    command = [sys.executable, "-c", PROGRAM]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stderr=subprocess.PIPE)
    with process:
        yield process
        process.kill()


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until_ready(port: int) -> None:
    for _ in range(400):
        try:
            assert httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
            return
        except httpx2.TransportError:
            time.sleep(0.05)
    pytest.fail("the server did not come up within 20 seconds")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal_and_exits_with_0(
    models_dir: Path, port: int, png: bytes, number: signal.Signals
) -> None:
    with server(models_dir, port) as process:
        wait_until_ready(port)
        answer = httpx2.post(f"http://127.0.0.1:{port}/retarget", content=png, headers={"Content-Type": "image/png"})
        assert len(answer.json()["faces"]) == 1
        process.send_signal(number)
        _, log = process.communicate(timeout=20)
        assert process.returncode == 0
        assert f"http://127.0.0.1:{port}" in log


def test_a_request_that_has_begun_is_finished_after_the_signal(models_dir: Path, port: int, png: bytes) -> None:
    with server(models_dir, port) as process:
        wait_until_ready(port)
        head = (
            f"POST /retarget HTTP/1.1\r\nHost: here\r\nContent-Type: image/png\r\nContent-Length: {len(png)}\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
            connection.sendall(head.encode())
            assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"  # the request has begun
            process.terminate()
            time.sleep(0.3)
            connection.sendall(png)
            answers.readline()
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
        assert process.wait(20) == 0


def test_refuses_to_start_without_a_model_file_and_names_it(own_models_dir: Path, port: int) -> None:
    (own_models_dir / "sfn.onnx").unlink()
    with server(own_models_dir, port) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert str(own_models_dir / "sfn.onnx") in errors
    assert len(errors.splitlines()) == 1


def test_refuses_to_start_where_the_port_is_taken(models_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with server(models_dir, port) as process:
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"port {port}" in errors
    assert "MFN_HTTP_PORT" in errors
    assert len(errors.splitlines()) == 1


def test_sockets_send_small_writes_at_once() -> None:
    """An answer is two writes; with Nagle's algorithm the second would wait 40 ms for the first's acknowledgement."""
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
