"""Spans for an OpenTelemetry collector, with the optional extra `telemetry`; without it traces only show in the log."""

from typing import Any, Protocol, Self

from service.errors import StartError


class Tracer(Protocol):
    """Takes account of requests that have ended."""

    def span(
        self, name: str, trace_parent: str | None, start_ns: int, end_ns: int, attributes: dict[str, str], failed: bool
    ) -> None:
        """trace_parent: a W3C traceparent header, whose trace the span joins. start_ns, end_ns: of the Unix epoch."""
        ...

    def close(self) -> None:
        """Sends what has not been sent yet."""
        ...


class OtlpTracer:
    """Exports over OTLP/HTTP, in batches and in a thread of its own: a collector that is slow or gone costs nothing."""

    def __init__(self, provider: Any) -> None:
        """provider: an opentelemetry.sdk.trace.TracerProvider."""
        self._provider = provider
        self._tracer = provider.get_tracer("mfn")

    @classmethod
    def to(cls, endpoint: str, version: str) -> Self:
        """endpoint: URL of a collector's traces, such as http://localhost:4318/v1/traces. Raises StartError where the
        extra is not installed."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise StartError(
                "MFN_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: pip install 'mfn-retarget[telemetry]'."
            ) from error
        resource = Resource.create({"service.name": "mfn", "service.version": version})
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        return cls(provider)

    def span(
        self, name: str, trace_parent: str | None, start_ns: int, end_ns: int, attributes: dict[str, str], failed: bool
    ) -> None:
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {"traceparent": trace_parent} if trace_parent else {}
        context = TraceContextTextMapPropagator().extract(carrier)
        span = self._tracer.start_span(name, context, SpanKind.SERVER, attributes, start_time=start_ns)
        if failed:
            span.set_status(StatusCode.ERROR)
        span.end(end_ns)

    def close(self) -> None:
        self._provider.shutdown()
