"""The whole head of ICT-FaceKit light: the service's face model with the back of the head, eyeballs, gums and teeth.

Same coefficients and head frame as service.face_model, whose light mesh and landmarks are a subset of these vertices.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from service.face_model import IDENTITY_MODES, LinearShape
from service.rotation import quaternion_to_matrix
from training.build_face_model import JAW_LINE, expression_basis

FACE, HEAD, MOUTH, TEETH, EYES = range(5)  # the parts that are drawn
PART_OF_MATERIAL = {
    "M_Face": FACE,
    "M_BackHead": HEAD,
    "M_GumsTongue": MOUTH,
    "M_Teeth": TEETH,
    "M_ScleraLeft": EYES,
    "M_ScleraRight": EYES,
}  # the rest (iris behind the cornea, tear film, shadow cards, lashes) wants transparency and is left out
LEFT_EYE, RIGHT_EYE = slice(21451, 22221), slice(23021, 23791)  # vertices of the outer eyeballs


@dataclass(frozen=True)
class Head:
    """surface: all 26,719 vertices. triangles: (T, 3) int32, counter-clockwise seen from outside. part: (T,) uint8, one
    of FACE, HEAD, MOUTH, TEETH, EYES. landmarks: (68,) vertices of the 68 points. expression_names: the 46."""

    surface: LinearShape
    triangles: np.ndarray
    part: np.ndarray
    landmarks: np.ndarray
    expression_names: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads ict_facekit.npz."""
        with np.load(path, allow_pickle=False) as source:
            names, expression = expression_basis(
                list(source["expression_names"]), source["expression"].astype(np.float32)
            )
            surface = LinearShape(
                mean=source["mean"].astype(np.float32),
                identity=source["identity"][:IDENTITY_MODES].astype(np.float32),
                expression=expression,
            )
            parts = np.array([PART_OF_MATERIAL.get(str(name), 255) for name in source["materials"]], np.uint8)
            part = parts[source["triangle_material"]]
            drawn = part != 255
            return cls(
                surface=surface,
                triangles=source["triangles"][drawn],
                part=part[drawn],
                landmarks=source[JAW_LINE],
                expression_names=tuple(str(name) for name in names),
            )


def to_camera(shape: np.ndarray, quaternion: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """Points (V, 3) of one head in the camera frame, cm: x to the image's right, y up, z toward the viewer.

    z counts from the head's own origin: under weak perspective the distance cannot be seen (t_z is not added).
    """
    flat = np.array([translation[0], translation[1], 0], np.float32)
    return (shape @ quaternion_to_matrix(quaternion).T.astype(np.float32) + flat).astype(np.float32)


def to_pixels(camera: np.ndarray, scale: float, width: float, height: float) -> np.ndarray:
    """Points (V, 3) of the camera frame in cm as pixels x, y and depth in pixels, growing toward the viewer."""
    return (camera * np.array([scale, -scale, scale]) + np.array([width / 2, height / 2, 0])).astype(np.float32)


def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3), outward, of a surface of triangles (T, 3); weighted by area."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    index = triangles.T.ravel()
    normals = np.stack([np.bincount(index, np.tile(face[:, k], 3), len(points)) for k in range(3)], axis=1)
    return (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)).astype(np.float32)
