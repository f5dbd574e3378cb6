"""Which vertices of the face model are the 17 jaw points: `python -m training.labels.jaw_vertices`.

Points that are annotated in photos say where the jaw line is seen from the front, not how deep it lies; vertices that
are chosen by them alone leave the jaw when the head turns. The second teacher's points have depth. On frontal photos
annotated by hand, whose fits say where the face model's surface is, its points are brought onto the fit by the inner 51
points, and each jaw point becomes the vertex that is nearest to it over all faces, the two sides by the same measure.

Reads the fits NAME.npz and the second teacher's points NAME.second.npz (training/labels/second_teacher.py) and prints
the vertices, which training/scripts/build_face_model.py holds, and how far they are from the points.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from service.vision.face_model import LinearShape
from service.vision.rotation import quaternion_to_euler, quaternion_to_matrix
from training.arrays import map_array, read_arrays
from training.data.faces import MIRRORED_POINTS, FaceLabels
from training.face_model.ict_facekit import read_source
from training.labels.assemble import EXACT_SOURCES
from training.labels.correction import INNER

Floats = NDArray[np.floating]

HAND_ANNOTATED = "landmarks_train/"  # pictures whose points people set, but for those of EXACT_SOURCES
FACE_VERTICES = 9409  # ICT's vertices 0 to 9408
JAW = slice(0, 17)
SIDE = range(8)  # the jaw's points from the image's left up to the chin, point 8
CHIN = 8
MIDLINE = 0.05  # cm from the plane of symmetry
FRONTAL = 12.0  # degrees of yaw
MOST_APART = 0.03  # of the second teacher's two views
DEPTH_WEIGHT = 0.5  # depth is told from a single photo: less sure than what is seen across


def mirrored_vertices(mean: Floats) -> NDArray[np.intp]:
    """(V,) the vertex nearest to each one's mirror image, of a mean shape (V, 3)."""
    return np.asarray(cKDTree(mean).query(mean * [-1, 1, 1])[1])


def in_head_frame(points: Floats, quaternion: Floats, scale: Floats) -> Floats:
    """(N, 68, 3) cm, up to a shift, of points (N, 68, 3) in pixels, y down and z toward the viewer, of heads turned by
    quaternion (N, 4) and seen at scale (N,) pixels a cm."""
    camera = points * [1, -1, 1] / scale[:, None, None]
    return np.asarray(camera @ quaternion_to_matrix(quaternion))  # of rows: the inverse rotation


def onto_inner(points: Floats, target: Floats) -> Floats:
    """Points (68, 3) moved by the similarity that brings their inner 51 nearest to those of target (68, 3)
    (Umeyama, "Least-Squares Estimation of Transformation Parameters", 1991)."""
    centre, goal = points[INNER].mean(0), target[INNER].mean(0)
    a, b = points[INNER] - centre, target[INNER] - goal
    u, singular, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (singular * sign).sum() / np.square(a).sum()
    return np.asarray(scale * (points - centre) @ (u * sign @ vt).T + goal)


def mean_squares(surface: LinearShape, landmarks: NDArray[np.intp], fits: FaceLabels, points: Floats) -> Floats:
    """(17, V) cm², over all faces: from each jaw point to each vertex, its depth counting DEPTH_WEIGHT.

    surface: V vertices. landmarks: (68,) vertices of which the inner ones are right. fits: N faces.
    points: (N, 68, 3) of the same, pixels, y down and z toward the viewer.
    """
    jaws = in_head_frame(points, fits.quaternion.numpy(), fits.scale.numpy())
    weight = np.sqrt([1, 1, DEPTH_WEIGHT])
    total = np.zeros((17, len(surface.mean)))
    for i in range(len(fits)):
        shape = surface.shape(fits.identity[i].numpy(), fits.expression[i].numpy())
        jaw = onto_inner(jaws[i], shape[landmarks])[JAW]
        total += np.square((shape - jaw[:, None]) * weight).sum(-1)
    return total / len(fits)


def choose(squares: Floats, mean: Floats) -> NDArray[np.intp]:
    """(17,) vertices with the least squares (17, V) of a mean shape (V, 3): pairs of mirror images, the chin on the
    plane of symmetry."""
    mirror = mirrored_vertices(mean)
    chosen = np.zeros(17, np.intp)
    for point in SIDE:
        partner = MIRRORED_POINTS[point]
        chosen[point] = (squares[point] + squares[partner][mirror]).argmin()
        chosen[partner] = mirror[chosen[point]]
    chosen[CHIN] = np.where(np.abs(mean[:, 0]) < MIDLINE, squares[CHIN], np.inf).argmin()
    return chosen


def frontal_by_hand(labels: FaceLabels, names: NDArray[np.str_], apart: Floats) -> NDArray[np.bool_]:
    """(N,) well fitted frontal faces annotated by hand, whose two views by the second teacher (apart (N,)) agree.

    names: of the packed pictures.
    """
    by_hand = np.array([n.startswith(HAND_ANNOTATED) and not any(e in n for e in EXACT_SOURCES) for n in names])
    yaw = quaternion_to_euler(labels.quaternion.numpy())[0]
    agreeing = np.nan_to_num(apart, nan=np.inf) < MOST_APART
    frontal = np.asarray(np.abs(yaw) < FRONTAL)
    return np.asarray(by_hand[labels.picture.numpy()] & (labels.fitted.numpy() == 1) & frontal & agreeing)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--face-model-source", type=Path, default=Path("../shared/ict_facekit.npz"))
    parser.add_argument("--pack", type=Path, default=Path(".work/pack"))
    parser.add_argument("--labels", type=Path, default=Path(".work/labels"))
    parser.add_argument("--set", default="singles")
    args = parser.parse_args()
    source = read_source(args.face_model_source)
    shape = source.shape
    face = LinearShape(*(part[..., :FACE_VERTICES, :] for part in (shape.mean, shape.identity, shape.expression)))
    labels = FaceLabels.load(args.labels / f"{args.set}.npz")
    second = read_arrays(args.labels / f"{args.set}.second.npz", "points", "apart")
    points, apart = second["points"], second["apart"]
    used = np.flatnonzero(frontal_by_hand(labels, map_array(args.pack / f"{args.set}.names.npy"), apart))
    squares = mean_squares(face, source.landmarks, labels[torch.from_numpy(used)], points[used])
    chosen = choose(squares, face.mean)
    for name, vertices in (("front", source.landmarks[JAW]), ("chosen", chosen)):
        print(f"{name}: {vertices.tolist()}, cm off {np.sqrt(squares[range(17), vertices]).round(2).tolist()}")
    print(f"{len(used)} faces")


if __name__ == "__main__":
    main()
