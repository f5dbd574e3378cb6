"""Which of several avatars each person moves."""

from dataclasses import dataclass

from service.tracking.session import FrameResult
from service.tracking.tracker import MAX_AGE_SECONDS


@dataclass
class Holder:
    """Who holds a place. last_visible: the time, in seconds, of the last frame that showed the track's face."""

    track_id: int
    last_visible: float


class Places:
    """Gives each person a place, counted from 0: the first free one, which stays theirs until their track ends.

    So nobody's avatar changes when another person comes or goes.
    """

    def __init__(self, limit: int) -> None:
        """limit: number of places; who comes when all are taken waits for one."""
        self._limit = limit
        self._holders: list[Holder | None] = [None]

    def rows_in(self, result: FrameResult, timestamp: float) -> list[int | None]:
        """Of the first place and each that was ever held, the row of its face in a frame; None where it has none."""
        rows = {track_id: row for row, track_id in enumerate(result.track_id.tolist())}
        for place, holder in enumerate(self._holders):
            if holder is None:
                continue
            if holder.track_id in rows:
                holder.last_visible = timestamp
            elif abs(timestamp - holder.last_visible) > MAX_AGE_SECONDS:  # clocks jump back, too
                self._holders[place] = None
        held = {holder.track_id for holder in self._holders if holder is not None}
        for track_id in sorted(rows.keys() - held):
            self._seat(Holder(track_id, timestamp))
        return [None if holder is None else rows.get(holder.track_id) for holder in self._holders]

    def _seat(self, newcomer: Holder) -> None:
        if None in self._holders:
            self._holders[self._holders.index(None)] = newcomer
        elif len(self._holders) < self._limit:
            self._holders.append(newcomer)
