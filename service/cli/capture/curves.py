"""One person's motion as curves that may be interpolated and smoothed, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.blocks import blocks
from service.cli.capture.film import ROUNDING
from service.cli.capture.records import COLUMNS
from service.vision.arrays import Array
from service.vision.face_model import EXPRESSIONS
from service.vision.gaze import GAZE_COEFFICIENTS

# Columns. The head's origin in pixels stands for its translation, whose x and y would jump with the scale where a face
# is far from the middle; translation's z times the scale is the camera's focal length, negative.
SCORE: Final = slice(0, 1)
BOX: Final = slice(1, 5)
ORIGIN: Final = slice(5, 7)
LOG_SCALE: Final = slice(7, 8)
FOCAL: Final = slice(8, 9)
QUATERNION: Final = slice(9, 13)
EXPRESSION: Final = slice(13, 13 + EXPRESSIONS)
GAZE: Final = slice(EXPRESSION.stop, EXPRESSION.stop + GAZE_COEFFICIENTS)
MAX_GAP_SECONDS: Final = 0.5  # that is bridged
SEEN_SECONDS: Final = 0.1  # between two frames of a film, at most, in which a face counts as seen: a blink lasts longer


@dataclass(frozen=True)
class Curves:
    """Motion throughout N frames. values: (N, 67) float32, NaN where nothing is known. seen, bridged: (N,), see Take.

    Quaternions are in the same half of the sphere as those before them.
    """

    values: Array
    seen: NDArray[np.bool_]
    bridged: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Array, seen: NDArray[np.bool_]) -> "Curves":
        """The curves of a person's rows (N, 117), see Record; rows that are not `seen` (N,) do not matter."""
        values = np.full((len(rows), GAZE.stop), np.nan, np.float32)
        part = {name: rows[seen, columns] for name, columns in COLUMNS.items()}
        scale = part["scale"]
        values[seen, SCORE] = part["score"]
        values[seen, BOX] = part["box"]
        values[seen, ORIGIN] = part["translation"][:, :2] * scale
        values[seen, LOG_SCALE] = np.log(scale)
        values[seen, FOCAL] = part["translation"][:, 2:] * scale
        values[seen, QUATERNION] = _same_side(part["quaternion"])
        values[seen, EXPRESSION] = part["expression"]
        values[seen, GAZE] = part["gaze"]
        return cls(values, seen, np.zeros(len(rows), np.bool_))

    @classmethod
    def joined(cls, parts: Sequence["Curves"]) -> "Curves":
        """Curves of frames that follow each other."""
        values, seen, bridged = (
            np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Curves)
        )
        known = seen | bridged
        values[known, QUATERNION] = _same_side(values[known, QUATERNION])
        return cls(values, seen, bridged)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N,) the frames that have values."""
        return self.seen | self.bridged

    @property
    def scale(self) -> Array:
        """(N,) pixels per cm."""
        return np.exp(self.values[:, LOG_SCALE.start])

    @property
    def translation(self) -> Array:
        """(N, 3) cm."""
        return np.concatenate([self.values[:, ORIGIN], self.values[:, FOCAL]], axis=1) / self.scale[:, None]

    @property
    def quaternion(self) -> Array:
        """(N, 4) unit."""
        quaternion: Array = self.values[:, QUATERNION]
        unit: Array = quaternion / np.linalg.norm(quaternion, axis=1, keepdims=True)
        return unit

    def coefficients(self, columns: slice) -> Array:
        """(N, ...) of EXPRESSION or GAZE, in [0, 1]."""
        return np.clip(self.values[:, columns], 0, 1)

    def spans(self) -> list[slice]:
        """The runs of known frames."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], self.known, [False]]).astype(np.int8)))
        return [slice(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]

    def with_gaps_bridged(self, timestamps: NDArray[np.float64]) -> "Curves":
        """The curves with gaps of up to MAX_GAP_SECONDS interpolated. timestamps: (N,) seconds."""
        values, bridged = self.values.copy(), self.bridged.copy()
        known = np.flatnonzero(self.known)
        gaps = np.flatnonzero(np.diff(known) > 1)
        # From the last face before a gap to the first one after it there is a frame more than the gap has.
        for before, after in zip(known[gaps].tolist(), known[gaps + 1].tolist(), strict=True):
            if timestamps[after - 1] - timestamps[before] <= MAX_GAP_SECONDS + 1e-6:
                inside = slice(before + 1, after)
                share = (timestamps[inside] - timestamps[before]) / (timestamps[after] - timestamps[before])
                values[inside] = values[before] + share[:, None] * (values[after] - values[before])
                bridged[inside] = True
        return Curves(values, self.seen, bridged)

    def resampled(self, timestamps: NDArray[np.float64], new: NDArray[np.float64]) -> "Curves":
        """The curves at other times (M,), seconds, interpolated between the frames around each.

        A new frame between two that are seen is seen where these are up to SEEN_SECONDS apart, bridged where they are
        up to MAX_GAP_SECONDS apart, and unknown beyond; beside an unknown frame it is unknown. But no known frame is
        lost: where the new one that is nearest to it would be unknown, it takes the known one's values.
        """
        if len(timestamps) == 1:
            return self
        after = np.clip(np.searchsorted(timestamps, new - 1e-6), 1, len(timestamps) - 1)
        apart = timestamps[after] - timestamps[after - 1]
        share = np.clip((new - timestamps[after - 1]) / apart, 0, 1)
        share[share < 1e-6], share[share > 1 - 1e-6] = 0, 1
        apart[(share == 0) | (share == 1)] = 0
        known = self._all(self.known, after, share) & (apart <= MAX_GAP_SECONDS + ROUNDING)
        seen = self._all(self.seen, after, share) & (apart <= SEEN_SECONDS + ROUNDING)
        own = self._nearest(timestamps, new)
        seen[own >= 0] = self.seen[own[own >= 0]]
        alone = (own >= 0) & ~known  # of which only the known frame is shown
        after[alone], share[alone] = np.maximum(own[alone], 1), own[alone] > 0
        known |= alone
        left, right = share < 1, share > 0
        values = np.empty((len(new), GAZE.stop), np.float32)
        for block in blocks(len(new)):
            low = np.where(left[block, None], self.values[after[block] - 1], self.values[after[block]])
            high = np.where(right[block, None], self.values[after[block]], self.values[after[block] - 1])
            values[block] = low + share[block, None] * (high - low)
        values[~known] = np.nan
        return Curves(values, seen & known, known & ~seen)

    def _nearest(self, timestamps: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.intp]:
        """Indices (M,) of the known frames that new ones are the nearest to; of several the nearest, -1 for none."""
        frames = np.flatnonzero(self.known)
        place = np.searchsorted((new[1:] + new[:-1]) / 2, timestamps[frames])
        order = np.argsort(-np.abs(timestamps[frames] - new[place]), kind="stable")  # a nearer one replaces another
        own = np.full(len(new), -1, np.intp)
        own[place[order]] = frames[order]
        return own

    @staticmethod
    def _all(frames: NDArray[np.bool_], after: NDArray[np.intp], share: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Mask (M,) of new frames: where a mask (N,) holds for each frame that they are made of, see resampled."""
        both: NDArray[np.bool_] = (frames[after - 1] | (share == 1)) & (frames[after] | (share == 0))
        return both


def _same_side(quaternion: Array) -> Array:
    """The same rotations (N, 4), each of the two signs that is nearer to the one before."""
    flips = (quaternion[1:] * quaternion[:-1]).sum(axis=1) < 0
    sign = np.cumprod(np.concatenate([[1], np.where(flips, -1, 1)]))[: len(quaternion)].astype(quaternion.dtype)
    same: Array = quaternion * sign[:, None]
    return same
