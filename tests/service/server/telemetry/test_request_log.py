import logging

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.server.telemetry.metrics import Limits, Metrics
from service.server.telemetry.request_log import RequestLog, Telemetry, trace_of

TRACE = "0af7651916cd43dd8448eb211c80319c"  # of the example in W3C Trace Context, section 3.2.3


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3", "ab", "int8", "cpu", Limits(1, 32, 64), lambda: 7)


def value(metrics: Metrics, name: str, **labels: str) -> float:
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    raise AssertionError(f"{name} {labels} is not there")


def test_a_request_is_counted_while_it_runs_and_when_it_ends(
    metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    record = RequestLog(
        Telemetry(metrics), "http", "POST /retarget", "sent-by-client", f"00-{TRACE}-b7ad6b7169203331-01"
    )
    assert value(metrics, "mfn_requests_in_progress") == 1
    with caplog.at_level(logging.INFO, "mfn.requests"):
        record.end("200")
    assert value(metrics, "mfn_requests_in_progress") == 0
    labels = {"transport": "http", "method": "POST /retarget", "code": "200"}
    assert value(metrics, "mfn_request_duration_seconds_count", **labels) == 1
    (line,) = caplog.records
    assert vars(line)["fields"].items() >= {"request_id": "sent-by-client", "trace_id": TRACE, "code": "200"}.items()


def test_a_stream_as_a_whole_is_logged_but_not_measured(metrics: Metrics) -> None:
    RequestLog(Telemetry(metrics), "grpc", "RetargetStream").end("OK", observed=False)
    with pytest.raises(AssertionError, match="not there"):
        value(metrics, "mfn_request_duration_seconds_count", method="RetargetStream")


@pytest.mark.parametrize("given", [None, "", "with space", "new\nline", "x" * 129, "ümlaut"])
def test_an_id_that_is_not_plain_is_replaced(metrics: Metrics, given: str | None) -> None:
    made = RequestLog(Telemetry(metrics), "http", "GET /model", given).request_id
    assert made != given
    assert len(made) == 16


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", TRACE),
        (f"cc-{TRACE}-b7ad6b7169203331-01-what-comes-later", TRACE),
        (f"ff-{TRACE}-b7ad6b7169203331-01", ""),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", ""),
        ("nonsense", ""),
        (None, ""),
    ],
)
def test_trace_parents(header: str | None, trace: str) -> None:
    assert trace_of(header) == trace
