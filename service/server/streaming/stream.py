"""A stream on its way through the server, whichever door it came in by: frames in, answers out, in order."""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from time import perf_counter

from service.errors import DEADLINE_PASSED, INTERNAL, RequestError, memory_problem
from service.server.state import ServerState
from service.server.streaming.mailbox import DropPolicy, Mailbox
from service.tracking.options import StreamOptions
from service.tracking.session import FrameResult, Session
from service.vision.image import ImageLoader

LOGGER = logging.getLogger("mfn.streams")


class Calibration(Enum):
    """What a sender may ask about the resting expressions of the faces in its stream."""

    TAKE_NEUTRAL = "take_neutral"
    RESET = "reset"


@dataclass(frozen=True)
class Frame:
    """sequence: the sender's number. timestamp_us: microseconds. source: raises RequestError where it cannot decode."""

    sequence: int
    timestamp_us: int
    source: ImageLoader


@dataclass(frozen=True)
class Answer:
    """What a frame shows, or why it could not be looked at. dropped: frames since the stream began."""

    frame: Frame
    result: FrameResult | RequestError
    dropped: int


class Stream:
    """Frames are offered and answers taken by two tasks of one event loop; one frame at a time is in work."""

    def __init__(self, runtime: ServerState, options: StreamOptions, policy: DropPolicy, transport: str) -> None:
        """transport: of the metrics, grpc or websocket."""
        self._runtime = runtime
        self._session = Session(runtime.pipeline, options)
        self._mailbox: Mailbox[tuple[Frame, float]] = Mailbox(policy)
        self._transport = transport
        self._calibration: Calibration | None = None
        self._in_work: Future[FrameResult] | None = None

    @property
    def dropped(self) -> int:
        return self._mailbox.dropped

    async def offer(self, frame: Frame) -> None:
        """Leaves a frame to be looked at: at once, or with DropPolicy.NONE when the one before it has been taken up."""
        before = self._mailbox.dropped
        await self._mailbox.put((frame, perf_counter()))
        self._runtime.metrics.dropped("newer_frame", self._mailbox.dropped - before)

    def calibrate(self, calibration: Calibration) -> None:
        """To be done before the next frame is looked at."""
        self._calibration = calibration

    async def finish(self) -> None:
        """No more frames come; the one that waits is still answered."""
        await self._mailbox.close()

    def abandon(self) -> None:
        """Nobody takes answers any more; the frame that waits, if one does, is lost."""
        self._runtime.metrics.dropped("stream_ended", self._mailbox.waiting)

    async def answers(self) -> AsyncIterator[Answer]:
        """An answer for each frame that is not dropped, until the stream is finished."""
        while (entry := await self._mailbox.get()) is not None:
            frame, arrived = entry
            metrics = self._runtime.metrics
            metrics.in_progress.inc()
            try:
                answer = await self._answer(frame, arrived)
            finally:
                metrics.in_progress.dec()
            code = answer.result.kind.grpc if isinstance(answer.result, RequestError) else "OK"
            metrics.request(self._transport, "Frame", code, perf_counter() - arrived)
            yield answer

    async def _answer(self, frame: Frame, arrived: float) -> Answer:
        if self._in_work is not None:  # a frame that missed its deadline: its thread still uses the session
            await asyncio.wait([asyncio.wrap_future(self._in_work)])
        calibration, self._calibration = self._calibration, None
        future = self._runtime.workers.submit(lambda: self._look(frame, arrived, calibration), bounded=False)
        self._in_work = future
        deadline = self._runtime.settings.frame_deadline_seconds
        try:
            async with asyncio.timeout(deadline):
                result = await asyncio.shield(asyncio.wrap_future(future))
        except TimeoutError:
            future.cancel()
            problem = RequestError(
                DEADLINE_PASSED,
                f"The frame was not looked at within {deadline:g} s, the most that one may take. Send smaller or fewer "
                "frames, or send them when the server is less busy.",
            )
            return Answer(frame, problem, self.dropped)
        except RequestError as problem:
            return Answer(frame, problem, self.dropped)
        except asyncio.CancelledError:
            future.cancel()
            raise
        except Exception as error:
            if (shortage := memory_problem(error)) is not None:
                LOGGER.warning("no memory left for a frame: %r", error)
                return Answer(frame, shortage, self.dropped)
            LOGGER.exception("a frame could not be looked at")
            detail = "The server could not finish this frame; the error is in its log. Others are served as before."
            return Answer(frame, RequestError(INTERNAL, detail), self.dropped)
        return Answer(frame, result, self.dropped)

    def _look(self, frame: Frame, arrived: float, calibration: Calibration | None) -> FrameResult:
        """In a worker's thread."""
        start = perf_counter()
        if calibration is Calibration.TAKE_NEUTRAL:
            self._session.calibrate()
        elif calibration is Calibration.RESET:
            self._session.reset_neutral()
        result = self._session.process_frame(frame.source, frame.timestamp_us / 1e6, (start - arrived) * 1e3)
        self._runtime.metrics.stages(vars(result.timing), len(result.faces))
        return result
