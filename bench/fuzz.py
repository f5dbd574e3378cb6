"""Fuzzes a server over REST, HTTP, gRPC and WebSocket, and the decoders, for as long as you say.

    make fuzz                                 for an hour
    python -m bench.fuzz [--minutes 60]

A server runs with the published models. Rounds follow each other: each sends generated requests over every transport
(bench.fuzzing.transports), then checks that a good picture is answered as at first, and how much memory the server
has. Meanwhile atheris fuzzes the decoders in a process of its own, where it is installed.

A finding is an internal error, an answer that the contract does not know, one that does not come within 20 s, a
traceback in the server's log, or a good picture that is answered otherwise. Memory is compared with the most that the
server had in the first tenth of the time. Exits 1 where there is a finding or memory has grown by over 5 %.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from typing import Final

import httpx2

from bench.fuzzing.pictures import mutated, seeds
from bench.fuzzing.transports import PATIENCE_SECONDS, FindingError, Target, grpc_calls, http, rest, websocket
from bench.server import Served, photo, server

EXAMPLES: Final = 40  # of each strategy, a round
MEMORY_GROWTH: Final = 0.05
WARM_UP: Final = 0.1  # share of the time
TRANSPORTS: Final = {"REST": rest, "HTTP": http, "gRPC": grpc_calls, "WebSocket": websocket}


class GoodPicture:
    """A picture whose answer must not change."""

    def __init__(self, served: Served) -> None:
        self._url = f"{served.url}/retarget"
        self._picture = photo(640, 480)
        self._faces = self._ask()

    def check(self) -> None:
        """Raises FindingError where the answer is another one."""
        if self._ask() != self._faces:
            raise FindingError("A good picture was answered otherwise.")

    def _ask(self) -> object:
        response = httpx2.post(
            self._url, content=self._picture, headers={"Content-Type": "image/jpeg"}, timeout=PATIENCE_SECONDS
        )
        return response.raise_for_status().json()["faces"]


def fuzz(served: Served, minutes: float) -> tuple[Counter[str], list[str], list[float]]:
    """Fuzzes for so many minutes. Returns requests by transport, findings, and the memory after each round, MB."""
    target = Target(served.http_port, served.grpc_port, mutated(seeds()))
    good = GoodPicture(served)
    sent: Counter[str] = Counter()
    findings: list[str] = []
    memory: list[float] = []
    start = time.monotonic()
    while time.monotonic() - start < minutes * 60:
        for name, send in TRANSPORTS.items():
            try:
                sent[name] += send(target, EXAMPLES)
                good.check()
            except Exception as error:  # whatever it is, the next round follows
                findings.append(f"{name}: {error!r}")
                print(findings[-1], flush=True)
        memory.append(served.resident_mb())
        done = time.monotonic() - start
        print(f"{done / 60:5.1f} min, {sum(sent.values()):,} requests, {memory[-1]:.0f} MB", flush=True)
    return sent, findings, memory


def main() -> int:
    """Runs the server, the fuzzers and the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryFile("w+") as decoder_log, tempfile.TemporaryFile("w+") as log:
        command = [sys.executable, "-m", "bench.fuzzing.decoders", str(round(minutes * 60))]
        decoders = subprocess.Popen(command, stdout=decoder_log, stderr=subprocess.STDOUT)
        with server(log=log) as served:
            sent, findings, memory = fuzz(served, minutes)
        code = decoders.wait()
        decoder_log.seek(0)
        told = decoder_log.read()
        log.seek(0)
        tracebacks = log.read().count("Traceback")
    if code:
        findings.append(f"The decoders' fuzzer ended with {code}: {told[-3000:]}")
    if tracebacks:
        findings.append(f"The server's log has {tracebacks} tracebacks.")
    warm = max(memory[: max(1, round(len(memory) * WARM_UP))])
    growth = memory[-1] / warm - 1
    print("\n".join(findings))
    print(", ".join(f"{count:,} by {name}" for name, count in sent.items()))
    print(f"{len(findings)} findings in {minutes:g} min; memory {warm:.0f} MB, then {memory[-1]:.0f} ({growth:+.1%})")
    print("\n".join(line for line in told.splitlines() if line.startswith(("Done", "stat::"))))
    return int(bool(findings) or growth > MEMORY_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
