import builtins
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from service.errors import StartError
from service.server.telemetry.metrics import Limits, Metrics
from service.server.telemetry.request_log import RequestLog, Telemetry
from service.server.telemetry.tracing import OtlpTracer

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector() -> Iterator[tuple[str, "Queue[bytes]"]]:
    """Where a collector of our own listens, and what it got."""
    bodies: Queue[bytes] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", bodies
        server.shutdown()


def test_a_request_becomes_a_span_of_its_senders_trace(collector: tuple[str, "Queue[bytes]"]) -> None:
    endpoint, bodies = collector
    tracer = OtlpTracer.to(endpoint, "1.2.3")
    account = Telemetry(Metrics("1.2.3", "ab", "int8", "cpu", Limits(1, 32, 64), lambda: 0), tracer)
    RequestLog(account, "http", "POST /retarget", "r-1", f"00-{TRACE}-{PARENT}-01").end("500")
    RequestLog(account, "grpc", "Retarget").end("OK")
    tracer.close()
    (resource,) = ExportTraceServiceRequest.FromString(bodies.get(timeout=10)).resource_spans
    names = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert (names["service.name"], names["service.version"]) == ("mfn", "1.2.3")
    joined, alone = resource.scope_spans[0].spans
    assert (joined.name, joined.trace_id.hex(), joined.parent_span_id.hex()) == ("POST /retarget", TRACE, PARENT)
    assert (joined.status.code, alone.status.code) == (2, 0)  # ERROR and UNSET of the protocol
    assert joined.end_time_unix_nano > joined.start_time_unix_nano
    assert {a.key: a.value.string_value for a in joined.attributes}["request.id"] == "r-1"
    assert alone.trace_id.hex() != TRACE


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def missing(name: str, *arguments: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return found(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(StartError, match=r"pip install 'mfn-retarget\[telemetry\]'"):
        OtlpTracer.to("http://localhost:4318/v1/traces", "1")
