"""Each frame through the session, and on to everyone who wants to see what it shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from service.cli.video.frames import VideoFrame
from service.tracking.session import FrameResult, Session
from service.vision.image import Picture


class Wish(Enum):
    """What who watches may want: to end, or to have the resting faces taken or forgotten."""

    QUIT = "quit"
    TAKE_NEUTRAL = "take neutral"
    RESET_NEUTRAL = "reset neutral"


@dataclass(frozen=True)
class Seen:
    """A frame, its number from 1, and what it shows."""

    number: int
    frame: VideoFrame
    result: FrameResult


class Viewer(Protocol):
    """May raise VideoError where it cannot go on."""

    def view(self, seen: Seen) -> Wish | None: ...


def watch(frames: Iterable[VideoFrame], session: Session, viewers: Sequence[Viewer]) -> int:
    """Until the frames end or a viewer wants to. Returns how many frames were looked at."""
    number = 0
    for number, frame in enumerate(frames, start=1):
        height, width = frame.pixels.shape[:2]
        result = session.process_picture(Picture(frame.pixels, width, height), frame.timestamp)
        seen = Seen(number, frame, result)
        wishes = [viewer.view(seen) for viewer in viewers]
        if Wish.TAKE_NEUTRAL in wishes:
            session.calibrate()
        if Wish.RESET_NEUTRAL in wishes:
            session.reset_neutral()
        if Wish.QUIT in wishes:
            break
    return number
