"""One core under as many requests as it can take: CPU time of a request, and requests a second."""

import json
import statistics
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

from mfn.v1 import retarget_pb2 as pb

from bench.group_pictures import GroupPicture
from deploy.planning.capacity.pictures import photo, square
from deploy.planning.capacity.process import spent
from deploy.planning.capacity.senders import Call, Send, unary
from deploy.planning.capacity.served import Served

CLIENTS: Final = 3  # one picture in work, one that waits, one under way


@dataclass(frozen=True)
class Round:
    """Holds what was measured in so many seconds. cpu_ms: of the server, a request. loop_ms: what its first thread had
    of it. per_second: requests. server_share, client_share: of their cores' time."""

    cpu_ms: float
    loop_ms: float
    per_second: float
    server_share: float
    client_share: float


def calls(groups: Mapping[int, GroupPicture]) -> list[Call]:
    """Every kind of request that is measured."""
    pictures = {faces: photo(group) for faces, group in groups.items()}
    return [
        Call("REST", 1, pictures[1], ""),
        Call("REST", 9, pictures[9], ""),
        Call("REST, tiles=2", 5, pictures[5], "?tiles=2"),
        *(Call("REST, refine", faces, pictures[faces], "?refine=true") for faces in (1, 5, 9)),
        unary("gRPC, JPEG", 1, pb.Image(encoded=pictures[1])),
        unary("gRPC, RGB 288 x 288", 1, square(groups[1])),
    ]


def check(call: Call, served: Served) -> None:
    """Ends the program where an answer has not the faces that the picture shows: figures would be of something else."""
    with call.sender(served) as send:
        answer = send()
    found = len(pb.RetargetResponse.FromString(answer).faces if call.query is None else json.loads(answer)["faces"])
    if found != call.faces:
        sys.exit(f"{call.name}: {found} faces were found in a picture of {call.faces}.")


def saturate(served: Served, call: Call, clients: int, seconds: float) -> Round:
    """Every client sends as soon as it has its answer, for so long."""
    with ExitStack() as held:
        senders = [held.enter_context(call.sender(served)) for _ in range(clients)]
        pool = held.enter_context(ThreadPoolExecutor(clients))
        for send in senders:
            send()
        before, mine, start = spent(served.pid), time.process_time(), time.perf_counter()
        end = start + seconds
        done = sum(pool.map(partial(_until, end), senders))
        took, used = time.perf_counter() - start, spent(served.pid) - before
        client = (time.process_time() - mine) / took
    return Round(used.process / done * 1e3, used.loop / done * 1e3, done / took, used.process / took, client)


def _until(end: float, send: Send) -> int:
    done = 0
    while time.perf_counter() < end:
        send()
        done += 1
    return done


def measure(
    servers: Mapping[str, Served], chosen: list[Call], rounds: int, seconds: float, clients: int = CLIENTS
) -> list[dict[str, Any]]:
    """Figures of every call at every server, by name: all of them in turn, round after round."""
    for served in servers.values():
        for call in chosen:
            check(call, served)
            saturate(served, call, clients, seconds / 4)
    taken: dict[tuple[str, Call], list[Round]] = {(name, call): [] for name in servers for call in chosen}
    for _ in range(rounds):
        for (name, call), of_it in taken.items():
            of_it.append(saturate(servers[name], call, clients, seconds))
    return [
        {"server": name, "call": call.name, "faces": call.faces, **summary(of_it)}
        for (name, call), of_it in taken.items()
    ]


def summary(rounds: list[Round]) -> dict[str, float]:
    """Medians; cpu_ms also the least and the most of a round; the clients' share the most."""
    columns = {key: [asdict(one)[key] for one in rounds] for key in asdict(rounds[0])}
    figures = {key: statistics.median(column) for key, column in columns.items()}
    figures |= {"cpu_ms_least": min(columns["cpu_ms"]), "cpu_ms_most": max(columns["cpu_ms"])}
    figures["client_share"] = max(columns["client_share"])
    return {key: round(figure, 4) for key, figure in figures.items()} | {"rounds": len(rounds)}
