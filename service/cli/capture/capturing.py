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

TURN_SEARCH_SECONDS: Final = 1.0  # of the film between two frames that are searched for another turn, as in streams


@dataclass
class Captured:
    """What has been captured so far. size: width and height of the film, pixels, before the first frame (0, 0)."""

    tracks: Tracks
    timestamps: "array[float]"  # of doubles: 8 bytes a frame
    turn: int = 0
    size: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, records: Records) -> "Captured":
        """What an earlier run has recorded."""
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
    search_every = max(1, round(TURN_SEARCH_SECONDS * source.rates[0]))
    with source.frames(captured.position) as frames:
        found = infer(frames, pipeline, options, threads, search_every, captured.position.count, captured.turn)
        try:
            for record in found:
                records.append(record)
                captured.add(record)
                step()
        finally:
            found.close()
