"""A stream, independent of its transport: frames in, answers out, in order."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import partial
from time import perf_counter
from typing import Generic, NamedTuple, TypeVar

from service.errors import RequestError, deadline_passed
from service.server.handover import handed_over, result_within
from service.server.held_bytes import HeldBytes
from service.server.job import Job
from service.server.problems import codes_of
from service.server.state import ServerState
from service.server.streaming.mailbox import DropPolicy, Mailbox
from service.server.telemetry.request_log import RequestLog
from service.tracking.neutral import neutral_expression
from service.tracking.options import StreamOptions
from service.tracking.session import FrameResult, Session
from service.vision.image import ImageLoader, Picture

Encoded = TypeVar("Encoded")


class Calibration(Enum):
    """A client's request about the neutral expressions of the faces in its stream."""

    TAKE_NEUTRAL = "take_neutral"
    RESET = "reset"


@dataclass(frozen=True)
class Frame:
    """A frame of a stream.

    sequence: the client's number. timestamp_us: microseconds. load: raises RequestError where the picture cannot be
    decoded. size: bytes of its message.
    """

    sequence: int
    timestamp_us: int
    load: ImageLoader
    size: int = 0


@dataclass(frozen=True)
class Answer:
    """A frame's result, or why it could not be processed. dropped: number of dropped frames since the stream began."""

    frame: Frame
    result: FrameResult | RequestError
    dropped: int


class _Told(NamedTuple, Generic[Encoded]):
    """What a client is told of a frame. code: of gRPC."""

    code: str
    encoded: Encoded


class Stream(Generic[Encoded]):
    """A stream of frames. One task of the event loop offers frames, another takes answers; one frame at a time is
    processed."""

    def __init__(
        self,
        state: ServerState,
        options: StreamOptions,
        policy: DropPolicy,
        log: RequestLog,
        encode: Callable[[Answer], Encoded],
        neutral: Mapping[str, object] | None = None,
    ) -> None:
        """log: of the whole stream. encode: makes of an answer what is sent, in a worker's thread wherever a worker has
        looked at the frame. neutral: everybody's expression at rest until a calibration, weights by name.

        Raises RequestError BAD_PARAMETER where there is no network for the input size, or `neutral` has other names
        than the face model or numbers out of range.
        """
        names = state.pipeline.models.face_model.expression_names
        face = None if neutral is None else neutral_expression(neutral, names)
        self._state = state
        self._session = Session(state.pipeline, options, neutral=face)
        self._mailbox: Mailbox[tuple[Frame, float]] = Mailbox(policy)
        self._log = log
        self._encode = encode
        self._calibration: Calibration | None = None
        self._in_work: Job[_Told[Encoded]] | None = None  # the last frame's job

    @property
    def dropped(self) -> int:
        """Number of frames that a newer one has replaced."""
        return self._mailbox.dropped

    def admit(self, frame: Frame) -> Frame:
        """The frame, counted for as long as it is held. Where it does not fit beside what is held for others, one in
        its place that has no picture, and is answered with the problem OVERLOADED."""
        held = self._state.held
        if frame.size > held.free:
            return Frame(frame.sequence, frame.timestamp_us, partial(_refuse, held))
        held.keep(frame, frame.size)
        return frame

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
        """Drops a waiting frame. Call this when no more answers will be taken."""
        self._state.metrics.dropped("stream_ended", self._mailbox.empty())

    async def answers(self) -> AsyncIterator[Encoded]:
        """Yields an encoded answer for each frame that is not dropped, until the stream is finished."""
        while (entry := await self._mailbox.get()) is not None:
            frame, arrived = entry
            metrics = self._state.metrics
            metrics.in_progress.inc()
            try:
                told = await self._answer(frame, arrived)
            finally:
                metrics.in_progress.dec()
            metrics.request(self._log.transport, "Frame", told.code, perf_counter() - arrived)
            del entry, frame  # so that no picture is kept while the stream waits for the next one
            yield told.encoded

    async def _answer(self, frame: Frame, arrived: float) -> _Told[Encoded]:
        if self._in_work is not None and not self._in_work.done():
            await handed_over(self._in_work)  # of a frame that missed its deadline: its thread still uses the session
        calibration, self._calibration = self._calibration, None
        seconds = self._state.settings.frame_deadline_seconds
        job = partial(self._outcome, frame, arrived, calibration)
        self._in_work = self._state.workers.submit(job, bounded=False)
        try:
            return await result_within(self._in_work, seconds)
        except TimeoutError:
            return self._told(frame, deadline_passed(seconds))

    def _outcome(self, frame: Frame, arrived: float, calibration: Calibration | None) -> _Told[Encoded]:
        """Processes a frame and encodes its answer. Called in a worker thread.

        Raises nothing, since nobody waits any more for a frame that fails after its deadline.
        """
        try:
            return self._told(frame, self._process(frame, arrived, calibration))
        except Exception as error:
            return self._told(frame, self._log.problem_of(error, {"sequence": frame.sequence}))

    def _told(self, frame: Frame, result: FrameResult | RequestError) -> _Told[Encoded]:
        code = codes_of(result).grpc if isinstance(result, RequestError) else "OK"
        return _Told(code, self._encode(Answer(frame, result, self.dropped)))

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


def _refuse(held: HeldBytes, _: int) -> Picture:
    """Loads no picture: an ImageLoader of a frame for which there is no room."""
    raise held.full()
