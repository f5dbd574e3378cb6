"""The whole head of ICT-FaceKit light: the service's face model with the back of the head, eyeballs, gums and teeth.

Same coefficients and head frame as service.vision.face_model, whose light mesh and landmarks are a subset of these
vertices.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from service.vision.face_model import IDENTITY_MODES, LinearShape
from service.vision.gaze import GAZE_NAMES
from service.vision.rotation import quaternion_to_matrix
from training.face_model.ict_facekit import JAW_VERTICES, expression_basis, landmarks_with

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

BEHIND_LIDS = 0.25  # cm that an eyeball draws back as its lids close, which on most faces they do not quite


@dataclass(frozen=True)
class Head:
    """Holds the head model. surface: all 26,719 vertices. triangles: (T, 3) int32, counter-clockwise seen from outside.
    part: (T,) uint8, one of FACE, HEAD, MOUTH, TEETH, EYES. landmarks: (68,) vertices of the 68 points.
    expression_names: the 46. lids: (8, V, 3) cm by which the lids follow a gaze of 1; those of looking down are 0, for
    they are in w_exp."""

    surface: LinearShape
    triangles: np.ndarray
    part: np.ndarray
    landmarks: np.ndarray
    expression_names: tuple[str, ...]
    lids: np.ndarray

    def lids_of(self, gaze: np.ndarray) -> np.ndarray:
        """(V, 3) cm by which the lids follow a gaze (8,) that w_exp does not tell: up and to the sides."""
        offsets: np.ndarray = np.tensordot(gaze, self.lids, 1).astype(np.float32)
        return offsets

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads ict_facekit.npz."""
        with np.load(path, allow_pickle=False) as source:
            lids = lids_following(list(source["expression_names"]), source["expression"])
            names, expression = expression_basis(
                list(source["expression_names"]), source["expression"].astype(np.float32)
            )
            for eye, blink in ((LEFT_EYE, "eyeBlink_L"), (RIGHT_EYE, "eyeBlink_R")):
                expression[list(names).index(blink), eye, 2] -= BEHIND_LIDS
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
                landmarks=landmarks_with(JAW_VERTICES, source["landmarks68"]),
                expression_names=tuple(str(name) for name in names),
                lids=lids,
            )


def lids_following(names: list[str], expression: np.ndarray) -> np.ndarray:
    """(8, V, 3) float32 of ICT's blendshapes (53, V, 3) by their names, in the order of GAZE_NAMES; see Head.lids."""
    lids = np.zeros((len(GAZE_NAMES), *expression.shape[1:]), np.float32)
    for row, name in enumerate(GAZE_NAMES):
        if not name.startswith("eyeLookDown"):
            lids[row] = expression[names.index(name.replace("Left", "_L").replace("Right", "_R"))]
    return lids


@dataclass(frozen=True)
class Pose:
    """Where a head is in a picture (paper, equation 2): quaternion (4,) unit, head to camera; origin (2,), the pixel
    at which the head frame's origin is seen; scale, pixels a cm. s (t_x, -t_y) of equation 2 is origin minus centre."""

    quaternion: np.ndarray
    origin: np.ndarray
    scale: float

    def turn(self, shape: np.ndarray) -> np.ndarray:
        """Points (V, 3) of the head frame in the camera frame about the head's origin, cm: x right, y up, z near."""
        return shape @ quaternion_to_matrix(self.quaternion).T.astype(np.float32)

    def pixels(self, camera: np.ndarray) -> np.ndarray:
        """Turned points (V, 3) in cm as x, y in pixels and a depth in pixels that grows toward the viewer."""
        pixels = camera * np.array([self.scale, -self.scale, self.scale]) + np.array([*self.origin, 0])
        return np.asarray(pixels, np.float32)

    def translation(self, width: float, height: float) -> np.ndarray:
        """t_x and t_y of equation 2 in cm, and 0 for t_z, in a picture of width x height pixels."""
        x, y = (self.origin - np.array([width, height]) / 2) / self.scale
        return np.array([x, -y, 0], np.float32)


def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3), outward, of a surface of triangles (T, 3); weighted by area."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    index = triangles.T.ravel()
    normals = np.stack([np.bincount(index, np.tile(face[:, k], 3), len(points)) for k in range(3)], axis=1)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12), np.float32)
