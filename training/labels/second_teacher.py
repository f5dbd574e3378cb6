"""Runs the second teacher on every face of a set of labels: `python -m training.labels.second_teacher --sets groups`.

The first one finds nothing in profiles. This is 3DDFA_V2's mb05 (Guo et al., "Towards Fast, Accurate and Stable 3D
Dense Face Alignment", ECCV 2020), trained on photos turned to large poses: from a crop it tells an affine camera and
the coefficients of a linear face model, whose 68 points have depth and lie on the jaw also where it is hidden. Its
weights are for labelling alone and never shipped.

A crop is set by the box of the label, then by the network's own answers; in the last one the face is looked at twice,
as it is and mirrored. Writes NAME.second.npz beside the labels, a row for each of NAME.npz:

    picture (N,), box (N, 4): of the labels, for it is of no use beside others
    points (N, 68, 3) float32: x right and y down in pixels of the packed picture, z toward the viewer in the same
        scale, its mean 0; the mean of both views, NaN for faces that were not looked at
    apart (N,) float32: mean distance of the two views' points in the picture, over the face's size
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from training.arrays import read_arrays
from training.data.archives import BOX_HEIGHT_OVER_POINTS, BOX_SHIFT_UP, BOX_WIDTH_OVER_POINTS, SETS
from training.data.faces import MIRRORED_POINTS, FaceLabels
from training.data.packed import Packed
from training.labels.assemble import size_of

Floats = NDArray[np.floating]

NETWORK, POINTS = "second_teacher_mb05.onnx", "second_teacher_points.npz"
SIDE = 120  # pixels of the network's square input
CAMERA = 12  # of its numbers: a 3 x 4 matrix; the rest are coefficients
CROP_OVER_FACE = 2**0.5  # side of the crop over the longer side of the points' box, as it was trained
ROUNDS = 2  # answers that set the next crop
SMALLEST_BOX = 20.0  # pixels; below it there is little to see


@dataclass(frozen=True)
class SecondAnswers:
    """Holds the second teacher's answers: points (N, 68, 3) and apart (N,) as above, of the labels they lie beside."""

    points: Floats
    apart: Floats

    def save(self, path: Path, labels: FaceLabels) -> None:
        """Writes the answers with the pictures and boxes of the labels that they belong to."""
        picture, box = labels.picture.numpy(), labels.box.numpy()
        np.savez(path, picture=picture, box=box, points=self.points, apart=self.apart)

    @classmethod
    def load(cls, path: Path, labels: FaceLabels) -> Self:
        """Reads answers that `save` wrote. Raises SystemExit where the file is missing, older, or not of these
        labels."""
        again = "run python -m training.labels.second_teacher"
        arrays = read_arrays(path, "picture", "box", "points", "apart", advice=again)
        if len(arrays["apart"]) != len(labels):
            raise SystemExit(f"{path} has {len(arrays['apart'])} rows, the labels beside it {len(labels)}; {again}")
        if not np.array_equal(arrays["picture"], labels.picture.numpy()):
            raise SystemExit(f"{path} is of other pictures than the labels beside it; {again}")
        if not np.allclose(arrays["box"], labels.box.numpy(), atol=0.01):
            raise SystemExit(f"{path} is of other boxes than the labels beside it; {again}")
        return cls(arrays["points"], arrays["apart"])


def crops_of(points: Floats) -> Floats:
    """(N, 3) left, top and side in pixels of the crops around points (N, K, 2 or 3) of which x and y count."""
    low, high = points[..., :2].min(1), points[..., :2].max(1)
    side = CROP_OVER_FACE * (high - low).max(1, keepdims=True)
    return np.concatenate([(low + high) / 2 - side / 2, side], axis=1)


def mirrored_crops(crops: Floats, width: float) -> Floats:
    """(N, 3) where crops (N, 3) lie in the mirror image of a picture `width` pixels wide."""
    left, top, side = crops.T
    return np.stack([width - left - side, top, side], axis=1)


def mirrored_back(points: Floats, width: float) -> Floats:
    """(N, 68, 3) in a picture `width` pixels wide of points in its mirror image, left and right put back in place."""
    x, y, z = np.moveaxis(points[:, MIRRORED_POINTS], -1, 0)
    return np.stack([width - x, y, z], axis=-1)


def cut(picture: np.ndarray, crop: Floats) -> np.ndarray:
    """(3, SIDE, SIDE) float32 blue, green, red in -1..1 of a crop (3,) of a picture (H, W, 3) uint8 RGB, whose edges
    are continued."""
    left, top, side = crop
    k = SIDE / side
    # warpAffine counts from pixel centres, crops from pixel corners: hence the halves
    matrix = np.array([[k, 0, (0.5 - left) * k - 0.5], [0, k, (0.5 - top) * k - 0.5]])
    flags = cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR
    seen = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return (seen[..., ::-1].transpose(2, 0, 1).astype(np.float32) - 127.5) / 128


