"""REST requests a second of this version beside another one's, in turn, round after round.

    git worktree add --detach FOLDER COMMIT
    python -m bench.versions FOLDER [--rounds 60] [--seconds 0.5]

All servers run at once and idle but for the one that is measured; a few kept connections ask it one request each at a
time. Beside the other version it is also measured behind h11, uvicorn's other parser, which is written in Python. All
use the other version's networks. What is compared is the server's time on its cores for a request, which a busy machine
changes less than the rate.
"""

import argparse
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from bench.server import PROGRAM, free_port, photo

ROOT = Path(__file__).resolve().parent.parent
H11 = "import functools, uvicorn\nuvicorn.Config = functools.partial(uvicorn.Config, http='h11')\n"
CONNECTIONS = 8
WIDTH, HEIGHT = 640, 480
TICKS = os.sysconf("SC_CLK_TCK")  # of a process's time, in a second


@dataclass(frozen=True)
class Rate:
    """Holds how fast a server answers. requests: a second. cpu: seconds of the server's cores for a request."""

    requests: float
    cpu: float


class Version:
    """A running server and the connections to it."""

    def __init__(self, port: int, pid: int) -> None:
        self.pid = pid
        self.connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]

    def rate(self, request: bytes, seconds: float) -> Rate:
        """Sends a request over all connections at once, again and again, for so many seconds."""
        done, cpu, start = 0, self._cpu(), time.perf_counter()
        while (took := time.perf_counter() - start) < seconds:
            for connection in self.connections:
                connection.sendall(request)
            for connection in self.connections:
                read_answer(connection)
            done += len(self.connections)
        return Rate(done / took, (self._cpu() - cpu) / done)

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def read_answer(connection: socket.socket) -> None:
    """Reads one answer of HTTP. Ends the program where its status is not 200."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(2**16)
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        sys.exit(repr(data[:500]))
    left = int(head.lower().partition(b"content-length: ")[2].split()[0]) - len(body)
    while left:
        left -= len(connection.recv(2**16))


@contextmanager
def version(folder: Path, models: Path, before: str = "") -> Iterator[Version]:
    """before: statements to run first."""
    port = free_port()
    settings = {"MFN_MODELS_DIR": str(models), "MFN_HOST": "127.0.0.1", "MFN_HTTP_PORT": str(port)}
    environment = {
        **os.environ,
        **settings,
        "MFN_GRPC_PORT": "0",
        "MFN_LOG_LEVEL": "warning",
        "PYTHONPATH": str(folder),
    }
    process = subprocess.Popen([sys.executable, "-c", before + PROGRAM], cwd=folder, env=environment)
    try:
        while True:
            try:
                httpx2.get(f"http://127.0.0.1:{port}/readyz").raise_for_status()
                break
            except httpx2.TransportError:
                if process.poll() is not None:
                    sys.exit(f"The server in {folder} did not start.")
                time.sleep(0.01)
        yield Version(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    """Reads the options and runs the command."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("other", type=Path, help="a folder with the other version's files")
    arguments.add_argument("--rounds", type=int, default=60)
    arguments.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    options = arguments.parse_args()
    other = options.other.resolve()
    picture = photo(WIDTH, HEIGHT)
    head = f"POST /retarget HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    requests = {"GET /livez": b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", "POST /retarget": head.encode() + picture}
    with ExitStack() as stack:
        models = other / "models"
        versions = {
            "other": stack.enter_context(version(other, models)),
            "this": stack.enter_context(version(ROOT, models)),
            "h11": stack.enter_context(version(other, models, H11)),
        }
        rates: dict[tuple[str, str], list[Rate]] = {}
        for turn in range(options.rounds + 1):
            for name, request in requests.items():
                for kind in random.sample(sorted(versions), len(versions)):
                    rate = versions[kind].rate(request, options.seconds)
                    if turn:  # the first warms up
                        rates.setdefault((name, kind), []).append(rate)
    print("| request | version | requests/s | to the other's | CPU ms a request | throughput a core to the other's |")
    print("|---|---|---|---|---|---|")
    for (name, kind), measured in sorted(rates.items()):
        pairs = list(zip(measured, rates[name, "other"], strict=True))
        figures = (
            f"{statistics.median(rate.requests for rate in measured):.0f}",
            f"{statistics.median(a.requests / b.requests for a, b in pairs):.3f}",
            f"{statistics.median(rate.cpu for rate in measured) * 1e3:.3f}",
            f"{statistics.median(b.cpu / a.cpu for a, b in pairs):.3f}",
        )
        print(f"| {name} | {kind} | {' | '.join(figures)} |")


if __name__ == "__main__":
    main()
