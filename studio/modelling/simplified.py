"""Which vertices of the scan the characters keep."""

from dataclasses import dataclass

import numpy as np

from service.vision.arkit import ARKIT_NAMES
from studio.modelling.scan import MOUTH, SKIN, SOCKET, Scan
from studio.modelling.simplify import Simplifier
from training.render.anatomy import Anatomy

SKIN_VERTICES, MOUTH_VERTICES = 3000, 700
BEHIND = np.radians(85)  # from an eye's axis: from there on nobody sees its socket, in front of which the eyeball is
POSES = (  # in which the shape has to hold, by the blendshapes that are at 1
    (),
    ("jawOpen",),
    ("mouthSmileLeft", "mouthSmileRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
    ("mouthPucker",),
    ("eyeBlinkLeft", "eyeBlinkRight"),
    ("jawOpen", "mouthClose", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    ("mouthRollLower", "mouthRollUpper", "noseSneerLeft", "noseSneerRight", "browDownLeft", "browDownRight"),
    ("eyeWideLeft", "eyeWideRight", "mouthStretchLeft", "mouthStretchRight"),
)


@dataclass(frozen=True)
class Simplified:
    """vertices: (N,) of the whole surface, some twice where the texture has a seam. triangles: (T, 3) of these.
    uv: (N, 2) the scan's texture coordinates, None without."""

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray | None


def split_at_seams(triangles: np.ndarray, uv: np.ndarray) -> Simplified:
    """Vertices once for each of their texture coordinates. triangles: (T, 3). uv: (T, 3, 2)."""
    corners = np.concatenate([triangles.reshape(-1, 1), np.round(uv.reshape(-1, 2) * 2**16)], axis=1)
    unique, inverse = np.unique(corners, axis=0, return_inverse=True)
    return Simplified(unique[:, 0].astype(int), inverse.reshape(-1, 3), unique[:, 1:] / 2**16)


def simplified_skin(scan: Scan, anatomy: Anatomy) -> Simplified:
    """The skin's."""
    at = ARKIT_NAMES.index
    points = scan.points[SKIN]
    poses = np.stack(
        [points + sum((scan.blendshapes[at(name)][SKIN] for name in pose), np.zeros_like(points)) for pose in POSES]
    )
    corners = np.concatenate([scan.skin.reshape(-1, 1), scan.skin_uv.reshape(-1, 2)], axis=1)
    split = np.unique(corners, axis=0)
    vertices, coordinates = split[:, 0].astype(int), split[:, 1:]
    frozen = np.bincount(vertices, minlength=len(points)) > 1  # seams of the texture
    frozen[scan.neck_edge()] = True
    frozen |= frozen[scan.mirror]
    importance = (
        1 + 3 * anatomy.lips[SKIN] + 3 * anatomy.lashes[SKIN] + 1.5 * anatomy.ears[SKIN] + 2 * (points[:, 2] > 7.5)
    )
    simplifier = Simplifier(poses, scan.skin, scan.mirror, importance, frozen)
    simplifier.reduce(range(len(points)), SKIN_VERTICES)
    kept = np.array(sorted(simplifier.triangles))
    triangles = np.array([simplifier.triangles[key] for key in kept])
    seen = (scan.parts[kept] != SOCKET) | (_angles_from_eyes(scan)[triangles].min(1) < BEHIND)
    kept, triangles = kept[seen], triangles[seen]
    # a corner that moved takes the texture coordinates that its new vertex has in the triangle's own chart
    options: list[list[np.ndarray]] = [[] for _ in points]
    for vertex, place in zip(vertices, coordinates, strict=True):
        options[vertex].append(place)
    uv = np.empty((len(triangles), 3, 2))
    for row, (corners, middle) in enumerate(zip(triangles, scan.skin_uv[kept].mean(1), strict=True)):
        for k, vertex in enumerate(corners):
            uv[row, k] = min(options[vertex], key=lambda q: float(((q - middle) ** 2).sum()))
    return split_at_seams(triangles, uv)


def _angles_from_eyes(scan: Scan) -> np.ndarray:
    """(V,) radians of the skin's vertices from the axis of the nearer eye, seen from its centre."""
    away = (scan.points[SKIN] - scan.eye_centres[:, None]).astype(np.float64)
    distance = np.linalg.norm(away, axis=2)
    angle = np.arccos(away[..., 2] / distance)
    return np.asarray(np.where(distance[0] < distance[1], angle[0], angle[1]))


def simplified_mouth(scan: Scan) -> Simplified:
    """Of gums, tongue and teeth."""
    points = scan.points[MOUTH]
    poses = np.stack([points, points + scan.blendshapes[ARKIT_NAMES.index("tongueOut")][MOUTH]])
    own = np.arange(len(points))
    importance = 1 + 4.0 * (points[:, 2] > 8.5)
    simplifier = Simplifier(poses, scan.mouth - MOUTH.start, own, importance, np.zeros(len(points), bool))
    simplifier.reduce(range(len(points)), MOUTH_VERTICES)
    triangles = np.array([simplifier.triangles[key] for key in sorted(simplifier.triangles)])
    vertices, corners = np.unique(triangles, return_inverse=True)
    return Simplified(vertices, corners.reshape(-1, 3), None)
