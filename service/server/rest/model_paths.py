"""What the paths of KServe's two protocols share: the model's name, and the way of a request with a JSON body."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from service import errors
from service.errors import RequestError
from service.inference.manifest import Manifest
from service.inference.models import Models
from service.server.core import Look, RetargetService
from service.server.rest.body import Body, BodyReader
from service.server.rest.media_types import JSON
from service.server.rest.readiness import Readiness
from service.server.state import ServerState
from service.server.telemetry.middleware import log_of
from service.settings import Settings

Job = Callable[[Body, Settings, Models, Look], Response]  # makes a response, in a worker's thread
KINDS: Final = (
    errors.BAD_PICTURE, errors.BAD_BODY, errors.TOO_LARGE, errors.UNSUPPORTED_ENCODING, errors.BAD_PARAMETER,
    errors.OVERLOADED, errors.UNAUTHENTICATED, errors.NOT_FOUND, errors.REQUEST_TIMEOUT, errors.UNAVAILABLE,
    errors.NO_MEMORY, errors.DEADLINE_PASSED,
)  # fmt: skip


@dataclass(frozen=True)
class ModelPaths:
    """A server behind the protocols' paths. Requests for faces need a key where POST /retarget does."""

    state: ServerState
    readiness: Readiness
    service: RetargetService
    bodies: BodyReader

    @property
    def manifest(self) -> Manifest:
        """Of the models that are served."""
        return self.state.pipeline.models.manifest

    def check_name(self, prefix: str, model: str) -> None:
        """Raises RequestError NOT_FOUND for another model than the one that is served. prefix: of the paths."""
        name = self.manifest.name
        if model != name:
            raise RequestError(
                errors.NOT_FOUND,
                f"There is no model {model[:80]!r} here; the only one is {name!r}. Ask for {prefix}/models/{name}.",
            )

    def check_version(self, prefix: str, model: str, version: str) -> None:
        """Raises RequestError NOT_FOUND for another model than the one that is served, or another version of it."""
        self.check_name(prefix, model)
        served = self.manifest.version
        if version != served:
            raise RequestError(
                errors.NOT_FOUND,
                f"There is no version {version[:80]!r} of {model} here; the only one is {served!r}. Ask for it, or for "
                f"{prefix}/models/{model}.",
            )

    async def answer(self, request: Request, job: Job) -> Response:
        """The response to a request for faces, whatever the type of its body. Raises RequestError."""
        self.state.keys.check(request.headers)
        self.state.refuse_when_draining()
        self.state.workers.refuse_when_full()
        with self.service.request(log_of(request.scope)):
            body = await self.bodies.read(request, JSON)
            return await self.service.run(partial(job, body, self.state.settings, self.state.pipeline.models))
