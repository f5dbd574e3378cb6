"""The mesh that every character is made from: ICT-FaceKit's mean head with ARKit's 52 blendshapes, in cm.

Frame: x to the subject's left, y up, z to the front; see DESIGN's face model.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from service.vision.arkit import ARKIT_NAMES
from training.arrays import read_arrays
from training.render.eyes import eyeball_centre
from training.render.head import LEFT_EYE, RIGHT_EYE, Head
from training.render.tongue import TONGUE, tongue_shift

SKIN = slice(0, 14062)  # vertices: face, back of the head, neck, inside of the mouth, one surface
MOUTH = slice(14062, 21451)  # gums, tongue and teeth
TEETH = slice(17039, 21451)
OUTSIDE, MOUTH_INSIDE, SOCKET = range(3)  # parts of the skin
SOCKET_WITHIN, MOUTH_WITHIN = 2.5, 5.0  # cm from an eyeball's centre, and to each side


@dataclass(frozen=True)
class Scan:
    """The mesh at rest and in motion.

    head: the mesh as the renderer knows it. points: (V, 3) cm. blendshapes: (52, V, 3) cm, in the order of ARKIT_NAMES.
    skin, mouth: triangles (T, 3) of each surface. skin_uv: (T, 3, 2) texture coordinates of the skin's corners, v up:
    the face in 0..1 by 0..1, the back of the head in 1..2 by 0..1. parts: (T,) OUTSIDE, MOUTH_INSIDE or SOCKET of the
    skin. mirror: (V,) the vertex of the skin on the other side. eye_centres: (2, 3) cm, left and right. eye_radii: (2,)
    cm.
    """

    head: Head
    points: np.ndarray
    blendshapes: np.ndarray
    skin: np.ndarray
    skin_uv: np.ndarray
    parts: np.ndarray
    mouth: np.ndarray
    mirror: np.ndarray
    eye_centres: np.ndarray
    eye_radii: np.ndarray

    def neck_edge(self) -> np.ndarray:
        """Vertices of the skin's only border, where the neck is cut."""
        return border(self.skin)


def read_scan(path: Path) -> Scan:
    """Reads ict_facekit.npz. Raises SystemExit where the file is another."""
    names = ("mean", "expression", "expression_names", "triangles", "triangle_material", "materials")
    arrays = read_arrays(path, *names, "uv", "triangle_uv")
    points = arrays["mean"].astype(np.float32)
    material = arrays["materials"][arrays["triangle_material"]]
    skin = np.isin(material, ("M_Face", "M_BackHead"))
    mouth = np.isin(material, ("M_GumsTongue", "M_Teeth"))
    eyes = [points[eye] for eye in (LEFT_EYE, RIGHT_EYE)]
    centres = np.stack([eyeball_centre(eye) for eye in eyes])
    behind = [eye[eye[:, 2] < centre[2]] for eye, centre in zip(eyes, centres, strict=True)]
    return Scan(
        head=Head.load(path),
        points=points,
        blendshapes=arkit_blendshapes(list(arrays["expression_names"]), arrays["expression"], points),
        skin=arrays["triangles"][skin],
        skin_uv=arrays["uv"][arrays["triangle_uv"][skin]],
        parts=parts_of(arrays["triangles"][skin], arrays["triangle_uv"][skin], points, centres),
        mouth=arrays["triangles"][mouth],
        mirror=mirrored_vertices(points[SKIN]),
        eye_centres=centres,
        eye_radii=np.array([np.linalg.norm(b - c, axis=1).mean() for b, c in zip(behind, centres, strict=True)]),
    )


def arkit_blendshapes(names: list[str], expression: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(52, V, 3) cm of ICT's 53 (53, V, 3): halves that ARKit has as one are added, the tongue is put out."""
    offsets = np.zeros((len(ARKIT_NAMES), *points.shape), np.float32)
    for name, offset in zip(names, expression, strict=True):
        whole = name[:-2] if name[:-2] in ("browInnerUp", "cheekPuff") else name
        offsets[ARKIT_NAMES.index(whole.replace("_L", "Left").replace("_R", "Right"))] += offset
    offsets[ARKIT_NAMES.index("tongueOut"), TONGUE] = tongue_shift(points[TONGUE], 1)
    return offsets


def mirrored_vertices(points: np.ndarray) -> np.ndarray:
    """(V,) the vertex nearest to each point's mirror image about x = 0, one for one."""
    mirror: np.ndarray = cKDTree(points).query(points * [-1, 1, 1])[1]
    if not np.array_equal(mirror[mirror], np.arange(len(points))):
        raise ValueError("the mesh is not symmetric about x = 0, which the characters are made by")
    return mirror


def border(triangles: np.ndarray) -> np.ndarray:
    """Vertices of the edges that only one of the triangles (T, 3) has."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, uses = np.unique(edges, axis=0, return_counts=True)
    vertices: np.ndarray = np.unique(unique[uses == 1])
    return vertices


def parts_of(triangles: np.ndarray, texture: np.ndarray, points: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    """(T,) OUTSIDE, MOUTH_INSIDE or SOCKET of triangles (T, 3) of points (V, 3), cm: which pieces of the texture they
    are on. texture: (T, 3) indices of texture coordinates. eyes: (2, 3) the eyeballs' centres."""
    edges = np.concatenate([texture[:, [0, 1]], texture[:, [1, 2]]])
    count = int(texture.max()) + 1
    piece = connected_components(coo_matrix((np.ones(len(edges)), edges.T), (count, count)), directed=False)[1]
    piece = piece[texture[:, 0]]
    kind = np.full(len(triangles), OUTSIDE)
    for name in np.unique(piece):
        own = points[triangles[piece == name]].reshape(-1, 3)
        if np.linalg.norm(own.mean(0) - eyes, axis=1).min() < SOCKET_WITHIN:
            kind[piece == name] = SOCKET
        elif np.abs(own[:, 0]).max() < MOUTH_WITHIN:
            kind[piece == name] = MOUTH_INSIDE
    return kind
