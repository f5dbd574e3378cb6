"""Faces and pictures as studio/tests/engine/local/compare.ts reads them."""

from pathlib import Path
from typing import Any

import numpy as np

from service.vision.faces import Faces
from service.vision.gaze import has_gaze
from service.vision.image import Picture


def faces_json(faces: Faces) -> list[dict[str, Any]]:
    """Each face by the names of its fields."""
    return [
        {
            "score": face.score,
            "box": face.box.tolist(),
            "quaternion": face.quaternion.tolist(),
            "translation": face.translation.tolist(),
            "scale": face.scale,
            "identity": face.identity.tolist(),
            "expression": face.expression.tolist(),
            "gaze": face.gaze.tolist() if has_gaze(face.gaze) else None,
        }
        for face in faces
    ]


def picture_json(picture: Picture, file: Path) -> dict[str, Any]:
    """A picture, whose RGBA pixels are written to a file."""
    rows, columns = picture.pixels.shape[:2]
    opaque = np.full((rows, columns, 1), 255, np.uint8)
    file.write_bytes(np.concatenate([picture.pixels, opaque], axis=-1).tobytes())
    size = {"columns": columns, "rows": rows, "width": picture.width, "height": picture.height}
    return {"file": str(file), **size}
