"""The REST door behind a real server on loopback, in a thread of the test's process."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx2
import pytest

from service.inference.pipeline import Pipeline
from service.server.rest.app import RestApp
from service.server.rest.server import HttpServer
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings

SETTINGS = Settings(max_bytes=2**20)
Serve = Callable[[RestApp], httpx2.Client]


@contextmanager
def running(app: RestApp, settings: Settings = SETTINGS) -> Iterator[httpx2.Client]:
    """A client of the application, served until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = HttpServer(app, settings)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        with httpx2.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=30) as client:
            yield client
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def app(settings: Settings, pipeline: Pipeline, workers: Workers) -> RestApp:
    return RestApp(ServerState(settings, pipeline, workers))


@pytest.fixture(scope="session")
def client(app: RestApp) -> Iterator[httpx2.Client]:
    with running(app) as client:
        yield client


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves an application of the test's own until its end."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(running(app))
