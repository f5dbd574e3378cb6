"""The state that all transports of a server share: models, queue, limits and telemetry."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from service.errors import OVERLOADED, RequestError
from service.inference.pipeline import Pipeline
from service.server.auth import ApiKeys
from service.server.draining import Draining, shutting_down
from service.server.held_bytes import HeldBytes, budget_of
from service.server.origins import Origins
from service.server.proxies import TrustedProxies
from service.server.telemetry.metrics import Limits, Metrics
from service.server.telemetry.request_log import Telemetry
from service.server.telemetry.tracing import Tracer
from service.server.workers import Workers
from service.settings import Settings


@dataclass
class ServerState:
    """The shared state of one server.

    streams: number of open streams. draining: set once the server shuts down. held: bytes of bodies and frames.
    """

    settings: Settings
    pipeline: Pipeline
    workers: Workers
    keys: ApiKeys = field(default_factory=ApiKeys)
    tracer: Tracer | None = None
    streams: int = 0
    draining: Draining = field(default_factory=Draining)
    held: HeldBytes = field(init=False)
    origins: Origins = field(init=False)
    proxies: TrustedProxies = field(init=False)
    metrics: Metrics = field(init=False)
    telemetry: Telemetry = field(init=False)

    def __post_init__(self) -> None:
        """Raises StartError where a setting is not valid."""
        self.held = HeldBytes(budget_of(self.settings))
        self.origins = Origins.of_setting(self.settings.cors_origins)
        self.proxies = TrustedProxies.of_setting(self.settings.trusted_proxies)
        models = self.pipeline.models
        execution = models.execution
        self.metrics = Metrics(
            models.manifest.version,
            models.files["mfn"].sha256,
            execution.precision,
            execution.provider,
            Limits(self.settings.workers, self.settings.queue_length, self.settings.max_streams),
            queue_depth=self.workers.depth,
        )
        self.telemetry = Telemetry(self.metrics, self.tracer)

    def refuse_when_draining(self) -> None:
        """Raises RequestError UNAVAILABLE once the server shuts down."""
        if self.draining.is_set():
            raise shutting_down()

    @contextlib.contextmanager
    def stream_slot(self) -> Iterator[None]:
        """A block that holds one of max_streams slots. Raises RequestError OVERLOADED where none is free."""
        self.refuse_when_draining()
        if self.streams >= self.settings.max_streams:
            raise RequestError(
                OVERLOADED,
                f"All {self.settings.max_streams} places for streams are taken. Open it again later, or elsewhere.",
                retry_after=1,
            )
        self.streams += 1
        self.metrics.streams.inc()
        try:
            yield
        finally:
            self.streams -= 1
            self.metrics.streams.dec()
