"""The linear face model (3DMM): coefficients to shape, shape to pixels (paper, section 3.1).

A shape is mean + sum w_id[i] identity[i] + sum w_exp[j] expression[j], in centimetres, in the head frame: x to the
subject's left (the image's right when the head looks at the camera), y up, z toward the viewer. The model is derived
from ICT-FaceKit light; its notice stands in models/face_model.LICENSE.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from service.vision.arrays import Array
from service.vision.rotation import quaternion_to_matrix

IDENTITY_MODES = 50
EXPRESSIONS = 46
MAX_BYTES: Final = 2**28  # of the arrays; the published ones have 8 MiB
MAX_CM: Final = 1000.0  # of a coordinate or an offset; a head has 30
ARRAYS: Final = (
    "landmarks_mean", "landmarks_identity", "landmarks_expression", "mesh_mean", "mesh_identity", "mesh_expression",
    "triangles", "expression_names",
)  # fmt: skip
# Signs of pixels, which go right and down, along x and y of the camera frame, which go right and up.
RIGHT_DOWN: Final = np.array([1, -1], np.float32)
LANDMARKS = 68  # iBUG / Multi-PIE order: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67


@dataclass(frozen=True)
class LinearShape:
    """V points that move linearly with the coefficients.

    mean: (V, 3) cm. identity: (50, V, 3) cm per standard deviation. expression: (46, V, 3) cm at weight 1. float16 or
    float32, as in the file: a server never draws the mesh, whose float32 would only take memory.
    """

    mean: Array
    identity: Array
    expression: Array

    def shape(self, w_id: Array, w_exp: Array) -> Array:
        """Points (..., V, 3) in the head frame, cm, of coefficients w_id (..., 50) and w_exp (..., 46).

        The neutral weight of the paper's tensor is implied: it is 1 - sum(w_exp), on the mean.
        """
        flat: Array = w_id @ _float32(self.identity).reshape(len(self.identity), -1)
        flat += w_exp @ _float32(self.expression).reshape(len(self.expression), -1)
        flat += self.mean.reshape(-1)
        return flat.reshape(*flat.shape[:-1], *self.mean.shape)


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
        """Reads models/face_model.npz. Raises OSError where it cannot be read, ValueError where it is no face model."""
        arrays = _read(path)
        vertices = len(_array(arrays, "mesh_mean", "f", (None, 3)))
        mesh = _linear_shape(arrays, "mesh", vertices)
        triangles = _array(arrays, "triangles", "iu", (None, 3))
        if not len(triangles) or triangles.min() < 0 or triangles.max() >= vertices:
            raise ValueError("triangles has no indices of vertices, or some that are not there")
        return cls(
            landmarks=_linear_shape(arrays, "landmarks", LANDMARKS),
            mesh=mesh,
            triangles=triangles,
            expression_names=tuple(str(name) for name in _array(arrays, "expression_names", "U", (EXPRESSIONS,))),
        )


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a face model by name, not yet checked. Raises OSError or ValueError."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAX_BYTES:
            raise ValueError(f"its arrays have {size} bytes, more than {MAX_BYTES}")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in ARRAYS}
    except (OSError, ValueError):
        raise
    except Exception as error:  # zipfile, zlib and NumPy's parser of headers have no common error
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error


def _linear_shape(arrays: Mapping[str, np.ndarray], name: str, points: int) -> LinearShape:
    """The shape of so many points whose arrays begin with this name. Raises ValueError."""
    parts = (
        _array(arrays, f"{name}_mean", "f", (points, 3)),
        _array(arrays, f"{name}_identity", "f", (IDENTITY_MODES, points, 3)),
        _array(arrays, f"{name}_expression", "f", (EXPRESSIONS, points, 3)),
    )
    if not all((abs(part) <= MAX_CM).all() for part in parts):  # also where one is not a number
        raise ValueError(f"{name} has coordinates beyond {MAX_CM:g} cm")
    return LinearShape(*parts)


def _float32(values: np.ndarray) -> Array:
    return values.astype(np.float32, copy=False)


def _array(arrays: Mapping[str, np.ndarray], name: str, kinds: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """An array of one of these kinds (of NumPy's dtype.kind) and this shape, in which None is any number.

    Raises ValueError for another.
    """
    array = arrays[name]
    fits = len(array.shape) == len(shape) and all(b in (None, a) for a, b in zip(array.shape, shape, strict=True))
    if array.dtype.kind not in kinds or not fits:
        raise ValueError(f"{name} is {array.dtype} {array.shape}; expected {' or '.join(kinds)} of shape {shape}")
    return array


def project(shape: Array, quaternion: Array, translation: Array, scale: Array, width: float, height: float) -> Array:
    """Projects points under weak perspective (paper, equation 2): pixels (..., V, 2) in a picture of width x height.

    shape: (..., V, 3) cm, head frame. quaternion: (..., 4), unit. translation: (..., 3) cm. scale: (...) pixels per cm.
    u = width / 2 + scale (X'_x + t_x), v = height / 2 - scale (X'_y + t_y), X' = R X.
    """
    # What goes right and down in the picture, in pixels, along the head's axes and from the picture's corner.
    right_down = np.asarray(scale)[..., None] * RIGHT_DOWN
    axes = quaternion_to_matrix(quaternion)[..., :2, :] * right_down[..., None]
    origin = translation[..., :2] * right_down
    origin += np.array([width / 2, height / 2], origin.dtype)
    # Coordinate by coordinate in memory: NumPy is slow where the last axis is short.
    return np.swapaxes(axes @ np.swapaxes(shape, -1, -2) + origin[..., None], -1, -2)
