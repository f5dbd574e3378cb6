"""Draws expressions to render, single coefficients at random: sparse, every one over its whole range, the rare often.

training.render.motion draws real combinations instead; this needs no recordings, and no two coefficients go together.
What the teacher hardly ever reports (data/README.md: cheekPuff, noseSneer, cheekSquint, jawForward, jaw and mouth to a
side, mouthFrown, mouthFunnel, mouthRoll, winks) is drawn as often as a smile.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ONE_SIDED, UNEVEN = 0.15, 0.25  # of the paired coefficients drawn: on one side alone, or with two strengths
FAINT = 0.12  # share of coefficients that move a little for no reason
FAINT_MOST = 0.2

# name without side: weight of being drawn; one to three of the mouth's are drawn together
MOUTH = {
    "mouthSmile": 1.2,
    "mouthFrown": 1.2,
    "mouthPucker": 0.8,
    "mouthFunnel": 1.2,
    "mouthStretch": 0.6,
    "mouthLeft": 0.8,
    "mouthRight": 0.8,
    "jawLeft": 0.8,
    "jawRight": 0.8,
    "jawForward": 1.2,
    "mouthRollLower": 0.9,
    "mouthRollUpper": 0.9,
    "mouthPress": 0.6,
    "mouthShrugLower": 0.5,
    "mouthShrugUpper": 0.5,
    "mouthDimple": 0.5,
    "mouthLowerDown": 0.6,
    "mouthUpperUp": 0.6,
    "cheekPuff": 1.3,
    "cheekSquint": 1.1,
    "noseSneer": 1.3,
}
BROWS = ("browDown", "browInnerUp", "browOuterUp")
CLOSED_MOUTH = ("cheekPuff", "mouthRollLower", "mouthRollUpper", "mouthPress", "mouthPucker")  # these fight jawOpen
OPPOSITES = (("mouthLeft", "mouthRight"), ("jawLeft", "jawRight"), ("mouthSmile", "mouthPucker"))


@dataclass(frozen=True)
class Expression:
    """Holds what a face shows. w_exp: (46,) float32 in [0, 1]. gaze: (8,) float32 in [0, 1] in the order of
    service.vision.gaze.GAZE_NAMES, None where the person's own look decides. tongue: how far it is out, 0 to 1; no
    coefficient of w_exp tells it."""

    w_exp: np.ndarray
    gaze: np.ndarray | None = None
    tongue: float = 0.0


DrawExpression = Callable[[np.random.Generator], Expression]


def single_coefficients(names: tuple[str, ...]) -> DrawExpression:
    """Draws as draw_expression does, without a gaze and a tongue."""
    return lambda rng: Expression(draw_expression(names, rng))


def draw_expression(names: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """Draws w_exp (46,) float32 in [0, 1], in the order of `names`."""
    weights = dict.fromkeys(names, 0.0)

    def move(name: str, strength: float) -> None:
        if name in weights:
            weights[name] = strength
            return
        left = right = strength
        chance = rng.random()
        if chance < ONE_SIDED:
            left, right = rng.permutation([strength, 0.0])
        elif chance < ONE_SIDED + UNEVEN:
            right = rng.random()
        weights[f"{name}_L"], weights[f"{name}_R"] = float(left), float(right)

    for name in names:
        if rng.random() < FAINT:
            weights[name] = FAINT_MOST * rng.random() ** 2

    if rng.random() < 0.9:
        chances = np.array(list(MOUTH.values()))
        count = rng.choice([1, 2, 3], p=[0.55, 0.3, 0.15])
        drawn = list(rng.choice(list(MOUTH), count, replace=False, p=chances / chances.sum()))
        for a, b in OPPOSITES:
            if a in drawn and b in drawn:
                drawn.remove(b)
        for name in drawn:
            move(str(name), float(rng.random() ** 0.7))
    else:
        drawn = []
    if rng.random() < 0.4:
        weights["jawOpen"] = float(rng.beta(1.1, 1.3)) * (0.15 if set(drawn) & set(CLOSED_MOUTH) else 1.0)
    if weights["jawOpen"] > 0.1 and rng.random() < 0.15:
        weights["mouthClose"] = float(weights["jawOpen"] * rng.random() ** 0.5)
    else:
        weights["mouthClose"] = min(weights["mouthClose"], weights["jawOpen"])

    if rng.random() < 0.5:
        for name in rng.choice(BROWS, rng.choice([1, 2]), replace=False):
            move(str(name), float(rng.random() ** 0.8))
    eyes = rng.choice(
        ["rest", "blink", "close", "wink", "squint", "wide", "down"], p=[0.3, 0.1, 0.15, 0.15, 0.1, 0.1, 0.1]
    )
    if eyes == "blink":
        weights["eyeBlink_L"] = weights["eyeBlink_R"] = float(rng.random())
    elif eyes == "close":
        weights["eyeBlink_L"] = weights["eyeBlink_R"] = float(rng.uniform(0.85, 1))
    elif eyes == "wink":
        side, other = rng.permutation(["_L", "_R"])
        weights[f"eyeBlink{side}"] = float(rng.uniform(0.7, 1))
        weights[f"eyeBlink{other}"] = float(rng.uniform(0, 0.3))
        weights[f"cheekSquint{side}"] = max(weights[f"cheekSquint{side}"], float(rng.random()))
        weights[f"eyeSquint{side}"] = float(rng.random() * 0.6)
    elif eyes == "squint":
        move("eyeSquint", float(rng.random()))
    elif eyes == "wide":
        move("eyeWide", float(rng.random()))
    elif eyes == "down":
        weights["eyeLookDown"] = float(rng.random())
        weights["eyeBlink_L"] = weights["eyeBlink_R"] = float(rng.choice([0, rng.random() * 0.4]))
    for side in ("_L", "_R"):  # lids do not close twice over
        weights[f"eyeSquint{side}"] *= 1 - 0.7 * weights[f"eyeBlink{side}"]
        weights[f"eyeWide{side}"] *= 1 - weights[f"eyeBlink{side}"]
    return np.array([weights[name] for name in names], np.float32)
