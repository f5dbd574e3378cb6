"""One process, one model, two servers: HTTP and gRPC on one event loop, until a signal ends it."""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
import sys
import threading
from typing import Any, Final

import numpy as np
import uvloop

from service import __version__
from service.errors import StartError
from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.server.auth import ApiKeys
from service.server.grpc.server import GrpcServer
from service.server.open_files import within_open_files
from service.server.rest.app import create_app
from service.server.rest.readiness import Readiness
from service.server.rest.server import HttpServer
from service.server.state import ServerState
from service.server.telemetry.logs import set_up_logs
from service.server.telemetry.tracing import OtlpTracer
from service.server.tls import Certificate, RenewableContext, load_certificate
from service.server.tls_reload import CertificateReloader
from service.server.workers import Workers
from service.settings import Settings
from service.vision.crops import CROP_SIDE
from service.vision.image import Picture

LOGGER: Final = logging.getLogger("mfn.server")
M_ARENA_MAX: Final = -8  # <malloc.h>
ARENAS: Final = 2
NO_MEMORY_LINE: Final = b"mfn: No memory is left for the server itself. Give it more, or lower MFN_MAX_MEGAPIXELS.\n"
BACKLOG: Final = 2048  # connections that may wait to be taken up


def serve(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT, then lets requests in work finish; a second signal ends them, too.

    Returns the exit code: 0, or 1 where models, what runs them, keys, certificates or ports keep it from starting; a
    line on stderr says why.
    """
    try:
        certificate = load_certificate(settings)
        keys = ApiKeys.of_setting(settings.api_keys, settings.api_keys_file)
        execution = Execution(
            settings.precision, settings.execution_provider, threads=settings.intra_op_threads, runs=settings.workers
        )
        with bind(settings.host, settings.http_port, "MFN_HTTP_PORT") as listener:
            bind(settings.host, settings.grpc_port, "MFN_GRPC_PORT").close()  # gRPC binds it later, and says less of it
            pipeline = Pipeline(Models.load(settings.models_dir, execution), settings)
            set_up_logs(settings.log_level, settings.log_format)
            settings = within_open_files(settings)
            _keep_memory_flat()
            tracer = None
            if settings.otlp_endpoint:
                tracer = OtlpTracer.to(settings.otlp_endpoint, __version__)
            workers = Workers(settings.workers, settings.queue_length)
            _warm_up(pipeline, workers, settings.workers)
            uvloop.run(_run(ServerState(settings, pipeline, workers, keys, tracer), certificate, listener))
    except StartError as error:
        print(f"mfn: {error}", file=sys.stderr)
        return 1
    workers.close()
    if tracer is not None:
        tracer.close()
    return 0


async def _run(state: ServerState, certificate: Certificate | None, listener: socket.socket) -> None:
    """Both servers, from their start to the end of the last request in work."""
    settings = state.settings
    asyncio.get_running_loop().set_exception_handler(_on_loop_failure)
    if certificate is not None:
        state.metrics.certificate(certificate.end)
    rpc = GrpcServer(state, certificate)
    http = _Http(state, certificate)
    ending = _Ending()
    ending.watch()
    try:
        listener.listen(BACKLOG)
    except OSError as error:  # somebody else has come to listen there meanwhile, as gRPC where its port is the same
        await rpc.stop(0)
        raise _port_problem(settings.host, settings.http_port, "MFN_HTTP_PORT", error) from error
    await rpc.start()
    renewing = asyncio.create_task(_reload_certificate(state, certificate, rpc, http))
    models = state.pipeline.models
    LOGGER.info(
        "Serving %s %s in %s on %s",
        models.manifest.name, models.manifest.version, models.execution.precision, models.execution.provider,
    )  # fmt: skip
    serving = asyncio.create_task(http.server.serve(sockets=[listener]))
    LOGGER.info(
        "Listening on %s://%s:%d, documented at /docs, and for gRPC on port %d",
        "http" if certificate is None else "https", settings.host, listener.getsockname()[1], rpc.port,
    )  # fmt: skip
    await asyncio.wait([serving, asyncio.create_task(ending.begun.wait())], return_when=asyncio.FIRST_COMPLETED)

    http.not_ready()
    await rpc.not_ready()
    hurried = asyncio.create_task(ending.hurried.wait())
    if settings.drain_delay_seconds:
        LOGGER.info("Not ready any more: what comes within %g s is still taken", settings.drain_delay_seconds)
        await asyncio.wait(
            (serving, hurried), timeout=settings.drain_delay_seconds, return_when=asyncio.FIRST_COMPLETED
        )
    LOGGER.info("Shutting down: requests in work have %g s to finish", settings.drain_seconds)
    http.server.should_exit = True
    stopping = asyncio.create_task(rpc.stop(settings.drain_seconds))
    await asyncio.sleep(0)  # it begins: clients are told before their streams end, and open them elsewhere
    state.draining.set()
    finished = asyncio.gather(stopping, serving)
    await asyncio.wait((finished, hurried), return_when=asyncio.FIRST_COMPLETED)
    if not finished.done():
        LOGGER.warning("Stopping at once: a second signal came")
        http.server.force_exit = True
        await rpc.stop(0)
    await finished
    renewing.cancel()
    LOGGER.info("Stopped")


async def _reload_certificate(
    state: ServerState, certificate: Certificate | None, rpc: GrpcServer, http: "_Http"
) -> None:
    """Both servers and the metric follow the certificate's files for as long as the server runs."""
    if certificate is None:
        return

    def show(renewed: Certificate) -> None:
        rpc.show(renewed)
        http.show(renewed)
        state.metrics.certificate(renewed.end)

    await CertificateReloader(state.settings, certificate, show).watch()


def _on_loop_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Ends the process where the event loop itself finds no memory: what it has missed it will not make up for, and a
    server that answers some and not others is worse than one that is started anew."""
    if isinstance(context.get("exception"), MemoryError):
        os.write(sys.stderr.fileno(), NO_MEMORY_LINE)
        os._exit(1)
    loop.default_exception_handler(context)


class _Ending:
    """The signals that end the server. begun: after the first. hurried: after the second."""

    def __init__(self) -> None:
        self.begun, self.hurried = asyncio.Event(), asyncio.Event()

    def watch(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        (self.hurried if self.begun.is_set() else self.begun).set()


class _Http:
    """The HTTP server, its application, its readiness, and its certificate where there is one."""

    def __init__(self, state: ServerState, certificate: Certificate | None) -> None:
        self._readiness = Readiness(state)
        self._tls = RenewableContext(certificate) if certificate else None
        app = create_app(state, self._readiness)
        self.server = HttpServer(app, state.settings, self._tls.context if self._tls else None)

    def show(self, certificate: Certificate) -> None:
        """Connections that come from now on are shown this one."""
        if self._tls is not None:
            self._tls.show(certificate)

    def not_ready(self) -> None:
        """/readyz says 503 from now on; requests are still served."""
        self._readiness.leave()


def bind(host: str, port: int, setting: str) -> socket.socket:
    """A socket that is bound and does not listen yet: nobody is to connect before the server can answer.

    setting: the name of the port's. Raises StartError where the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    # A port of which connections of an earlier server linger is free; one that is listened on is not.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit this. Without it an answer's headers and body, two writes, lie 40 ms apart: asyncio
    # sets it only on sockets made with an explicit TCP protocol number.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise _port_problem(host, port, setting, error) from error
    return listener


def _port_problem(host: str, port: int, setting: str, error: OSError) -> StartError:
    return StartError(f"Cannot listen on {host} port {port}: {error.strerror or error}. Set MFN_HOST or {setting}.")


def _warm_up(pipeline: Pipeline, workers: Workers, count: int) -> None:
    """One empty picture of each input size through both networks in each of `count` threads, so that no request takes
    longer than the next, nor needs memory that those before it did not."""
    together = threading.Barrier(count)  # keeps a quick thread from taking two of the jobs

    def work() -> None:
        together.wait()
        for side in pipeline.models.priors:
            picture = Picture(np.zeros((side, side, 3), np.uint8), side, side)
            pipeline.retarget_picture(picture, RetargetOptions(input_size=side))
        pipeline.models.sfn.run(np.zeros((1, CROP_SIDE, CROP_SIDE, 3), np.uint8))

    for job in [workers.submit(work, bounded=False) for _ in range(count)]:
        job.result()


def _keep_memory_flat() -> None:
    """Bounds what glibc's malloc holds in reserve: by default each of many threads has an arena of its own, and each
    arena keeps what pictures of the past have left in it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
