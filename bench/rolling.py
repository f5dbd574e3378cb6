"""Whether a rolling restart loses a request: `python -m bench.rolling [--rounds 20] [--results]`.

Two servers, and clients that choose between them as those of a cluster do. Round after round one of the two, in turn,
gets SIGTERM, ends, is started again and becomes ready. Counts requests, those that failed, the longest time that one
took, and the servers' exit codes. Exits with 1 where a request failed or a server ended with another code than 0.

    HTTP     a few senders, each with kept connections, take the servers in turn; every second (--poll) each server's
             /readyz is asked, and one that is not ready gets no more: a Kubernetes Service and its endpoints
    gRPC     a few senders over one channel that knows both addresses, as dns:/// and a headless Service tell them, with
             round_robin and grpc.health.v1: a server that leaves says NOT_SERVING, and gets no more
    streams  over the same channel, each at a few frames a second; one that a server ends with UNAVAILABLE is opened
             again at once, what else it ends with is a failure; the longest time is the longest without an answer

Without health checks (--no-health-checks) a channel learns of a server's end by its GOAWAY frame only, and gRPC itself
cancels the few calls that are sent before that is heard.

No sender sends anything twice, and gRPC's own retries are off. The servers go on to take requests for some seconds
(--delay) after SIGTERM, MFN_DRAIN_DELAY_SECONDS, longer than a poll takes to find out. MFN_WORKERS and the other
settings hold for both servers.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from bench.results import machine, table, write_figures
from bench.senders import Endpoints, Tally, channel_to, is_ready, keep_a_stream, send_over_grpc, send_over_http
from bench.server import PROGRAM, free_port, photo

PATIENCE_SECONDS = 60.0  # for a server to become ready, and for it to end
SETTLE_SECONDS = 2.0  # from a server's being ready to the next one's end: until all clients know both
KINDS = ("HTTP", "gRPC", "streams")
OPENING = """## Rolling restart

`python -m bench.rolling --results`: under load, one of two servers is ended with SIGTERM and started again, in turn."""


class Replica:
    """One of the servers: its ports stay, its process is a new one each time."""

    def __init__(self, models: Path | None, delay: float) -> None:
        """Prepares a server that is not started yet. delay: seconds, see MFN_DRAIN_DELAY_SECONDS."""
        self.http_port, self.grpc_port = free_port(), free_port()
        self._environment = {
            **os.environ,
            "MFN_HOST": "127.0.0.1",
            "MFN_HTTP_PORT": str(self.http_port),
            "MFN_GRPC_PORT": str(self.grpc_port),
            "MFN_LOG_LEVEL": "warning",
            "MFN_DRAIN_DELAY_SECONDS": str(delay),
            **({} if models is None else {"MFN_MODELS_DIR": str(models)}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the server answers HTTP."""
        return f"http://127.0.0.1:{self.http_port}"

    def start(self) -> None:
        """Starts the server's process."""
        self._process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=self._environment)

    async def end(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, PATIENCE_SECONDS)

    async def until_ready(self) -> None:
        """Waits until the server is ready. Ends the program where it takes longer than PATIENCE_SECONDS."""
        end = time.monotonic() + PATIENCE_SECONDS
        async with httpx2.AsyncClient() as client:
            while not await is_ready(client, self.url):
                if time.monotonic() > end:
                    sys.exit("A server did not become ready.")
                await asyncio.sleep(0.1)

    def kill(self) -> None:
        """Kills the server's process where it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True)
class Outcome:
    """Holds what became of all requests. tallies: of each of KINDS. codes: of the servers that were ended.
    restart_seconds: each from SIGTERM until it was ready again."""

    tallies: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in KINDS})
    codes: Counter[int] = field(default_factory=Counter)
    restart_seconds: list[float] = field(default_factory=list)

    @property
    def lost_nothing(self) -> bool:
        """Whether every server ended with exit code 0 and no request failed."""
        return set(self.codes) <= {0} and not any(tally.failures for tally in self.tallies.values())

    def figures(self) -> str:
        """The figures as text and a table."""
        codes = ", ".join(f"{count} x {code}" for code, count in sorted(self.codes.items()))
        rows = [
            [kind, str(tally.requests), str(tally.failures.total()), f"{tally.longest * 1e3:.0f}"]
            for kind, tally in self.tallies.items()
        ]
        slowest = max(self.restart_seconds)
        head = f"{len(self.restart_seconds)} restarts, each at most {slowest:.1f} s from SIGTERM to ready"
        return f"{head}; exit codes: {codes}.\n\n" + table(["requests over", "sent", "failed", "longest, ms"], rows)


async def roll(
    replicas: list[Replica],
    picture: bytes,
    rounds: int,
    poll: float = 1.0,
    senders: int = 2,
    settle: float = SETTLE_SECONDS,
    health_checks: bool = True,
) -> Outcome:
    """Ends and starts the servers in turn, so many times, while requests come. The servers are started here.

    poll, settle: seconds. senders: of each kind.
    """
    for replica in replicas:
        replica.start()
    for replica in replicas:
        await replica.until_ready()
    outcome, stop = Outcome(), asyncio.Event()
    endpoints = Endpoints([replica.url for replica in replicas])
    following = asyncio.create_task(endpoints.follow(poll))
    async with channel_to([replica.grpc_port for replica in replicas], health_checks) as channel:
        http, unary, streams = (outcome.tallies[kind] for kind in KINDS)
        sending = [
            asyncio.create_task(sender)
            for _ in range(senders)
            for sender in (
                send_over_http(endpoints, picture, http, stop),
                send_over_grpc(channel, picture, unary, stop),
                keep_a_stream(channel, picture, streams, stop),
            )
        ]
        await asyncio.sleep(settle)
        for number in range(rounds):
            replica = replicas[number % len(replicas)]
            start = time.perf_counter()
            outcome.codes[await replica.end()] += 1
            replica.start()
            await replica.until_ready()
            outcome.restart_seconds.append(time.perf_counter() - start)
            await asyncio.sleep(settle)
        stop.set()
        await asyncio.gather(*sending)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    return outcome


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--poll", type=float, default=1.0, help="seconds between two looks at a server's readiness")
    parser.add_argument("--delay", type=float, default=3.0, help="MFN_DRAIN_DELAY_SECONDS of the servers")
    parser.add_argument("--senders", type=int, default=2, help="of each kind")
    parser.add_argument(
        "--health-checks", action=argparse.BooleanOptionalAction, default=True, help="of gRPC's channel (%(default)s)"
    )
    parser.add_argument("--models", type=Path)
    parser.add_argument("--results", action="store_true", help="write the table into bench/RESULTS.md")
    chosen = parser.parse_args()
    replicas = [Replica(chosen.models, chosen.delay) for _ in range(2)]
    with ExitStack() as stack:
        for replica in replicas:
            stack.callback(replica.kill)
        picture = photo(640, 480)
        outcome = asyncio.run(
            roll(replicas, picture, chosen.rounds, chosen.poll, chosen.senders, health_checks=chosen.health_checks)
        )
    print(outcome.figures())
    for kind, tally in outcome.tallies.items():
        for failure, count in tally.failures.most_common():
            print(f"{kind}: {count} x {failure}", file=sys.stderr)
    if chosen.results:
        told = f"{machine()}; MFN_DRAIN_DELAY_SECONDS {chosen.delay:g}, readiness asked every {chosen.poll:g} s"
        write_figures("rolling", OPENING, f"{told}.\n\n{outcome.figures()}")
    sys.exit(not outcome.lost_nothing)


if __name__ == "__main__":
    main()
