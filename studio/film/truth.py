"""Writes down what the faces of the film do: beside faces.webm lies faces.json.

    {"width", "height", "fps", "frames",
     "faces": [{"box": [[x, y, width, height] a frame], "quaternion": [[x, y, z, w] a frame], "yaw": [a frame],
                "pitch", "roll", "blendshapes": {name: [a frame]}}]}

Pixels, degrees and ARKit's coefficients are those of the API. Faces are in the order of their places, from the left.
Coefficients that are 0 throughout are left out.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from service.vision.arkit import ARKIT_NAMES
from studio.film.acting import Acting


def face_truth(acting: Acting, boxes: np.ndarray) -> dict[str, Any]:
    """One face's entry. boxes: (F, 4) x1, y1, x2, y2."""
    size = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    weights = acting.blendshapes.round(3)
    return {
        "box": _numbers(size, 1),
        "quaternion": _numbers(acting.quaternion, 4),
        **{name: _numbers(angle, 2) for name, angle in zip(("yaw", "pitch", "roll"), acting.angles.T, strict=True)},
        "blendshapes": {
            name: _numbers(column, 3) for name, column in zip(ARKIT_NAMES, weights.T, strict=True) if column.any()
        },
    }


def write(path: Path, width: int, height: int, fps: int, faces: list[dict[str, Any]]) -> None:
    """Writes the file."""
    frames = len(faces[0]["yaw"])
    film = {"width": width, "height": height, "fps": fps, "frames": frames, "faces": faces}
    path.write_text(json.dumps(film, separators=(",", ":")) + "\n")


def _numbers(values: np.ndarray, decimals: int) -> Any:
    """Rounded, and whole numbers without decimals, which take fewer bytes."""

    def short(value: Any) -> Any:
        if isinstance(value, list):
            return [short(item) for item in value]
        return int(value) if value == int(value) else value

    return short(np.asarray(values, np.float64).round(decimals).tolist())
