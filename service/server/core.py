"""Pictures in, answers out: what a request goes through behind its transport.

A transport reads a request, makes an ImageLoader and options of it, and says how a result is encoded. Queue, deadline,
metrics and failures are the same for all of them, and stand here, in service.server.streaming and in RequestLog.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import TypeVar

from service.errors import RequestError, deadline_passed
from service.inference.options import RetargetOptions
from service.inference.pipeline import RetargetResult
from service.server.handover import result_within
from service.server.state import ServerState
from service.server.telemetry.request_log import RequestLog
from service.vision.image import ImageLoader

Answer = TypeVar("Answer")
Look = Callable[[ImageLoader, RetargetOptions], RetargetResult]  # finds the faces in a picture, in a worker's thread


class RetargetService:
    """Answers single pictures in the worker threads of one server."""

    def __init__(self, state: ServerState) -> None:
        self._state = state

    @contextlib.contextmanager
    def request(self, log: RequestLog) -> Iterator[None]:
        """A block in which a request is received and answered.

        Raises RequestError and nothing else: of whatever fails in it what log.problem_of makes of that.
        """
        try:
            yield
        except RequestError:
            raise
        except Exception as error:
            raise log.problem_of(error) from error

    async def retarget(
        self, load: ImageLoader, options: RetargetOptions, encode: Callable[[RetargetResult], Answer]
    ) -> Answer:
        """The encoded answer to a picture. load and encode are called in a worker's thread.

        Raises RequestError: OVERLOADED where the queue is full, DEADLINE_PASSED where it takes longer than a picture
        may, and what load and the pipeline raise.
        """
        return await self.run(partial(_retarget, load, options, encode))

    async def run(self, job: Callable[[Look], Answer]) -> Answer:
        """The result of a job, which is called in a worker's thread with what looks at pictures there.

        Raises RequestError: OVERLOADED where the queue is full, DEADLINE_PASSED where it takes longer than a picture
        may, and what the job raises.
        """
        seconds = self._state.settings.deadline_seconds
        # No closure: the frame of one that failed keeps what is closed over for as long as the error is kept.
        look = partial(self._look, perf_counter())
        try:
            return await result_within(self._state.workers.submit(partial(job, look)), seconds)
        except TimeoutError as error:
            raise deadline_passed(seconds) from error

    def _look(self, submitted: float, load: ImageLoader, options: RetargetOptions) -> RetargetResult:
        """The faces in a picture. submitted: when its request was given to the workers, in seconds of perf_counter.

        Raises RequestError: DEADLINE_PASSED where nobody waits for it any more, and what load and the pipeline raise.
        """
        waited = perf_counter() - submitted
        seconds = self._state.settings.deadline_seconds
        if waited > seconds:
            raise deadline_passed(seconds)
        result = self._state.pipeline.retarget_source(load, options, waited * 1e3)
        self._state.metrics.stages(vars(result.timing), len(result.faces))
        return result


def _retarget(
    load: ImageLoader, options: RetargetOptions, encode: Callable[[RetargetResult], Answer], look: Look
) -> Answer:
    return encode(look(load, options))
