"""What a request costs around the pipeline: `python -m bench.around_pipeline [--rounds N] [--folders A B]`.

The server is whole, but its pipeline answers every picture with the faces of the first. So what is left is reading,
parsing, the hand-over to a worker and back, building and sending the answer. Of each server the table has

    wall    a request's time as its client sees it, of one client: the first quartile and the median
    loop    CPU time of the thread with the event loop, a request: the first quartile of the rounds
    others  the same of all other threads together

CPU times are the kernel's of each thread (Linux's schedstat). Other work on the machine adds to them less than to wall
times, but it does; hence quartiles.
folders: checkouts whose servers are compared, each in turn in every round, in a random order; this one by default.
"""

import argparse
import os
import random
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc

from bench.results import table
from bench.server import Served, photo, server
from bench.serving import request_of

PROGRAM = """
import sys
from service.inference.pipeline import Pipeline
from service.server.main import serve
from service.settings import Settings

look, first = Pipeline.retarget_source, []

def answer(*arguments):
    if not first:
        first.append(look(*arguments))
    return first[0]

Pipeline.retarget_source = answer
sys.exit(serve(Settings.from_environment()))
"""
SIDE = 288  # pixels of the raw picture over gRPC
BURST = 30  # requests a round
PROBE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Measured:
    """Milliseconds: wall of each request; CPU time a request of the loop and of all other threads, of each round."""

    wall: list[float] = field(default_factory=list)
    loop: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    def add_burst(self, ask: Callable[[], object], pid: int) -> None:
        """Asks BURST times, after once that does not count."""
        ask()
        before = cpu_ms(pid)
        for _ in range(BURST):
            start = time.perf_counter()
            ask()
            self.wall.append((time.perf_counter() - start) * 1e3)
        loop, others = ((b - a) / BURST for a, b in zip(before, cpu_ms(pid), strict=True))
        self.loop.append(loop)
        self.others.append(others)


def cpu_ms(pid: int) -> tuple[float, float]:
    """CPU time that the first thread of a process has had, and that all others have had together."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    spent = {file.parent.name: int(file.read_text().split()[0]) / 1e6 for file in files}
    loop = spent.pop(str(pid))
    return loop, sum(spent.values())


class HttpClient:
    """A client on one connection that costs next to nothing, for it runs on the cores that it measures."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._connection.makefile("rb")

    def ask(self, request: bytes) -> None:
        """Sends a request and reads its answer. Raises ConnectionError where that is not 200."""
        self._connection.sendall(request)
        if b" 200 " not in (line := self._answers.readline()):
            raise ConnectionError(line.decode())
        length = 0
        while (line := self._answers.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self._answers.read(length)


def cases_of(served: Served, picture: bytes, stack: ExitStack) -> dict[str, Callable[[], object]]:
    """What is asked of a server, by its name in the table."""
    http = HttpClient(served.http_port)
    channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{served.grpc_port}"))
    stub = retarget_pb2_grpc.RetargetServiceStub(channel)
    raw = pb.RawPixels(format=pb.PIXEL_FORMAT_RGB, width=SIDE, height=SIDE, data=os.urandom(SIDE * SIDE * 3))
    call, post = pb.RetargetRequest(image=pb.Image(raw=raw)), request_of(picture)
    http.ask(post)  # whose faces are answered from now on
    return {
        "GET /livez": lambda: http.ask(PROBE),
        "POST /retarget, 1280 x 720 JPEG": lambda: http.ask(post),
        "gRPC Retarget, raw 288 x 288": lambda: stub.Retarget(call),
    }


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--folders", type=Path, nargs="+", default=[Path.cwd()])
    options = parser.parse_args()
    picture = photo(1280, 720)
    with ExitStack() as stack:
        servers = {folder: stack.enter_context(server(program=PROGRAM, folder=folder)) for folder in options.folders}
        asked = {folder: cases_of(served, picture, stack) for folder, served in servers.items()}
        turns = [(case, folder) for folder, cases in asked.items() for case in cases]
        measured = {turn: Measured() for turn in turns}
        for _ in range(options.rounds):
            for case, folder in random.sample(turns, len(turns)):
                measured[case, folder].add_burst(asked[folder][case], servers[folder].pid)
    rows = [
        [case, folder.name, *(f"{figure:.3f}" for figure in figures_of(measured[case, folder]))]
        for case, folder in sorted(turns, key=lambda turn: turn[0])
    ]
    print(table(["request", "server", "wall, quartile", "wall, median", "loop", "others"], rows))


def figures_of(measured: Measured) -> tuple[float, float, float, float]:
    """The figures of a row of the table."""
    quartile, median = np.quantile(measured.wall, (0.25, 0.5))
    loop, others = (np.quantile(times, 0.25) for times in (measured.loop, measured.others))
    return float(quartile), float(median), float(loop), float(others)


if __name__ == "__main__":
    main()
