"""Combines what the two teachers and the single face network say of each face: `python -m training.labels.combine`.

Who labels a face depends on how far the head is turned: |yaw| by the second teacher's points where its two views agree,
else by the first teacher's fit.

    first teacher      its fit, where it saw the face well and the head is turned by less than 35 degrees
    second teacher     a fit to its points from 35 degrees on, where its two views are apart by less than 5.5 % of the
                       face. Trust is 1 below 3 %, else 0.6. Points alone do not tell expressions, so the single face
                       network's is the prior. A fit that misses its points by 5 % or more is left out.
    SFN                its own answer, where neither says anything: small faces, above all
    nobody             the rest. Where no person set the box, it is ignored in training: there may be no face, or not
                       there. Faces whose boxes are ignored have no other label either.

Gaze is the first teacher's where it saw the face well, else unknown.

Reads NAME.npz (training/labels/assemble.py), NAME.second.npz (second_teacher.py) and NAME.sfn.npz (pseudo_labels.py) of
.work/labels, checks them all, and writes NAME.combined.npz: FaceLabels and their `source` (N,) uint8, see
training/data/sources.py.
"""

import argparse
import itertools
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from service.vision.face_model import FaceModel, project
from service.vision.rotation import matrix_to_quaternion, quaternion_to_euler
from training.data.archives import SETS, PhotoSet, box_of_points
from training.data.faces import FaceLabels
from training.data.packed import Packed
from training.data.sources import Source, save_with_sources
from training.labels.correction import INNER
from training.labels.fit import Fit, fit, rotation_from_3d
from training.labels.second_teacher import SecondAnswers

Floats = NDArray[np.floating]
Sources = NDArray[np.uint8]

TURNED = 35.0  # degrees of yaw
MOST_APART, WELL_APART = 0.055, 0.03  # of the second teacher's two views, over the face's size
WELL, FAIRLY = 1.0, 0.6  # trust in a fit to its points, below WELL_APART and above
MOST_ERROR = 0.05  # of such a fit, over the face's size
JAW_WEIGHT = 0.7  # of the second teacher's jaw points, beside 1 for the others
SFN_TRUST = 0.8  # times that of its two looks agreeing: a network's answer stays below a teacher's
YAW_BINS = (0, 15, 30, 45, 60, 75, 90)  # degrees, of |yaw|


def yaw_of_points(face_model: FaceModel, points: Floats) -> Floats:
    """(N,) degrees, of the rotation that brings the mean face nearest to points (N, 68, 3), y down, z to the viewer."""
    mean = torch.from_numpy(np.asarray(face_model.landmarks.mean, np.float32))
    camera = torch.from_numpy((points * [1, -1, 1]).astype(np.float32))
    return quaternion_to_euler(matrix_to_quaternion(rotation_from_3d(mean, camera).numpy()))[0]


def yaw_of(labels: FaceLabels) -> Floats:
    """(N,) degrees of yaw that the labels say."""
    return quaternion_to_euler(labels.quaternion.numpy())[0]


def fit_second(face_model: FaceModel, points: Floats, prior: Floats) -> tuple[Fit, NDArray[np.float32]]:
    """Fits to the second teacher's points (N, 68, 3) with expected w_exp prior (N, 46), and the points' weights
    (N, 68)."""
    weight = np.full(points.shape[:2], JAW_WEIGHT, np.float32)
    weight[:, INNER] = 1
    return fit(face_model, points[..., :2], weight, prior, points * [1, 1, -1]), weight


def projected(face_model: FaceModel, labels: FaceLabels) -> Floats:
    """(N, 68, 2) pixels, where the labels' pose and coefficients put the points."""
    shape = face_model.landmarks.shape(labels.identity.numpy(), labels.expression.numpy())
    centred = project(shape, labels.quaternion.numpy(), np.zeros((len(labels), 3)), labels.scale.numpy(), 0, 0)
    return np.asarray(centred + labels.origin.numpy()[:, None])


def put(labels: FaceLabels, rows: NDArray[np.intp], **values: Floats) -> None:
    """Sets some fields of some rows."""
    for name, value in values.items():
        column = getattr(labels, name)
        column[torch.from_numpy(rows)] = torch.from_numpy(np.ascontiguousarray(value)).to(column.dtype)


