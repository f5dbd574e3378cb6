"""Draws expressions to render from recorded motion: real combinations of ARKit's 52, the rare ones often.

The recordings (shared/data/arkit_motion.npz: `coefficients` (N, 52 or more), `names`) are ranges of motion and a talk,
captured by a phone's depth camera. Most of their frames are near rest, and some coefficients stay small in all of them
(jawLeft below 0.15). So most faces are drawn for one rare coefficient: from the frames where it is large, and enlarged
by up to what takes the recordings' largest value to 1. Each is above 0.3 in 3 % of the faces or more, at either side.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from service.vision.arkit import ARKIT_NAMES, GAZE, arkit_matrix
from service.vision.gaze import eye_rotations
from training.render.expressions import Expression
from training.render.eyes import gaze_of_angles

# What the recordings, or the teacher, show seldom, and how often each is drawn beside the others: those that stay faint
# in the recordings twice. One of a pair stands for both, since all frames are there mirrored, too.
RARE = {
    "noseSneerLeft": 1, "cheekSquintLeft": 1, "mouthFrownLeft": 1, "cheekPuff": 2, "mouthLeft": 1, "mouthRight": 1,
    "jawLeft": 2, "jawRight": 2, "jawForward": 2, "mouthFunnel": 1, "mouthPucker": 1, "mouthRollLower": 1,
    "mouthRollUpper": 1, "mouthPressLeft": 1, "mouthDimpleLeft": 1, "mouthClose": 1, "tongueOut": 1,
}  # fmt: skip
RARE_EYES = {
    "eyeLookInLeft": 1, "eyeLookInRight": 1, "eyeLookUpLeft": 1, "eyeWideLeft": 1, "eyeSquintLeft": 1, "eyeBlinkLeft": 1
}  # fmt: skip
LARGE = 0.5  # of a coefficient's largest value in the recordings: frames from there on show it
FOR_RARE = 0.75  # share of faces that are drawn for one of RARE; the others are drawn as often as they were recorded
EYES_APART = 0.6  # share of faces whose eyes are another frame's, half of these drawn for one of RARE_EYES
MIXED = 0.25  # share of faces that are between two frames
LEAST_SHARE = 0.6  # of the first of these two
LESS_ON_A_SIDE = 0.25  # share of faces of which one side, or the other, does less, and
WINKS = 0.08  # share that shut one eye
STRENGTH = 0.15  # standard deviation of the logarithm of a factor of the whole face
JITTER = 0.1  # most by which each coefficient is larger or smaller for itself
LOOK_AROUND = 7.0  # degrees, standard deviation, by which both eyes turn beside the recorded gaze: it is low at rest
EYES = np.array([name.startswith("eye") for name in ARKIT_NAMES])
PUFFED = 0.2  # most that the jaw opens under cheeks that are puffed, or lips that are rolled in, by more than
CLOSED_BY = {"cheekPuff": 0.4, "mouthRollLower": 0.6, "mouthRollUpper": 0.6}  # these weights


def swapped_sides() -> np.ndarray:
    """(52,) index of the coefficient that takes each one's place when the face is mirrored."""
    other = {"Left": "Right", "Right": "Left"}

    def partner(name: str) -> str:
        side = next((side for side in other if name.endswith(side)), None)
        return name if side is None else name.removesuffix(side) + other[side]

    return np.array([ARKIT_NAMES.index(partner(name)) for name in ARKIT_NAMES])


SWAPPED_SIDES = swapped_sides()
ONE_OR_THE_OTHER = ("mouthLeft", "mouthRight", "jawLeft", "jawRight")  # no pairs: they exclude each other


