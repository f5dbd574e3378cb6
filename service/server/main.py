"""The server process: an HTTP and a gRPC server on one event loop, from its start to its shutdown by a signal."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import uvloop

from service import __version__
from service.cores import usable_cores
from service.errors import StartError
from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.published import published
from service.server.auth import ApiKeys
from service.server.free_memory import give_back, give_back_when_idle, use_one_arena
from service.server.grpc.server import GrpcServer
from service.server.listening import EVERY_ADDRESS, EVERY_IPV4_ADDRESS, bound, families, port_problem
from service.server.open_files import within_open_files
from service.server.rest.app import RestApp
from service.server.rest.readiness import Readiness
from service.server.rest.server import HttpServer
from service.server.rest.studio import PAGE
from service.server.rest.studio_files import StudioFile, studio_files
from service.server.state import ServerState
from service.server.telemetry.log_writer import STANDARD_ERROR, write_at_once
from service.server.telemetry.logs import set_up_logs
from service.server.telemetry.tracing import OtlpTracer
from service.server.tls import Certificate, RenewableContext, load_certificate
from service.server.tls_reload import CertificateReloader
from service.server.workers import Workers
from service.settings import OFF, Settings
from service.vision.crops import CROP_SIDE
from service.vision.image import Picture

LOGGER: Final = logging.getLogger("mfn.server")
NO_MEMORY_LINE: Final = b"mfn: No memory is left for the server itself. Give it more, or lower MFN_MAX_MEGAPIXELS.\n"
BACKLOG: Final = 2048  # connections that may wait to be accepted


def serve(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT, then lets requests in progress finish; a second signal ends them, too.

    Returns the exit code: 0, or 1 where models, execution provider, keys, certificate or ports keep it from starting; a
    line on stderr tells why.
    """
    try:
        _serve(settings)
    except StartError as error:
        print(f"mfn: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(settings: Settings) -> None:
    """Serves until the signal and the end of what is in work. Raises StartError."""
    use_one_arena()
    certificate = load_certificate(settings)
    keys = ApiKeys.of_setting(settings.api_keys, settings.api_keys_file)
    execution = Execution(
        settings.precision, settings.execution_provider, threads=settings.intra_op_threads, runs=settings.workers
    )
    with bound(settings.host, settings.http_port, "MFN_HTTP_PORT") as listeners:
        with bound(settings.host, settings.grpc_port, "MFN_GRPC_PORT"):
            pass  # gRPC binds it later, with a less clear error
        pipeline = Pipeline(Models.load(settings.models_dir, execution), settings)
        with contextlib.closing(set_up_logs(settings.log_level, settings.log_format)) as log:
            settings = within_open_files(settings)
            tracer = None
            if settings.otlp_endpoint:
                tracer = OtlpTracer.to(settings.otlp_endpoint, __version__)
            workers = Workers(settings.workers, settings.queue_length)
            _warm_up(pipeline, workers, settings.workers)
            give_back()
            state = ServerState(settings, pipeline, workers, keys, tracer)
            log.on_drop = state.metrics.log_lines_dropped.inc
            _freeze()
            uvloop.run(_run(state, certificate, listeners))
            workers.close()
            if tracer is not None:
                tracer.close()


async def _run(state: ServerState, certificate: Certificate | None, listeners: list[socket.socket]) -> None:
    """Runs both servers from their start to the end of the last request in progress."""
    settings = state.settings
    asyncio.get_running_loop().set_exception_handler(_on_loop_failure)
    if certificate is not None:
        state.metrics.certificate(certificate.end)
    rpc = GrpcServer(state, certificate)
    studio = _studio(settings)
    http = _Http(state, certificate, studio)
    signals = _ShutdownSignals()
    signals.watch()
    try:
        for listener in listeners:
            listener.listen(BACKLOG)
    except OSError as error:  # another process listens there by now, or our gRPC server where both ports are the same
        await rpc.stop(0)
        raise port_problem(settings.host, settings.http_port, "MFN_HTTP_PORT", error) from error
    await rpc.start()
    background = (
        asyncio.create_task(_reload_certificate(state, certificate, rpc, http)),
        asyncio.create_task(give_back_when_idle(lambda: state.workers.finished)),
    )
    models = state.pipeline.models
    LOGGER.info(
        "Serving %s %s in %s on %s",
        models.manifest.name, models.manifest.version, models.execution.precision, models.execution.provider,
    )  # fmt: skip
    LOGGER.info("%d workers: %s", settings.workers, _why_so_many(settings.workers))
    serving = asyncio.create_task(http.server.serve(sockets=listeners))
    scheme, port = "http" if certificate is None else "https", listeners[0].getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    LOGGER.info(
        "Listening on %s://%s:%d, documented at /docs, and for gRPC on port %d, over %s",
        scheme, host, port, rpc.port, families(listeners),
    )  # fmt: skip
    if studio:
        here = "localhost" if settings.host in (EVERY_ADDRESS, EVERY_IPV4_ADDRESS) else host
        LOGGER.info("Open %s://%s:%d%s: a page in which faces move characters", scheme, here, port, PAGE)
    await asyncio.wait([serving, asyncio.create_task(signals.first.wait())], return_when=asyncio.FIRST_COMPLETED)

    http.not_ready()
    await rpc.not_ready()
    forced = asyncio.create_task(signals.second.wait())
    if settings.drain_delay_seconds:
        LOGGER.info("Not ready any more: what comes within %g s is still taken", settings.drain_delay_seconds)
        await asyncio.wait((serving, forced), timeout=settings.drain_delay_seconds, return_when=asyncio.FIRST_COMPLETED)
    LOGGER.info("Shutting down: requests in work have %g s to finish", settings.drain_seconds)
    http.server.should_exit = True
    stopping = asyncio.create_task(rpc.stop(settings.drain_seconds))
    await asyncio.sleep(0)  # so that clients get GOAWAY before their streams end, and open them on another server
    state.draining.set()
    finished = asyncio.gather(stopping, serving)
    await asyncio.wait((finished, forced), return_when=asyncio.FIRST_COMPLETED)
    if not finished.done():
        LOGGER.warning("Stopping at once: a second signal came")
        http.server.force_exit = True
        await rpc.stop(0)
    await finished
    for task in background:
        task.cancel()
    LOGGER.info("Stopped")


def _why_so_many(workers: int) -> str:
    """A clause that says what the number of workers follows from."""
    cores = usable_cores()
    return cores.reason if workers == cores.count else f"MFN_WORKERS says so, while {cores.reason}"


def _studio(settings: Settings) -> dict[str, StudioFile]:
    """The files of the Studio; empty where it is off, or not built."""
    if settings.studio == OFF:
        return {}
    folder = published("studio")
    files = studio_files(folder, published("models"))
    if not files:
        LOGGER.warning("There is no Studio: %s/dist holds no page. Run `make studio`, or set MFN_STUDIO=off.", folder)
    return files


async def _reload_certificate(
    state: ServerState, certificate: Certificate | None, rpc: GrpcServer, http: "_Http"
) -> None:
    """Reloads the certificate into both servers and the metric whenever its files change, until it is cancelled."""
    if certificate is None:
        return

    def on_renewal(renewed: Certificate) -> None:
        rpc.replace_certificate(renewed)
        http.replace_certificate(renewed)
        state.metrics.certificate(renewed.end)

    await CertificateReloader(state.settings, certificate, on_renewal).watch()


def _on_loop_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Ends the process where the event loop itself runs out of memory.

    The loop does not repeat what has failed, and a server that answers only some requests is worse than a restart.
    """
    if isinstance(context.get("exception"), MemoryError):
        write_at_once(STANDARD_ERROR, NO_MEMORY_LINE)
        os._exit(1)
    loop.default_exception_handler(context)


class _ShutdownSignals:
    """The signals that end the server. first, second: set when the first and the second one come."""

    def __init__(self) -> None:
        self.first, self.second = asyncio.Event(), asyncio.Event()

    def watch(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        (self.second if self.first.is_set() else self.first).set()


class _Http:
    """The HTTP server, its application, its readiness, and its certificate where there is one."""

    def __init__(self, state: ServerState, certificate: Certificate | None, studio: Mapping[str, StudioFile]) -> None:
        self._readiness = Readiness(state)
        self._tls = RenewableContext(certificate) if certificate else None
        app = RestApp(state, self._readiness, studio)
        self.server = HttpServer(app, state.settings, self._tls.context if self._tls else None)

    def replace_certificate(self, certificate: Certificate) -> None:
        """Presents this certificate to new connections."""
        if self._tls is not None:
            self._tls.replace_certificate(certificate)

    def not_ready(self) -> None:
        """Lets /readyz answer 503 from now on; requests are still served."""
        self._readiness.set_not_ready()


def _warm_up(pipeline: Pipeline, workers: Workers, count: int) -> None:
    """Warms up both networks with an empty picture of each input size in each of `count` threads, so that the first
    requests are as fast as later ones. Raises StartError where that fails."""
    barrier = threading.Barrier(count)  # so that each thread takes one of the jobs

    def work() -> None:
        barrier.wait()
        for side in pipeline.models.priors:
            picture = Picture(np.zeros((side, side, 3), np.uint8), side, side)
            try:
                pipeline.detect(picture, RetargetOptions(input_size=side), search=False)  # one inference is enough
            except Exception as error:  # onnxruntime's own exceptions have no common base class
                reason = " ".join(str(error).split())
                raise StartError(
                    f"The models in {pipeline.settings.models_dir} cannot be run at {side} pixels, a size that their "
                    f"manifest offers: {reason} Restore the files that belong together, or set MFN_MODELS_DIR."
                ) from error
        pipeline.models.sfn.run(np.zeros((1, CROP_SIDE, CROP_SIDE, 3), np.uint8))

    for job in [workers.submit(work, bounded=False) for _ in range(count)]:
        job.result()


def _freeze() -> None:
    """Takes what is there by now, and stays, out of the garbage collector's sight: a full collection of it stops all
    threads for some 15 ms, for nothing."""
    gc.collect()
    gc.freeze()