def combine(
    face_model: FaceModel, first: FaceLabels, second: SecondAnswers, sfn: FaceLabels, photos: PhotoSet
) -> tuple[FaceLabels, Sources]:
    """The combined labels of N faces and who said each (N,). All arguments are of the same faces in the same order."""
    seen_well = (first.fitted > 0).numpy()
    ignored = (first.ignored > 0.5).numpy()
    agreed = np.nan_to_num(second.apart, nan=np.inf) < MOST_APART
    yaw = np.array(yaw_of(first))
    yaw[agreed] = yaw_of_points(face_model, second.points[agreed])
    turned = np.abs(yaw) >= TURNED

    source = np.zeros(len(first), np.uint8)
    labels = FaceLabels.of_boxes(first.picture.numpy(), first.box.numpy(), ignored)
    of_first = np.flatnonzero(seen_well & ~turned & ~ignored)
    put(labels, of_first, **{f.name: getattr(first, f.name).numpy()[of_first] for f in fields(first)})
    source[of_first] = Source.FIRST_TEACHER

    of_second = np.flatnonzero(turned & agreed & ~ignored)
    known = (sfn.fitted > 0).numpy()
    mean = sfn.expression.numpy()[known].mean(0) if known.any() else np.zeros(46, np.float32)
    prior = np.where(known[:, None], sfn.expression.numpy(), mean)[of_second]
    if len(of_second):
        result, weight = fit_second(face_model, second.points[of_second], prior)
        good = result.error < MOST_ERROR
        rows = of_second[good]
        put(labels, rows, **{f: getattr(result, f)[good] for f in ("quaternion", "origin", "scale", "identity")})
        put(labels, rows, expression=result.expression[good], points=second.points[rows, :, :2])
        put(labels, rows, point_weight=weight[good], fitted=np.where(second.apart[rows] < WELL_APART, WELL, FAIRLY))
        source[rows] = Source.SECOND_TEACHER

    left = (source == Source.NOBODY) & ~ignored & known
    left[of_second] = False  # those that were left out stay so
    of_sfn = np.flatnonzero(left)
    own = ("quaternion", "origin", "scale", "identity", "expression")
    put(labels, of_sfn, **{name: getattr(sfn, name).numpy()[of_sfn] for name in own})
    put(labels, of_sfn, points=projected(face_model, sfn[torch.from_numpy(of_sfn)]))
    put(labels, of_sfn, point_weight=np.ones((len(of_sfn), 68)), fitted=SFN_TRUST * sfn.fitted.numpy()[of_sfn])
    source[of_sfn] = Source.SFN

    looking = np.flatnonzero(seen_well & (source != Source.NOBODY))
    put(labels, looking, gaze=first.gaze.numpy()[looking])
    if not photos.boxes:  # there a box is around a fit's points, so it moves with them
        moved = np.flatnonzero(source > Source.FIRST_TEACHER)
        put(labels, moved, box=box_of_points(projected(face_model, labels[torch.from_numpy(moved)])))
    if photos.detected or not photos.boxes:
        labels.ignored[torch.from_numpy(source == Source.NOBODY)] = 1
    return labels, source


def in_order_of(first: FaceLabels, sfn: FaceLabels, path: Path) -> FaceLabels:
    """SFN's labels, which pseudo_labels.py sorted by picture, in the order of the first teacher's.

    Raises SystemExit where they are of other faces. path: of SFN's, for the message.
    """
    order = torch.argsort(first.picture, stable=True)
    again = "run python -m training.labels.pseudo_labels"
    if len(sfn) != len(first):
        raise SystemExit(f"{path} has {len(sfn)} faces, the labels beside it {len(first)}; {again}")
    if not torch.equal(sfn.picture, first.picture[order]):
        raise SystemExit(f"{path} is of other pictures than the labels beside it; {again}")
    if not torch.allclose(sfn.box, first.box[order], atol=0.01):
        raise SystemExit(f"{path} is of other boxes than the labels beside it; {again}")
    return sfn[torch.argsort(order)]


def read(folder: Path, pack: Path, name: str) -> tuple[FaceLabels, SecondAnswers, FaceLabels]:
    """The three files of a set, faces in the same order. Raises SystemExit where they do not belong together."""
    packed = Packed.load(pack, name)
    first = packed.labels(folder / f"{name}.npz")
    second = SecondAnswers.load(folder / f"{name}.second.npz", first)
    path = folder / f"{name}.sfn.npz"
    return first, second, in_order_of(first, packed.labels(path), path)


def summary(labels: FaceLabels, source: Sources) -> str:
    """Faces of each source in all and by |yaw|, one source a line."""
    edges = [*YAW_BINS[:-1], np.inf]
    lines = [f"{'|yaw|':>14}  " + "".join(f"{f'{a}-{b}':>7}" for a, b in itertools.pairwise(YAW_BINS))]
    for who in Source:
        chosen = source == who
        counts = np.histogram(np.abs(yaw_of(labels)[chosen]), edges)[0]
        told = "".join(f"{count:7d}" for count in counts) if who != Source.NOBODY else ""
        lines.append(f"{who.name.lower():>14}: {chosen.sum():6d} {told}")
    return "\n".join(lines)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pack", type=Path, default=Path(".work/pack"))
    parser.add_argument("--labels", type=Path, default=Path(".work/labels"))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    face_model = FaceModel.load(Path("models/face_model.npz"))
    everything = {name: read(args.labels, args.pack, name) for name in args.sets}
    for name, (first, second, sfn) in everything.items():
        labels, source = combine(face_model, first, second, sfn, SETS[name])
        save_with_sources(labels, source, args.labels / f"{name}.combined.npz")
        print(f"{name}: {len(labels)} faces\n{summary(labels, source)}", flush=True)


if __name__ == "__main__":
    main()
