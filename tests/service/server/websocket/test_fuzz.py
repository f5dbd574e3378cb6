"""Messages in any order, of any text and bytes: a stream ends as it should, and the next is served."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bench.fuzzing.pictures import mutated, seeds
from bench.fuzzing.websocket_messages import Messages, streams
from service.inference.pipeline import Pipeline
from service.server.rest.app import RestApp
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from tests.service.server.rest.conftest import running

PATIENCE = 20  # seconds
KNOWN_CLOSURES = {1000, 1002, 1007, 1008, 1009, 1013}  # RFC 6455, section 7.4.1, but for 1011: the server failed
ENCODED = st.one_of(st.binary(max_size=200), mutated(seeds()))


@pytest.fixture(scope="module")
def url(settings: Settings, pipeline: Pipeline, workers: Workers) -> Iterator[str]:
    with running(RestApp(ServerState(settings, pipeline, workers))) as client:
        yield str(client.base_url).replace("http", "ws") + "/retarget/stream"


def talk(url: str, messages: Messages) -> tuple[list[str], int | None]:
    """Sends all messages. Returns the names of the problems that were answered, and the code of the server's close."""
    problems: list[str] = []
    with connect(url, proxy=None, close_timeout=PATIENCE) as client:
        try:
            for message in messages:
                client.send(message)
            while True:
                answer = json.loads(client.recv(timeout=0.02))
                if "problem" in answer:
                    problems.append(answer["problem"]["type"].rpartition(":")[2])
        except (TimeoutError, ConnectionClosed):
            pass
        client.close()
        return problems, client.close_code


@given(streams(ENCODED))
@hypothesis_settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_messages_ends_as_it_should(url: str, png: bytes, messages: Messages) -> None:
    problems, code = talk(url, messages)
    assert "internal" not in problems
    assert code in KNOWN_CLOSURES
    with connect(url, proxy=None) as client:
        client.send("{}")
        assert "model" in json.loads(client.recv(timeout=PATIENCE))
        client.send(png)
        assert json.loads(client.recv(timeout=PATIENCE))["faces"]
