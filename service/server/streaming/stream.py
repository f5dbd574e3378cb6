"""A stream, independent of its transport: frames in, answers out, in order."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from time import perf_counter

from service.errors import RequestError, deadline_passed
from service.server.handover import done_within, handed_over
from service.server.problems import codes_of
from service.server.state import ServerState
from service.server.streaming.mailbox import DropPolicy, Mailbox
from service.server.telemetry.request_log import RequestLog
from service.tracking.neutral import neutral_expression
from service.tracking.options import StreamOptions
from service.tracking.session import FrameResult, Session
from service.vision.image import ImageLoader


class Calibration(Enum):
    """A client's request about the neutral expressions of the faces in its stream."""

    TAKE_NEUTRAL = "take_neutral"
    RESET = "reset"


@dataclass(frozen=True)
class Frame:
    """A frame of a stream.

    sequence: the client's number. timestamp_us: microseconds. load: raises RequestError where the picture cannot be
    decoded.
    """

    sequence: int
    timestamp_us: int
    load: ImageLoader


@dataclass(frozen=True)
class Answer:
    """A frame's result, or why it could not be processed. dropped: number of dropped frames since the stream began."""

    frame: Frame
    result: FrameResult | RequestError
    dropped: int


class Stream:
    """A stream of frames. One task of the event loop offers frames, another takes answers; one frame at a time is
    processed."""

    def __init__(
        self,
        state: ServerState,
        options: StreamOptions,
        policy: DropPolicy,
        log: RequestLog,
        neutral: Mapping[str, object] | None = None,
    ) -> None:
        """log: of the whole stream. neutral: everybody's expression at rest until a calibration, weights by name.

        Raises RequestError BAD_PARAMETER where there is no network for the input size, or `neutral` has other names
        than the face model or numbers out of range.
        """
        names = state.pipeline.models.face_model.expression_names
        face = None if neutral is None else neutral_expression(neutral, names)
        self._state = state
        self._session = Session(state.pipeline, options, neutral=face)
        self._mailbox: Mailbox[tuple[Frame, float]] = Mailbox(policy)
        self._log = log
        self._calibration: Calibration | None = None
        self._in_work: asyncio.Future[FrameResult | RequestError] | None = None  # the last frame's job

    @property
    def dropped(self) -> int:
        """Number of frames that a newer one has replaced."""
        return self._mailbox.dropped

    async def offer(self, frame: Frame) -> None:
        """Offers a frame. With DropPolicy.NONE this waits until the frame before it is being processed."""
        before = self._mailbox.dropped
        await self._mailbox.put((frame, perf_counter()))
        self._state.metrics.dropped("newer_frame", self._mailbox.dropped - before)

    def calibrate(self, calibration: Calibration) -> None:
        """Requests a calibration, which takes place before the next frame is processed."""
        self._calibration = calibration

    async def finish(self) -> None:
        """Ends the input; a waiting frame is still answered."""
        await self._mailbox.close()

    def abandon(self) -> None:
        """Counts a waiting frame as dropped. Call this when no more answers will be taken."""
        self._state.metrics.dropped("stream_ended", self._mailbox.waiting)

    async def answers(self) -> AsyncIterator[Answer]:
        """Yields an answer for each frame that is not dropped, until the stream is finished."""
        while (entry := await self._mailbox.get()) is not None:
            frame, arrived = entry
            metrics = self._state.metrics
            metrics.in_progress.inc()
            try:
                answer = await self._answer(frame, arrived)
            finally:
                metrics.in_progress.dec()
            code = codes_of(answer.result).grpc if isinstance(answer.result, RequestError) else "OK"
            metrics.request(self._log.transport, "Frame", code, perf_counter() - arrived)
            yield answer

    async def _answer(self, frame: Frame, arrived: float) -> Answer:
        if self._in_work is not None:  # of a frame that missed its deadline: its thread still uses the session
            await asyncio.wait([self._in_work])
        calibration, self._calibration = self._calibration, None
        job = self._state.workers.submit(lambda: self._outcome(frame, arrived, calibration), bounded=False)
        self._in_work = handed_over(job)
        try:
            done = await done_within(self._in_work, self._state.settings.frame_deadline_seconds)
        finally:
            if job.cancel():  # no thread has taken it
                self._in_work = None
        if self._in_work is None or not done:
            return Answer(frame, deadline_passed(self._state.settings.frame_deadline_seconds), self.dropped)
        return Answer(frame, self._in_work.result(), self.dropped)

    def _outcome(self, frame: Frame, arrived: float, calibration: Calibration | None) -> FrameResult | RequestError:
        """Processes a frame. Called in a worker thread.

        Raises nothing, since nobody waits any more for a frame that fails after its deadline.
        """
        try:
            return self._process(frame, arrived, calibration)
        except Exception as error:
            return self._log.problem_of(error, {"sequence": frame.sequence})

    def _process(self, frame: Frame, arrived: float, calibration: Calibration | None) -> FrameResult:
        """arrived: seconds of perf_counter."""
        start = perf_counter()
        if calibration is Calibration.TAKE_NEUTRAL:
            self._session.calibrate()
        elif calibration is Calibration.RESET:
            self._session.reset_neutral()
        result = self._session.process_frame(frame.load, Fraction(frame.timestamp_us, 10**6), (start - arrived) * 1e3)
        self._state.metrics.stages(vars(result.timing), len(result.faces))
        return result
