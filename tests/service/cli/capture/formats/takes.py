"""A take whose motion is known: a frame for each thing that a head does."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np

from service.cli.capture.take import Film, Take, Timecode
from service.inference.manifest import MANIFEST, read_manifest
from service.vision.arkit import arkit_matrix, blendshapes
from service.vision.gaze import GAZE_NAMES
from service.vision.rotation import euler_to_quaternion

ROOT: Final = Path(__file__).resolve().parents[5]
EXPRESSION_NAMES: Final = read_manifest(ROOT / "models" / MANIFEST).expression_names
NTSC: Final = Fraction(30000, 1001)
# 10:00:59;28 in frames: 107892 an hour, of which 108 numbers are left out, and 30 a second of a tenth minute.
FIRST: Final = 10 * 107892 + 59 * 30 + 28

# The frames. Degrees as the API has them: yaw toward the image's right, pitch down, roll counter-clockwise as seen.
REST, NOD, TURN, TILT, BLINK, JAW, GLANCE, UNSEEN, BRIDGED, ALL = range(10)
ANGLES: Final = {NOD: (0, 20, 0), TURN: (30, 0, 0), TILT: (0, 0, 10), ALL: (25, -15, 8)}  # yaw, pitch, roll
EXPRESSIONS: Final = {
    BLINK: {"eyeBlink_L": 0.9},
    JAW: {"jawOpen": 0.7},
    BRIDGED: {"jawOpen": 0.35},
    ALL: {"mouthSmile_R": 0.6, "jawRight": 0.25},
}
GAZES: Final = {  # the glance is to the subject's left, the image's right
    GLANCE: {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.8, "eyeLookDownLeft": 0.4, "eyeLookDownRight": 0.4},
    ALL: {"eyeLookUpLeft": 0.3, "eyeLookUpRight": 0.3},
}
FRAMES: Final = 10


def take() -> Take:
    """640 x 480 pixels at 29.97 frames a second with drop-frame time code, from 10:00:59;28 on."""
    seen = np.array([frame not in (UNSEEN, BRIDGED) for frame in range(FRAMES)])
    bridged = np.arange(FRAMES) == BRIDGED
    quaternion = np.array([euler_to_quaternion(*ANGLES.get(frame, (0, 0, 0))) for frame in range(FRAMES)], np.float32)
    expression, gaze = columns(EXPRESSIONS, EXPRESSION_NAMES), columns(GAZES, GAZE_NAMES)
    made = Take(
        film=Film("film", 640, 480, Timecode(FIRST, NTSC, True), np.arange(FRAMES) / float(NTSC)),
        person=1,
        seen=seen,
        bridged=bridged,
        score=np.full(FRAMES, 0.9, np.float32),
        box=np.tile(np.array([200, 100, 400, 350], np.float32), (FRAMES, 1)),
        quaternion=quaternion,
        translation=np.tile(np.array([-1, 0.5, -47], np.float32), (FRAMES, 1)),
        scale=np.full(FRAMES, 8, np.float32),
        expression=expression,
        blendshapes=blendshapes(expression, gaze, arkit_matrix(EXPRESSION_NAMES)),
        gaze=gaze,
        identity=np.linspace(-1, 1, 50, dtype=np.float32),
        neutral=None,
        expression_names=EXPRESSION_NAMES,
    )
    for name in ("score", "box", "quaternion", "translation", "scale", "expression", "blendshapes", "gaze"):
        getattr(made, name)[UNSEEN] = np.nan
    return made


def columns(values: dict[int, dict[str, float]], names: tuple[str, ...]) -> np.ndarray:
    """(FRAMES, names) of weights that are told by frame and name, else 0."""
    table = np.zeros((FRAMES, len(names)), np.float32)
    for frame, weights in values.items():
        for name, weight in weights.items():
            table[frame, names.index(name)] = weight
    return table


def without_gaze(of: Take) -> Take:
    """The take of faces that were not refined."""
    gaze = np.full_like(of.gaze, np.nan)
    return replace(of, gaze=gaze, blendshapes=blendshapes(of.expression, gaze, arkit_matrix(EXPRESSION_NAMES)))
