"""Runs the REST door until a signal ends it: models first, then the socket, then requests; the same way back."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Iterator
from types import FrameType

import numpy as np
import uvicorn
from fastapi import FastAPI

from service.errors import StartError
from service.image import Picture
from service.model_files import Models
from service.pipeline import Options, Pipeline
from service.refine import CROP_SIDE
from service.rest.app import create_app
from service.settings import Settings
from service.workers import Workers


def serve(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT, then lets requests in work finish. Returns the exit code: 0, or 1 where the
    models or the port keep it from starting; one line on stderr says why."""
    try:
        pipeline = Pipeline(Models.load(settings.models_dir, settings.intra_op_threads), settings)
        listener = listen(settings.host, settings.http_port)
    except StartError as error:
        print(f"mfn: {error}", file=sys.stderr)
        return 1
    _warm_up(pipeline)
    workers = Workers(settings.workers, settings.queue_length)
    app = create_app(settings, pipeline, workers)
    config = uvicorn.Config(
        app,
        log_level=settings.log_level,
        access_log=settings.log_level == "debug",
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
        server_header=False,
        ws="none",
    )
    # uvicorn says it only of sockets that it makes itself; with port 0 there is no other way to know.
    logging.getLogger("uvicorn.error").info(
        "Listening on http://%s:%d, documented at /docs", settings.host, listener.getsockname()[1]
    )
    with listener:
        asyncio.run(_Server(config, app).serve(sockets=[listener]))
    workers.close()
    return 0


class _Server(uvicorn.Server):
    """A server whose signals only end it: uvicorn would raise them again when done, and the exit code would be -15."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._app.state.draining = True
        super().handle_exit(sig, frame)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises StartError where the address is taken or not ours."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise StartError(
            f"Cannot listen on {host} port {port}: {error.strerror or error}. Set MFN_HOST or MFN_HTTP_PORT."
        ) from error
    # Accepted sockets inherit this. Without it an answer's headers and body, two writes, lie 40 ms apart: asyncio
    # sets it only on sockets made with an explicit TCP protocol number, which create_server's are not.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _warm_up(pipeline: Pipeline) -> None:
    """One empty picture through both networks, so that the first request takes no longer than the next."""
    side = pipeline.models.side
    pipeline.retarget_picture(Picture(np.zeros((side, side, 3), np.uint8), side, side), Options())
    pipeline.models.sfn.run(np.zeros((1, CROP_SIDE, CROP_SIDE, 3), np.uint8))
