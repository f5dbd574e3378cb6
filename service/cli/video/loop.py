"""The loop that processes frames in a session and passes the results to sinks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from service.cli.video.frames import VideoFrame
from service.tracking.session import FrameResult, Session
from service.vision.image import Picture


class Command(Enum):
    """A user's command: to quit, or to start or reset the neutral calibration."""

    QUIT = "quit"
    TAKE_NEUTRAL = "take neutral"
    RESET_NEUTRAL = "reset neutral"


@dataclass(frozen=True)
class ProcessedFrame:
    """A frame, its number from 1, and its result."""

    number: int
    frame: VideoFrame
    result: FrameResult


class Sink(Protocol):
    """A consumer of processed frames: it shows, writes or sends them."""

    def consume(self, processed: ProcessedFrame) -> Command | None:
        """Consumes a frame. Returns the user's command, if there is one. Raises VideoError where it cannot go on."""
        ...


def watch(
    frames: Iterable[VideoFrame | None],
    session: Session,
    sinks: Sequence[Sink],
    command: Callable[[], Command | None] = lambda: None,
) -> None:
    """Processes frames until they end or the user quits.

    frames: with None where there is none for a moment; then command is asked for what the user wants.
    """
    number = 0
    for frame in frames:
        if frame is None:
            commands = [command()]
        else:
            number += 1
            height, width = frame.pixels.shape[:2]
            result = session.process_picture(Picture(frame.pixels, width, height), frame.timestamp)
            processed = ProcessedFrame(number, frame, result)
            commands = [sink.consume(processed) for sink in sinks]
        if Command.TAKE_NEUTRAL in commands:
            session.calibrate()
        if Command.RESET_NEUTRAL in commands:
            session.reset_neutral()
        if Command.QUIT in commands:
            break