@dataclass(frozen=True)
class PointModel:
    """The 68 points of the network's linear face model, and how its numbers are scaled.

    mean: (68, 3). basis: (50, 68, 3), identity and expression. parameter_mean, parameter_std: (62,).
    """

    mean: Floats
    basis: Floats
    parameter_mean: Floats
    parameter_std: Floats

    @classmethod
    def load(cls, path: Path) -> "PointModel":
        """The model that lies beside the network's weights. Raises SystemExit where the file is another."""
        arrays = read_arrays(path, "mean", "identity", "expression", "parameter_mean", "parameter_std")
        basis = np.concatenate([arrays["identity"], arrays["expression"]])
        return cls(arrays["mean"], basis, arrays["parameter_mean"], arrays["parameter_std"])

    def points(self, answers: Floats, crops: Floats) -> Floats:
        """(N, 68, 3) in pixels of the picture, z toward the viewer, of the network's answers (N, 62) for its crops."""
        numbers = answers * self.parameter_std + self.parameter_mean
        camera = numbers[:, :CAMERA].reshape(-1, 3, 4)
        shape = self.mean + np.tensordot(numbers[:, CAMERA:], self.basis, axes=1)
        x, y, z = np.moveaxis(shape @ camera[:, :, :3].transpose(0, 2, 1) + camera[:, None, :, 3], -1, 0)
        left, top, side = crops[:, None].T  # (1, N) each
        k = side.T / SIDE
        # its training counted pixels from 1, and y from the crop's lower edge
        return np.stack([left.T + (x - 1) * k, top.T + (SIDE - y) * k, z * k], axis=-1)


class SecondTeacher:
    """Labels faces with 3DDFA_V2's network. Raises SystemExit where `folder` lacks one of its two files."""

    def __init__(self, folder: Path) -> None:
        for name in (NETWORK, POINTS):
            if not (folder / name).exists():
                raise SystemExit(
                    f"{folder / name} is missing. The second teacher is {NETWORK}, 3DDFA_V2's mb05 as ONNX, and "
                    f"{POINTS}, the 68 points of its face model: give their folder with --second-teacher."
                )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(folder / NETWORK, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        self.model = PointModel.load(folder / POINTS)

    def look(self, picture: np.ndarray, crops: Floats) -> Floats:
        """Points (N, 68, 3) of the faces in crops (N, 3), N at least 1, of a picture (H, W, 3) uint8 RGB."""
        seen = np.stack([cut(picture, crop) for crop in crops])
        return self.model.points(self.session.run(None, {self.input: seen})[0], crops)

    def label(self, picture: np.ndarray, boxes: Floats) -> tuple[Floats, Floats]:
        """The answers for faces: points (N, 68, 3) and apart (N,), see above, of faces in a picture (H, W, 3) uint8
        RGB.

        boxes: (N, 4) x1 y1 x2 y2 of their points, about; N at least 1.
        """
        crops = crops_of(boxes.reshape(-1, 2, 2))
        for _ in range(ROUNDS):
            crops = crops_of(self.look(picture, crops))
        width = picture.shape[1]
        mirror_image = np.ascontiguousarray(picture[:, ::-1])
        first = self.look(picture, crops)
        second = mirrored_back(self.look(mirror_image, mirrored_crops(crops, width)), width)
        for points in (first, second):
            points[..., 2] -= points[..., 2].mean(1, keepdims=True)
        apart = np.linalg.norm((first - second)[..., :2], axis=-1).mean(1) / size_of(first[..., :2])
        return (first + second) / 2, apart


def boxes_of_points(boxes: Floats) -> Floats:
    """(N, 4) about where the points lie in annotated boxes (N, 4)."""
    size = (boxes[:, 2:] - boxes[:, :2]) / [BOX_WIDTH_OVER_POINTS, BOX_HEIGHT_OVER_POINTS]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 + [0, BOX_SHIFT_UP] * size
    return np.concatenate([centre - size / 2, centre + size / 2], axis=1)


def label_set(
    teacher: SecondTeacher, labels: FaceLabels, images: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The answers for a set: points (N, 68, 3) and apart (N,) of labels in packed pictures (P, S, S, 3) of sizes (P, 2)
    width and height."""
    boxes, pictures = labels.box.numpy(), labels.picture.numpy()
    seen = ((boxes[:, 2:] - boxes[:, :2]).min(1) >= SMALLEST_BOX) & (labels.ignored.numpy() == 0)
    points = np.full((len(labels), 68, 3), np.nan, np.float32)
    apart = np.full(len(labels), np.nan, np.float32)
    for picture in np.unique(pictures[seen]):
        rows = np.flatnonzero(seen & (pictures == picture))
        width, height = sizes[picture].astype(int)
        pixels = np.ascontiguousarray(images[picture, :height, :width])
        points[rows], apart[rows] = teacher.label(pixels, boxes_of_points(boxes[rows]))
    return points, apart


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--second-teacher", type=Path, default=Path("../shared/round2"), help=f"of {NETWORK}, {POINTS}")
    parser.add_argument("--pack", type=Path, default=Path(".work/pack"))
    parser.add_argument("--labels", type=Path, default=Path(".work/labels"))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    args = parser.parse_args()
    teacher = SecondTeacher(args.second_teacher)
    packs = {name: Packed.load(args.pack, name) for name in args.sets}
    sets = {name: packed.labels(args.labels / f"{name}.npz") for name, packed in packs.items()}
    for name, packed in packs.items():
        labels = sets[name]
        points, apart = label_set(teacher, labels, packed.images, packed.sizes)
        SecondAnswers(points, apart).save(args.labels / f"{name}.second.npz", labels)
        looked = np.isfinite(apart)
        print(f"{name}: {looked.sum()} of {len(labels)} faces, views {np.median(apart[looked]):.2%} apart", flush=True)


if __name__ == "__main__":
    main()
