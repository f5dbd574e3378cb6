"""ICT-FaceKit light, which the face model is a part of: what is kept of it, and its vertices on the face."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES, LinearShape
from training.arrays import read_arrays

NARROW_FACE_VERTICES = 6706  # ICT's vertices 0 to 6705
# on the jaw in depth, too, so that they stay on it when the head turns (training/labels/jaw_vertices.py chooses them)
JAW_VERTICES = (
    *(8160, 7873, 7434, 7890, 823, 1831, 790, 2196),
    969,
    *(4387, 3031, 4033, 3064, 7163, 6707, 7146, 8436),
)


def expression_basis(names: list[str], offsets: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The 46 names and offsets (46, V, 3) from ICT's 53 names and offsets (53, V, 3)."""
    kept = [i for i, name in enumerate(names) if not name.startswith("eyeLook")]
    look_down = offsets[names.index("eyeLookDown_L")] + offsets[names.index("eyeLookDown_R")]
    return [names[i] for i in kept] + ["eyeLookDown"], np.concatenate([offsets[kept], look_down[None]])


@dataclass(frozen=True)
class Source:
    """ICT-FaceKit light with the coefficients that are kept. shape: all of its V vertices. names: (46,). triangles:
    (T, 3). landmarks: (68,) vertices, those of the jaw right as seen from the front only."""

    shape: LinearShape
    names: list[str]
    triangles: np.ndarray
    landmarks: np.ndarray


def read_source(path: Path) -> Source:
    """ICT-FaceKit light from its .npz. Raises SystemExit where the file is another, or its expressions are not
    ICT's."""
    arrays = read_arrays(path, "mean", "identity", "expression", "expression_names", "triangles", "landmarks68")
    names, expression = expression_basis(list(arrays["expression_names"]), arrays["expression"].astype(np.float32))
    shape = LinearShape(
        mean=arrays["mean"].astype(np.float32),
        identity=arrays["identity"][:IDENTITY_MODES].astype(np.float32),
        expression=expression,
    )
    if len(names) != EXPRESSIONS:
        raise SystemExit(f"{path}: expected {EXPRESSIONS} expressions after the selection, found {len(names)}")
    return Source(shape, names, arrays["triangles"], arrays["landmarks68"])


def landmarks_with(jaw: Sequence[int], landmarks: np.ndarray) -> np.ndarray:
    """(68,) vertices: 17 of the jaw and the inner 51 of landmarks (68,)."""
    return np.concatenate([jaw, landmarks[len(jaw) :]])
