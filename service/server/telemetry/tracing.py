"""Spans for an OpenTelemetry collector, with the optional extra `telemetry`."""

from typing import Any, Protocol, Self

from service.errors import StartError


class Tracer(Protocol):
    """Records spans of requests that have ended."""

    def span(
        self, name: str, trace_parent: str | None, start_ns: int, end_ns: int, attributes: dict[str, str], failed: bool
    ) -> None:
        """Records a span. trace_parent: a W3C traceparent header, whose trace the span joins.

        start_ns, end_ns: nanoseconds since the Unix epoch.
        """
        ...

    def close(self) -> None:
        """Sends the spans that have not been sent yet."""
        ...


class OtlpTracer:
    """Exports spans over OTLP/HTTP, in batches and in its own thread, so a slow or missing collector delays nothing."""

    def __init__(self, provider: Any) -> None:
        """provider: an opentelemetry.sdk.trace.TracerProvider."""
        self._provider = provider
        self._tracer = provider.get_tracer("mfn")

    @classmethod
    def to(cls, endpoint: str, version: str) -> Self:
        """A tracer for a collector. Raises StartError where the extra is not installed.

        endpoint: URL of the collector's traces, such as http://localhost:4318/v1/traces. version: of the service.
        """
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
        """Records a span, as in Tracer."""
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {"traceparent": trace_parent} if trace_parent else {}
        context = TraceContextTextMapPropagator().extract(carrier)
        span = self._tracer.start_span(name, context, SpanKind.SERVER, attributes, start_time=start_ns)
        if failed:
            span.set_status(StatusCode.ERROR)
        span.end(end_ns)

    def close(self) -> None:
        """Sends the spans that have not been sent yet, and stops the exporter."""
        self._provider.shutdown()
