"""Logs and measures each request, whatever its transport: id, trace, duration and code."""

import logging
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter, time_ns
from typing import Final

from service.errors import RequestError, internal_failure, memory_problem
from service.server.telemetry.metrics import Metrics
from service.server.telemetry.tracing import Tracer

LOGGER: Final = logging.getLogger("mfn.requests")
REQUEST_ID_HEADER: Final = "x-request-id"
REQUEST_ID: Final = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)  # of a client: safe in a log and in a header
SERVER_FAILURES: Final = frozenset({"500", "INTERNAL"})
TRACE_PARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


def trace_of(trace_parent: str | None) -> str:
    """The trace id of a W3C traceparent header (Trace Context, section 3.2), "" where there is no valid one."""
    match = TRACE_PARENT.fullmatch(trace_parent or "")
    if not match or not int(match[1], 16) or not int(match[2], 16) or trace_parent is None or trace_parent[:2] == "ff":
        return ""
    return match[1]


def _new_id() -> str:
    """A request's id. It need not be a secret: asking the kernel for one would let other threads have their turn."""
    return f"{random.getrandbits(64):016x}"


@dataclass(frozen=True)
class Telemetry:
    """The sinks of telemetry. tracer: None without a collector."""

    metrics: Metrics
    tracer: Tracer | None = None


class RequestLog:
    """One request, from its arrival to `end`."""

    def __init__(
        self,
        telemetry: Telemetry,
        transport: str,
        method: str,
        request_id: str | None = None,
        trace_parent: str | None = None,
        client: str = "",
    ) -> None:
        """Starts the log of a request. method: of bounded number, since it is a label.

        request_id: the client's, kept where it is short and plain; otherwise a new one. trace_parent: the client's W3C
        traceparent header. client: its address, "" where it is not known.
        """
        self.client = client
        self.request_id = request_id if request_id and REQUEST_ID.fullmatch(request_id) else _new_id()
        self.trace_id = trace_of(trace_parent)
        self.transport, self.method = transport, method
        self._telemetry = telemetry
        self._trace_parent = trace_parent if self.trace_id else None
        self._start, self._start_ns = perf_counter(), time_ns()
        telemetry.metrics.in_progress.inc()

    def problem_of(self, error: Exception, details: Mapping[str, object] | None = None) -> RequestError:
        """The problem that a client is told of an error. Logs an error of the server itself, with the request's id.

        details: more fields of the log line, such as a frame's sequence.
        """
        if isinstance(error, RequestError):
            return error
        fields = {"request_id": self.request_id, "transport": self.transport, "method": self.method, **(details or {})}
        if (shortage := memory_problem(error)) is not None:
            LOGGER.warning("no memory left for a request: %r", error, extra={"fields": fields})
            return shortage
        LOGGER.error("a request failed", exc_info=error, extra={"fields": fields})
        return internal_failure()

    def end(self, code: str, observed: bool = True) -> None:
        """Ends the request after its response. code: of HTTP or gRPC.

        observed: whether its duration goes into the metrics. That of a whole stream must not.
        """
        seconds = perf_counter() - self._start
        metrics, tracer = self._telemetry.metrics, self._telemetry.tracer
        metrics.in_progress.dec()
        if observed:
            metrics.request(self.transport, self.method, code, seconds)
        fields = {
            "request_id": self.request_id,
            "transport": self.transport,
            "method": self.method,
            "client": self.client,
            "code": code,
            "duration_ms": round(seconds * 1e3, 3),
        }
        LOGGER.info("request", extra={"fields": fields | ({"trace_id": self.trace_id} if self.trace_id else {})})
        if tracer is not None:
            attributes = {"request.id": self.request_id, "network.protocol.name": self.transport, "response.code": code}
            end_ns = self._start_ns + round(seconds * 1e9)
            tracer.span(self.method, self._trace_parent, self._start_ns, end_ns, attributes, code in SERVER_FAILURES)
