"""The server in a process of its own, as `mfn serve` starts it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds, for machines that have other work
PROGRAM = "import sys; from service.cli.main import main; sys.exit(main(['serve']))"


@contextmanager
def server(models: Path, port: int, before: str = "", **settings: str) -> Iterator[subprocess.Popen[str]]:
    """before: statements to run first. settings: environment variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MFN_")}
    environment |= {
        "MFN_MODELS_DIR": str(models),
        "MFN_HOST": "127.0.0.1",
        "MFN_HTTP_PORT": str(port),
        "MFN_GRPC_PORT": "0",
    }
    environment |= settings
    command = [sys.executable, "-c", f"{before}\n{PROGRAM}"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stderr=subprocess.PIPE)
    with process:
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def has_ipv6() -> bool:
    """Whether this machine has IPv6."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def wait_until_ready(port: int) -> None:
    """Asks until it is ready. With http.client: httpx2 loads all authorities' certificates to ask once, for 50 ms."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            try:
                connection.request("GET", "/readyz")
                assert connection.getresponse().status == 200
                return
            except (OSError, HTTPException):
                time.sleep(0.05)
    pytest.fail(f"the server did not come up within {PATIENCE} seconds")
