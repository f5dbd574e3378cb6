"""What is captured from a film: a take a person."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array

ALL: Final = slice(None)  # frames


@dataclass(frozen=True)
class Timecode:
    """The time of a film's first frame, in the way that films count it.

    first: frames since midnight. rate: frames a second, such as 30 or 30000/1001. drop_frame: whether the numbers of
    some frames are left out, so that at 30000/1001 and 60000/1001 the count agrees with the clock.
    """

    first: int
    rate: Fraction
    drop_frame: bool = False


@dataclass(frozen=True)
class Film:
    """What takes are captured from: a video, a folder of pictures, a camera.

    name: without folder and ending. width, height: in pixels, as shown. timestamps: (N,) float64 seconds of the N
    frames, from the first one; ascending, evenly spaced unless the frame rate varies.
    """

    name: str
    width: int
    height: int
    timecode: Timecode
    timestamps: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.timestamps)


@dataclass(frozen=True)
class Take:
    """One person's motion throughout a film of N frames: row i of each array is frame i's.

    person: from 1, in the order in which they come. seen: (N,) bool, whether the face was found in the frame. bridged:
    (N,) bool, whether it was not, for so short a time that the values are interpolated. In a frame that is neither, all
    values are NaN.

    score: (N,) in [0, 1]. box: (N, 4) x1, y1, x2, y2 in pixels. quaternion: (N, 4) [x, y, z, w], unit, head to camera,
    neighbours in the same half of the sphere. translation: (N, 3) cm. scale: (N,) pixels per cm. expression: (N, 46) in
    the face model's order, blendshapes: (N, 52) in the order of ARKIT_NAMES, both in [0, 1]. gaze: (N, 8) in the order
    of GAZE_NAMES; NaN where the face was not refined. identity: (50,) standard deviations, the median of the frames.
    neutral: (46,) the resting face that expressions are relative to; None where they are absolute. All float32.
    expression_names: 46, the face model's.
    """

    film: Film
    person: int
    seen: NDArray[np.bool_]
    bridged: NDArray[np.bool_]
    score: Array
    box: Array
    quaternion: Array
    translation: Array
    scale: Array
    expression: Array
    blendshapes: Array
    gaze: Array
    identity: Array
    neutral: Array | None
    expression_names: tuple[str, ...]

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N,) bool: the frames that have values."""
        return self.seen | self.bridged

    def held(self, values: Array, frames: slice = ALL) -> Array:
        """Values (N, ...) of the take in some frames, in which a frame without any has those of the frame before, and
        where there is none, of the first frame that has some: for files that need a value a frame. The take has one
        frame at least."""
        known = np.flatnonzero(self.known)
        before = np.searchsorted(known, np.arange(len(self.seen))[frames], side="right") - 1
        held: Array = values[known[np.maximum(before, 0)]]
        return held
