"""The server's metrics for Prometheus. No label names a stream, a face or a client."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

# Seconds: bounds close enough for quantiles from 1 ms to 2.5 s to be accurate to a quarter.
BUCKETS: Final = (
    *(0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.0065, 0.008, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05),
    *(0.065, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5),
)
FACE_BUCKETS: Final = (0, 1, 2, 3, 5, 8, 12, 20, 50, 100)
STAGES: Final = ("decode", "preprocess", "queue", "inference", "refine", "postprocess", "track")
MODEL_LABELS: Final = ("version", "sha256", "precision", "provider")
DROP_REASONS: Final = ("newer_frame", "stream_ended")


@dataclass(frozen=True)
class Limits:
    """A server's limits, published as gauges.

    workers: pictures that are processed at once. queue: pictures that may wait for a worker. streams: streams that may
    be open.
    """

    workers: int
    queue: int
    streams: int


class Metrics:
    """A registry and the server's metrics in it."""

    def __init__(
        self,
        version: str,
        sha256: str,
        precision: str,
        provider: str,
        limits: Limits,
        queue_depth: Callable[[], int],
    ) -> None:
        """version to provider: labels of the model that answers. limits: of the server. queue_depth: returns the number
        of waiting pictures; called at each scrape."""
        self.registry = CollectorRegistry()
        PlatformCollector(registry=self.registry)
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "mfn_request_duration_seconds",
            "Time from a request's arrival to its answer; of a stream's frame, from its arrival to its answer.",
            ("transport", "method", "code"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "mfn_stage_duration_seconds",
            "Time a picture spends in each stage.",
            ("stage",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._request: dict[tuple[str, str, str], Histogram] = {}  # by the labels, whose look-up takes half of the time
        self._stage = {name: self._stages.labels(name) for name in STAGES}
        self.in_progress = Gauge(
            "mfn_requests_in_progress", "Requests and frames in work or waiting.", registry=self.registry
        )
        self.streams = Gauge("mfn_streams_active", "Streams that are open.", registry=self.registry)
        depth = Gauge("mfn_queue_depth", "Pictures that wait for a worker.", registry=self.registry)
        depth.set_function(queue_depth)
        for name, description, limit in (
            ("mfn_workers", "Pictures that may be in work at once.", limits.workers),
            ("mfn_queue_limit", "Pictures that may wait for a worker.", limits.queue),
            ("mfn_streams_limit", "Streams that may be open.", limits.streams),
        ):
            Gauge(name, description, registry=self.registry).set(limit)
        dropped = Counter(
            "mfn_frames_dropped_total", "Frames that were not looked at.", ("reason",), registry=self.registry
        )
        self._dropped = {reason: dropped.labels(reason) for reason in DROP_REASONS}
        self.log_lines_dropped = Counter(
            "mfn_log_lines_dropped_total",
            "Log lines that were not written, since standard error was not read in time.",
            registry=self.registry,
        )
        self._faces = Histogram(
            "mfn_faces_per_image", "Faces found in a picture or frame.", buckets=FACE_BUCKETS, registry=self.registry
        )
        model = Gauge("mfn_model_info", "1, for the model that answers.", MODEL_LABELS, registry=self.registry)
        model.labels(version, sha256, precision, provider).set(1)
        self._certificate: Gauge | None = (
            None  # without TLS the series does not exist, since any number would be a date
        )

    def certificate(self, end: datetime | None) -> None:
        """Sets the time at which the server's certificate expires; None where it could not be read."""
        if self._certificate is None:
            self._certificate = Gauge(
                "mfn_certificate_expiry_timestamp_seconds",
                "When the certificate runs out that new connections are shown, in Unix time.",
                registry=self.registry,
            )
        self._certificate.set(math.nan if end is None else end.timestamp())

    def request(self, transport: str, method: str, code: str, seconds: float) -> None:
        """Observes an answered request.

        transport: http, grpc or websocket. method, code: of bounded sets, since they are labels.
        """
        labels = transport, method, code
        series = self._request.get(labels)
        if series is None:
            series = self._request[labels] = self._requests.labels(*labels)
        series.observe(seconds)

    def stages(self, milliseconds: dict[str, float], faces: int) -> None:
        """Observes a processed picture: milliseconds of each stage, 0 for one it skipped, and its number of faces."""
        for name, value in milliseconds.items():
            if value > 0:
                self._stage[name].observe(value / 1e3)
        self._faces.observe(faces)

    def dropped(self, reason: str, count: int = 1) -> None:
        """Counts dropped frames. reason: one of DROP_REASONS."""
        self._dropped[reason].inc(count)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
