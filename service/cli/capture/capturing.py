"""The frames of a source, recorded one after the other; an interruption loses none that is recorded."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from service.cli.capture.inference import infer as infer
from service.cli.capture.people import Tracks
from service.cli.capture.records import Record, Records
from service.cli.capture.sources.source import Position, Source
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline

# Of the film between two keyframes: four frames at 30 a second. On the Studio's film, poses and blendshapes are as near
# to the truth as with a search in every frame, within 2 %.
KEYFRAME_SECONDS: Final = 4 / 30
TURN_SEARCH_SECONDS: Final = 1.0  # between two frames that are searched for another turn, as in streams


@dataclass
class Captured:
    """What has been captured so far. size: width and height of the film, pixels, before the first frame (0, 0)."""

    tracks: Tracks
    timestamps: "array[float]"  # of doubles: 8 bytes a frame
    turn: int = 0
    size: tuple[int, int] = (0, 0)

    @classmethod
    def resumed(cls, records: Records, source: Source) -> "Captured":
        """What an earlier run has recorded. A film goes on at the last keyframe, as it would have done without a break:
        what was recorded after it is taken out of the records. Of a camera those frames do not come again."""
        if not source.live:
            recorded = sum(1 for _ in records)
            records.keep(recorded - recorded % keyframe_spacing(source))
        return cls.of(records)

    @classmethod
    def of(cls, records: Records) -> "Captured":
        """What is recorded."""
        captured = cls(Tracks(), array("d"))
        for record in records:
            captured.add(record)
        return captured

    def add(self, record: Record) -> None:
        """Adds the next frame."""
        self.tracks.add(record)
        self.timestamps.append(record.timestamp)
        self.turn = record.turn
        self.size = self.size if len(self.timestamps) > 1 else (record.width, record.height)

    @property
    def position(self) -> Position:
        """Where the next frame is."""
        return Position(len(self.timestamps), self.timestamps[-1]) if self.timestamps else Position()


def keyframe_spacing(source: Source) -> int:
    """Number of frames from one keyframe to the next."""
    return max(1, round(KEYFRAME_SECONDS * source.rates[0]))


def capture(
    source: Source,
    records: Records,
    captured: Captured,
    pipeline: Pipeline,
    options: RetargetOptions,
    threads: int,
    step: Callable[[], None],
) -> None:
    """Captures the frames after those that are captured already, up to the source's end.

    Each is recorded before it counts as captured: what KeyboardInterrupt or an error leaves is consistent. threads:
    that run the networks. step: called after each frame. Raises VideoError and OSError.
    """
    key_every = keyframe_spacing(source)
    search_every = key_every * max(1, round(TURN_SEARCH_SECONDS / KEYFRAME_SECONDS))
    with source.frames(captured.position) as frames:
        found = infer(
            frames, pipeline, options, threads, key_every, search_every, captured.position.count, captured.turn
        )
        try:
            for record in found:
                records.append(record)
                captured.add(record)
                step()
        finally:
            found.close()
