"""The clients that follow readiness, what they count, and one restart of two real servers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
from PIL import Image

from bench.rolling import Outcome, Replica, roll
from bench.senders import CORE_ERROR, Ending, Endpoints, Tally
from tests.service.tiny_models import encoded, write_models

URLS = ["http://a", "http://b", "http://c"]


def looked(states: dict[str, int | None]) -> list[str]:
    """Six turns after a look at servers that answer with these statuses, or not at all."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == "/readyz"
        status = states[f"http://{request.url.host}"]
        if status is None:
            raise httpx2.ConnectError("nobody listens")
        return httpx2.Response(status)

    async def scene() -> list[str]:
        endpoints = Endpoints(URLS)
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
            await endpoints.look(client)
        return [endpoints.next() for _ in range(6)]

    return asyncio.run(scene())


def test_servers_take_turns() -> None:
    assert looked(dict.fromkeys(URLS, 200)) == URLS * 2


@pytest.mark.parametrize("state", [503, None])
def test_a_server_that_is_not_ready_gets_nothing(state: int | None) -> None:
    assert Counter(looked({"http://a": 200, "http://b": state, "http://c": 200})) == {"http://a": 3, "http://c": 3}


def test_where_none_is_ready_any_is_asked() -> None:
    assert set(looked(dict.fromkeys(URLS))) == set(URLS)


def test_failures_are_counted_by_their_kind() -> None:
    tally = Tally()
    for error in (None, httpx2.ReadError("cut off"), httpx2.ReadError("cut off")):
        with tally.request():
            if error is not None:
                raise error
    assert (tally.requests, tally.failures) == (3, {"ReadError: cut off": 2})
    assert tally.longest > 0
    with pytest.raises(ZeroDivisionError), tally.request():  # a mistake of the bench's own
        raise ZeroDivisionError


def test_nothing_is_lost_where_no_request_failed_and_every_server_ended_well() -> None:
    assert Outcome(codes=Counter({0: 20})).lost_nothing
    assert not Outcome(codes=Counter({0: 19, 1: 1})).lost_nothing
    failed = Outcome(codes=Counter({0: 20}))
    failed.tallies["gRPC"].failures["CANCELLED"] += 1
    assert not failed.lost_nothing


SERVERS = (grpc.StatusCode.UNAVAILABLE, "the server is about to stop")
GRPCIOS = (grpc.StatusCode.INTERNAL, CORE_ERROR)


class Call:
    """One that ends with these statuses, one a look, the last of which stays; it is done before the second."""

    def __init__(self, *statuses: tuple[grpc.StatusCode, str]) -> None:
        self.statuses = list(statuses)
        self.callbacks: list[Callable[[Any], None]] = []

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self.callbacks.append(callback)

    def done(self) -> None:
        for callback in self.callbacks:
            callback(self)

    async def code(self) -> grpc.StatusCode:
        return self.statuses[0][0]

    async def details(self) -> str:
        _, details = self.statuses[0]
        self.statuses = self.statuses[1:] or self.statuses
        return details


@pytest.mark.parametrize(
    "statuses", [[SERVERS], [SERVERS, GRPCIOS], [GRPCIOS, SERVERS], [GRPCIOS, GRPCIOS, GRPCIOS, SERVERS]]
)
def test_a_stream_ended_with_what_the_server_said(statuses: list[tuple[grpc.StatusCode, str]]) -> None:
    async def scene() -> tuple[grpc.StatusCode, str]:
        call = Call(*statuses)
        ending = Ending(call)
        call.done()
        return await ending.status()

    assert asyncio.run(scene()) == SERVERS


def test_a_status_that_never_comes_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.senders.REASON_SECONDS", 0.05)
    assert asyncio.run(Ending(Call(GRPCIOS)).status()) == GRPCIOS


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    write_models(tmp_path)
    picture = encoded(Image.new("RGB", (96, 96)), "PNG")
    replicas = [Replica(tmp_path, delay=1.0) for _ in range(2)]
    with ExitStack() as stack:
        for replica in replicas:
            stack.callback(replica.kill)
        outcome = asyncio.run(roll(replicas, picture, rounds=1, poll=0.1, senders=1, settle=0.5))
    assert outcome.codes == {0: 1}
    assert not [failure for tally in outcome.tallies.values() for failure in tally.failures]
    assert all(tally.requests for tally in outcome.tallies.values())
