import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from service.inference.pipeline import Pipeline
from service.server.state import ServerState
from service.server.telemetry.metrics import BUCKETS, STAGES, Limits, Metrics
from service.server.workers import Workers
from service.settings import Settings


def test_what_is_observed_is_exposed() -> None:
    metrics = Metrics("1.2.3", "ab12", "int8", "openvino", Limits(workers=2, queue=32, streams=64), lambda: 7)
    metrics.stages({"decode": 4.0, "queue": 30.0, "refine": 0.0}, faces=5)
    metrics.dropped("newer_frame", 3)
    metrics.streams.inc()
    families = {family.name: family for family in text_string_to_metric_families(metrics.exposition().decode())}

    def samples(name: str) -> dict[tuple[str, ...], float]:
        return {
            (sample.name.removeprefix(name), *(v for k, v in sorted(sample.labels.items()) if k != "le")): sample.value
            for sample in families[name].samples
            if not sample.name.endswith(("_bucket", "_created"))
        }

    assert samples("mfn_stage_duration_seconds")[("_sum", "queue")] == 0.03
    assert samples("mfn_stage_duration_seconds")[("_count", "decode")] == 1
    assert samples("mfn_stage_duration_seconds")[("_count", "refine")] == 0  # not looked closer at: no time of 0
    assert samples("mfn_faces_per_image") == {("_count",): 1, ("_sum",): 5}
    assert samples("mfn_frames_dropped") == {("_total", "newer_frame"): 3, ("_total", "stream_ended"): 0}
    assert samples("mfn_queue_depth") == {("",): 7}
    assert samples("mfn_streams_active") == {("",): 1}
    assert samples("mfn_workers") == {("",): 2}
    assert samples("mfn_queue_limit") == {("",): 32}
    assert samples("mfn_streams_limit") == {("",): 64}
    assert samples("mfn_model_info") == {("", "int8", "openvino", "ab12", "1.2.3"): 1}
    stages = [label for kind, *labels in samples("mfn_stage_duration_seconds") if kind == "_sum" for label in labels]
    assert set(stages) == set(STAGES)


def test_buckets_resolve_from_a_millisecond_to_two_and_a_half_seconds() -> None:
    assert (BUCKETS[0], BUCKETS[-1]) == (0.001, 2.5)
    assert all(1 < high / low <= 1.51 for low, high in itertools.pairwise(BUCKETS))


def test_two_servers_in_one_process_count_apart() -> None:
    first, second = (Metrics("1", "a", "int8", "cpu", Limits(1, 0, 0), lambda: 0) for _ in range(2))
    first.streams.inc()
    assert b"mfn_streams_active 0.0" in second.exposition()


def test_limits_are_those_of_the_settings(settings: Settings, pipeline: Pipeline, workers: Workers) -> None:
    state = ServerState(replace(settings, workers=3, queue_length=5, max_streams=7), pipeline, workers)
    lines = state.metrics.exposition().splitlines()
    assert {b"mfn_workers 3.0", b"mfn_queue_limit 5.0", b"mfn_streams_limit 7.0"} <= set(lines)


def test_a_certificates_end_is_exposed_where_there_is_one() -> None:
    metrics = Metrics("1", "a", "int8", "cpu", Limits(1, 0, 0), lambda: 0)
    assert b"certificate" not in metrics.exposition()
    metrics.certificate(datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC))  # a billion seconds after 1970 began
    assert b"\nmfn_certificate_expiry_timestamp_seconds 1e+09\n" in metrics.exposition()


def test_a_certificates_end_is_that_of_the_last_and_without_one_there_is_no_series() -> None:
    metrics = Metrics("1", "a", "int8", "cpu", Limits(1, 0, 0), lambda: 0)

    def told() -> list[bytes]:
        return re.findall(rb"^mfn_certificate_expiry_timestamp_seconds (\S+)$", metrics.exposition(), re.MULTILINE)

    assert told() == []
    for seconds in (1_900_000_000, 1_950_000_000):
        metrics.certificate(datetime.fromtimestamp(seconds, UTC))
        assert [float(text) for text in told()] == [seconds]
    metrics.certificate(None)
    assert told() == [b"NaN"]