@dataclass(frozen=True)
class Motion:
    """Holds recorded motion. frames: (N, 52) float64 in [0, 1], in the order of ARKIT_NAMES, each also mirrored. names:
    the 46. to_expression: (46, 52) takes ARKit's weights to w_exp: a half gets its whole's, a bilateral one the mean of
    both. shown: indices of the frames that show each of RARE and RARE_EYES. most: (52,) the largest values in the
    frames."""

    frames: np.ndarray
    names: tuple[str, ...]
    to_expression: np.ndarray
    shown: dict[str, np.ndarray]
    most: np.ndarray

    @classmethod
    def load(cls, path: Path, names: tuple[str, ...]) -> Self:
        """Reads recordings whose names are ARKit's, in its or in Live Link Face's spelling. names: the 46.

        Raises FileNotFoundError where there is no such file, ValueError where it does not hold all of ARKit's 52.
        """
        if not path.exists():
            raise FileNotFoundError(
                f"{path} is not there; expected recorded motion (arrays coefficients and names), or --motion none to "
                "draw single coefficients at random"
            )
        with np.load(path, allow_pickle=False) as file:
            if missing := {"coefficients", "names"} - set(file.files):
                raise ValueError(
                    f"{path} has no {', '.join(sorted(missing))}; expected coefficients (N, C), names (C,)"
                )
            given, weights = [str(name) for name in file["names"]], file["coefficients"].astype(np.float64)
        if weights.ndim != 2 or weights.shape[1] != len(given) or not len(weights):
            raise ValueError(f"{path} has coefficients of shape {weights.shape} for {len(given)} names")
        columns = {name[:1].lower() + name[1:]: column for column, name in enumerate(given)}
        if lacking := [name for name in ARKIT_NAMES if name not in columns]:
            raise ValueError(f"{path} does not name {', '.join(lacking)}; expected ARKit's 52 names")
        return cls.of_frames(weights[:, [columns[name] for name in ARKIT_NAMES]], names)

    @classmethod
    def of_frames(cls, weights: np.ndarray, names: tuple[str, ...]) -> Self:
        """Of frames (N, 52) in the order of ARKIT_NAMES. Raises ValueError where one of RARE never moves in them."""
        weights = np.nan_to_num(weights).clip(0, 1)
        frames = np.concatenate([weights, weights[:, SWAPPED_SIDES]])
        most = frames.max(axis=0)
        shown = {}
        for name in (*RARE, *RARE_EYES):
            column = ARKIT_NAMES.index(name)
            if not most[column]:
                raise ValueError(f"the recorded motion never shows {name}")
            shown[name] = np.flatnonzero(frames[:, column] >= LARGE * most[column])
        involved = arkit_matrix(names) > 0
        return cls(frames, names, involved / involved.sum(axis=1, keepdims=True), shown, most)

    def draw(self, rng: np.random.Generator) -> Expression:
        """One face. What is drawn for the weights also holds for the gaze and the tongue."""
        weights = self._frame_for(RARE, rng) if rng.random() < FOR_RARE else self._any(rng)
        if rng.random() < MIXED:
            share = rng.uniform(LEAST_SHARE, 1)
            weights = share * weights + (1 - share) * self._any(rng)
        if rng.random() < EYES_APART:
            others = self._frame_for(RARE_EYES, rng) if rng.random() < 0.5 else self._any(rng)
            weights = np.where(EYES, others, weights)
        weights = weights * np.exp(rng.normal(0, STRENGTH)) * rng.uniform(1 - JITTER, 1 + JITTER, len(weights))
        weights = weights.clip(0, 1)
        angles = eye_rotations(weights[GAZE]) + rng.normal(0, LOOK_AROUND, 2)
        gaze = gaze_of_angles(angles)
        weights[GAZE] = gaze
        w_exp = self._uneven(self.to_expression @ weights, rng)
        tongue = float(weights[ARKIT_NAMES.index("tongueOut")])
        return Expression(self._possible(w_exp).astype(np.float32), gaze, tongue)

    def _any(self, rng: np.random.Generator) -> np.ndarray:
        """(52,) any frame."""
        frame: np.ndarray = self.frames[rng.integers(len(self.frames))]
        return frame

    def _frame_for(self, rare: dict[str, int], rng: np.random.Generator) -> np.ndarray:
        """(52,) a frame that shows one of `rare`, drawn too, with that coefficient enlarged."""
        name = str(rng.choice(list(rare), p=np.array(list(rare.values())) / sum(rare.values())))
        weights: np.ndarray = self.frames[rng.choice(self.shown[name])].copy()
        column = ARKIT_NAMES.index(name)
        pair = [column] if name in ONE_OR_THE_OTHER else np.unique([column, SWAPPED_SIDES[column]])
        weights[pair] *= rng.uniform(1, max(1.0, 1 / self.most[column]))
        return weights

    def _uneven(self, w_exp: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(46,) of which one side does less, or one eye is shut, in some faces."""
        if rng.random() < LESS_ON_A_SIDE:
            side = rng.choice(["_L", "_R"])
            less = rng.random()
            brows = rng.random() < 0.5  # the upper half of the face, or the lower one
            for i, name in enumerate(self.names):
                if name.endswith(side) and name.startswith(("brow", "eye")) == brows:
                    w_exp[i] *= less
        if rng.random() < WINKS:
            side, other = rng.permutation(["_L", "_R"])
            at = {name: i for i, name in enumerate(self.names)}
            w_exp[at[f"eyeBlink{side}"]] = rng.uniform(0.7, 1)
            w_exp[at[f"eyeBlink{other}"]] *= 0.3
            w_exp[at[f"cheekSquint{side}"]] = max(w_exp[at[f"cheekSquint{side}"]], rng.random())
        return w_exp

    def _possible(self, w_exp: np.ndarray) -> np.ndarray:
        """(46,) in [0, 1] of what a face can do: lips that meet, lids that close once."""
        at = {name: i for i, name in enumerate(self.names)}
        for name, least in CLOSED_BY.items():
            strongest = max(w_exp[i] for known, i in at.items() if known in (name, f"{name}_L", f"{name}_R"))
            if strongest > least:
                w_exp[at["jawOpen"]] = min(w_exp[at["jawOpen"]], PUFFED)
        w_exp[at["mouthClose"]] = min(w_exp[at["mouthClose"]], w_exp[at["jawOpen"]])
        for side in ("_L", "_R"):
            w_exp[at[f"eyeWide{side}"]] *= 1 - w_exp[at[f"eyeBlink{side}"]]
        possible: np.ndarray = w_exp.clip(0, 1)
        return possible
