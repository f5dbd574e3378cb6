"""The gRPC door behind a real server on loopback, in a thread of the test's process."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, TypeVar, cast

import grpc
import pytest
from mfn.v1 import retarget_pb2_grpc

from service.inference.pipeline import Pipeline
from service.server.grpc.server import GrpcServer
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings

PATIENCE = 20  # seconds; nothing here takes more than an instant
Result = TypeVar("Result")


def trailing_metadata(error: grpc.RpcError) -> dict[str, str]:
    """What came with the end of a call that failed. (grpc-stubs do not know that these are pairs, and of texts.)"""
    return dict(cast("tuple[tuple[str, str], ...]", error.trailing_metadata()))


class Running:
    """A server on a loop of its own, and a channel to it."""

    def __init__(self, state: ServerState) -> None:
        self.state = state
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.server: GrpcServer = self.on_loop(self._start())
        self.port = self.server.port
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.stub = retarget_pb2_grpc.RetargetServiceStub(self.channel)

    async def _start(self) -> GrpcServer:
        server = GrpcServer(self.state, None)
        await server.start()
        return server

    def on_loop(self, task: Coroutine[Any, Any, Result]) -> Result:
        """Runs a coroutine on the server's loop and returns what it does."""
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(PATIENCE)

    def drain(self) -> None:
        async def task() -> None:
            self.state.draining.set()

        self.on_loop(task())

    def close(self) -> None:
        self.channel.close()
        self.on_loop(self.server.stop(0.5))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


@contextmanager
def running(state: ServerState) -> Iterator[Running]:
    server = Running(state)
    try:
        yield server
    finally:
        server.close()


Serve = Callable[[ServerState], Running]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a state of the test's own until its end."""
    with ExitStack() as stack:
        yield lambda state: stack.enter_context(running(state))


@pytest.fixture(scope="session")
def local(settings: Settings) -> Settings:
    return replace(settings, host="127.0.0.1", grpc_port=0, max_streams=4)


@pytest.fixture(scope="session")
def door(local: Settings, pipeline: Pipeline, workers: Workers) -> Iterator[Running]:
    with running(ServerState(local, pipeline, workers)) as server:
        yield server
