"""The linear face model (3DMM): coefficients to shape, shape to pixels (paper, section 3.1).

A shape is mean + sum w_id[i] identity[i] + sum w_exp[j] expression[j], in centimetres, in the head frame: x to the
subject's left (the image's right when the head looks at the camera), y up, z toward the viewer. The model is derived
from ICT-FaceKit light; its notice stands in models/face_model.LICENSE.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from service.vision.arrays import Array
from service.vision.rotation import quaternion_to_matrix

IDENTITY_MODES = 50
EXPRESSIONS = 46
LANDMARKS = 68  # iBUG / Multi-PIE order: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67


@dataclass(frozen=True)
class LinearShape:
    """V points that move linearly with the coefficients.

    mean: (V, 3) cm. identity: (50, V, 3) cm per standard deviation. expression: (46, V, 3) cm at weight 1. float32.
    """

    mean: Array
    identity: Array
    expression: Array

    def shape(self, w_id: Array, w_exp: Array) -> Array:
        """Points (..., V, 3) in the head frame, cm, of coefficients w_id (..., 50) and w_exp (..., 46).

        The neutral weight of the paper's tensor is implied: it is 1 - sum(w_exp), on the mean.
        """
        return self.mean + np.tensordot(w_id, self.identity, axes=1) + np.tensordot(w_exp, self.expression, axes=1)


@dataclass(frozen=True)
class FaceModel:
    """The face model that is published with the networks.

    landmarks: the 68 points. mesh: the vertices of a light surface of ICT-FaceKit's narrow face. triangles: (T, 3)
    int32 indices of the mesh's vertices, counter-clockwise seen from outside. expression_names: 46, in the order of
    w_exp.
    """

    landmarks: LinearShape
    mesh: LinearShape
    triangles: np.ndarray
    expression_names: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads models/face_model.npz. Raises OSError, KeyError or ValueError where it is not such a file."""
        with np.load(path, allow_pickle=False) as arrays:

            def linear(name: str) -> LinearShape:
                parts = (arrays[f"{name}_{part}"].astype(np.float32) for part in ("mean", "identity", "expression"))
                return LinearShape(*parts)

            return cls(
                landmarks=linear("landmarks"),
                mesh=linear("mesh"),
                triangles=arrays["triangles"],
                expression_names=tuple(str(name) for name in arrays["expression_names"]),
            )


def project(shape: Array, quaternion: Array, translation: Array, scale: Array, width: float, height: float) -> Array:
    """Projects points under weak perspective (paper, equation 2): pixels (..., V, 2) in a picture of width x height.

    shape: (..., V, 3) cm, head frame. quaternion: (..., 4), unit. translation: (..., 3) cm. scale: (...) pixels per cm.
    u = width / 2 + scale (X'_x + t_x), v = height / 2 - scale (X'_y + t_y), X' = R X.
    """
    turned = shape @ np.swapaxes(quaternion_to_matrix(quaternion), -1, -2)
    flat = (turned[..., :2] + translation[..., None, :2]) * np.asarray(scale)[..., None, None]
    return flat * np.array([1, -1], flat.dtype) + np.array([width / 2, height / 2], flat.dtype)
