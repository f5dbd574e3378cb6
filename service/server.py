"""One process, one model, two doors: REST and gRPC on one event loop, until a signal ends it."""

import asyncio
import contextlib
import ctypes
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Final

import numpy as np
import uvicorn
import uvloop

from service.access import Keys
from service.errors import StartError
from service.execution import Execution
from service.grpc.server import GrpcServer
from service.image import Picture
from service.logs import set_up_logs
from service.model_files import Models
from service.pipeline import Options, Pipeline
from service.refine import CROP_SIDE
from service.rest.app import create_app
from service.runtime import Runtime
from service.settings import Settings
from service.tls import Certificate, load_certificate
from service.tracing import OtlpTracer
from service.workers import Workers

LOGGER: Final = logging.getLogger("mfn.server")
M_ARENA_MAX: Final = -8  # <malloc.h>
ARENAS: Final = 2


def serve(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT, then lets requests in work finish; a second signal ends them, too.

    Returns the exit code: 0, or 1 where models, what runs them, keys, certificates or ports keep it from starting; a
    line on stderr says why.
    """
    try:
        certificate = load_certificate(settings)
        keys = Keys.of_setting(settings.api_keys, settings.api_keys_file)
        execution = Execution(
            settings.precision, settings.execution_provider, threads=settings.intra_op_threads, runs=settings.workers
        )
        pipeline = Pipeline(Models.load(settings.models_dir, execution), settings)
        listener = listen(settings.host, settings.http_port)
        set_up_logs(settings.log_level, settings.log_format)
        _keep_memory_flat()
        tracer = None
        if settings.otlp_endpoint:
            tracer = OtlpTracer.to(settings.otlp_endpoint, pipeline.models.manifest.version)
        workers = Workers(settings.workers, settings.queue_length)
        _warm_up(pipeline, workers, settings.workers)
        with listener:
            uvloop.run(_run(Runtime(settings, pipeline, workers, keys, tracer), certificate, listener))
    except StartError as error:
        print(f"mfn: {error}", file=sys.stderr)
        return 1
    workers.close()
    if tracer is not None:
        tracer.close()
    return 0


async def _run(runtime: Runtime, certificate: Certificate | None, listener: socket.socket) -> None:
    """Both doors, from their opening to the end of the last request in work."""
    settings = runtime.settings
    rpc = GrpcServer(runtime, certificate)
    http = _HttpServer(runtime, certificate)
    ending = _Ending()
    ending.watch()
    await rpc.start()
    models = runtime.pipeline.models
    LOGGER.info(
        "Serving %s %s in %s on %s",
        models.manifest.name, models.manifest.version, models.execution.precision, models.execution.provider,
    )  # fmt: skip
    serving = asyncio.create_task(http.serve(sockets=[listener]))
    LOGGER.info(
        "Listening on %s://%s:%d, documented at /docs, and for gRPC on port %d",
        "http" if certificate is None else "https", settings.host, listener.getsockname()[1], rpc.port,
    )  # fmt: skip
    await asyncio.wait([serving, asyncio.create_task(ending.begun.wait())], return_when=asyncio.FIRST_COMPLETED)

    LOGGER.info("Shutting down: requests in work have %g s to finish", settings.drain_seconds)
    runtime.draining.set()
    await rpc.not_ready()
    http.should_exit = True
    finished = asyncio.ensure_future(asyncio.gather(rpc.stop(settings.drain_seconds), serving))
    hurried = asyncio.create_task(ending.hurried.wait())
    await asyncio.wait((finished, hurried), return_when=asyncio.FIRST_COMPLETED)
    if not finished.done():
        LOGGER.warning("Stopping at once: a second signal came")
        http.force_exit = True
        await rpc.stop(0)
    await finished
    LOGGER.info("Stopped")


class _Ending:
    """The signals that end the server. begun: after the first. hurried: after the second."""

    def __init__(self) -> None:
        self.begun, self.hurried = asyncio.Event(), asyncio.Event()

    def watch(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        (self.hurried if self.begun.is_set() else self.begun).set()


class _HttpServer(uvicorn.Server):
    """A uvicorn server whose signals are someone else's."""

    def __init__(self, runtime: Runtime, certificate: Certificate | None) -> None:
        settings = runtime.settings
        super().__init__(
            uvicorn.Config(
                create_app(runtime),
                log_config=None,
                access_log=False,
                proxy_headers=False,  # nothing here asks who the client is
                lifespan="off",
                timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
                server_header=False,
                ws="websockets-sansio",
                ws_max_size=settings.max_bytes,
                ssl_certfile=certificate.chain_file if certificate else None,
                ssl_keyfile=certificate.key_file if certificate else None,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


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


def _warm_up(pipeline: Pipeline, workers: Workers, count: int) -> None:
    """One empty picture through both networks in each of `count` threads, so that no request takes longer than the
    next, nor needs memory that those before it did not."""
    together = threading.Barrier(count)  # keeps a quick thread from taking two of the jobs

    def work() -> None:
        together.wait()
        side = pipeline.models.side
        pipeline.retarget_picture(Picture(np.zeros((side, side, 3), np.uint8), side, side), Options())
        pipeline.models.sfn.run(np.zeros((1, CROP_SIDE, CROP_SIDE, 3), np.uint8))

    for job in [workers.submit(work, bounded=False) for _ in range(count)]:
        job.result()


def _keep_memory_flat() -> None:
    """Bounds what glibc's malloc holds in reserve: by default each of many threads has an arena of its own, and each
    arena keeps what pictures of the past have left in it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
