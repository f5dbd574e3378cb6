"""Labels every annotated face with the single face network (paper section 3.4): `python -m
training.labels.pseudo_labels`.

Each face is looked at three times: in a crop made from its box, then, upright, around the points of the first look, and
mirrored. The last two are averaged; where they disagree, the label counts less. Takes the faces of
.work/labels/NAME.npz and writes NAME.sfn.npz beside it.
"""

import argparse
import itertools
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from service.inference.execution import Execution
from service.inference.models import Models
from service.vision.arrays import Array
from service.vision.crops import Crop, crops_of
from service.vision.face_model import FaceModel, project
from service.vision.faces import Faces
from service.vision.gaze import no_gaze
from service.vision.image import Picture
from service.vision.mirroring import mirror_partners, mirrored_back
from service.vision.refinement import apply_refinement
from service.vision.rotation import normalize
from training.data.archives import BOX_HEIGHT_OVER_POINTS, BOX_SHIFT_UP, BOX_WIDTH_OVER_POINTS, SETS
from training.data.faces import FaceLabels
from training.data.packed import Packed
from training.labels.assemble import size_of

GOOD, USABLE = 0.025, 0.06  # mean distance of the points of the two looks over the face's size
SMALLEST_BOX = 8.0  # pixels; below it there is nothing to see of an expression
FIELD_OF_VIEW = 63.0  # degrees; only t_z depends on it, which labels do not hold


def crop_of_box(box: Array, crop_factor: float) -> Crop:
    """The crop that the points of a face with this annotated box (4,) would have."""
    size = (box[2:] - box[:2]) / [BOX_WIDTH_OVER_POINTS, BOX_HEIGHT_OVER_POINTS]
    centre = (box[:2] + box[2:]) / 2 + [0, BOX_SHIFT_UP * size[1]]
    return Crop(centre, max(1.0, crop_factor * float(size.max())), 0.0)


@dataclass
class Labeller:
    """The single face network, looking at all faces of a picture at once."""

    models: Models
    expression_partner: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> "Labeller":
        """A labeller with the published single face network of a folder."""
        models = Models.load(folder, Execution(precision="float32"))
        return cls(models, mirror_partners(models.face_model.expression_names))

    def look(self, picture: Picture, faces: Faces, crops: list[Crop], mirrored: bool = False) -> Faces:
        """The faces as the single face network sees them in these crops, mirrored where asked."""
        pixels = np.stack([crop.sample(picture) for crop in crops])
        raw = self.models.sfn.run(np.ascontiguousarray(pixels[:, :, ::-1]) if mirrored else pixels)
        if mirrored:
            raw = mirrored_back(raw, self.expression_partner)
        return apply_refinement(faces, crops, raw, picture.width, picture.height, FIELD_OF_VIEW)

    def label(self, pixels: np.ndarray, boxes: np.ndarray) -> tuple[Faces, np.ndarray]:
        """Faces of boxes (N, 4) in a picture (H, W, 3), and how far the two looks are apart (N,), in face sizes."""
        height, width = pixels.shape[:2]
        picture = Picture(pixels, width, height)
        n = len(boxes)
        blank = Faces(
            score=np.ones(n, np.float32),
            box=boxes,
            quaternion=np.zeros((n, 4), np.float32),
            translation=np.zeros((n, 3), np.float32),
            scale=np.ones(n, np.float32),
            identity=np.zeros((n, 50), np.float32),
            expression=np.zeros((n, 46), np.float32),
            gaze=no_gaze(n),
        )
        model, factor = self.models.face_model, self.models.crop_factor
        first = self.look(picture, blank, [crop_of_box(box, factor) for box in boxes])
        crops = crops_of(first, model, width, height, factor)
        second, third = self.look(picture, first, crops), self.look(picture, first, crops, mirrored=True)
        points = [look.landmarks(model, width, height) for look in (second, third)]
        apart = np.linalg.norm(points[0] - points[1], axis=-1).mean(1) / size_of(points[0])
        # both looks see the same head: their quaternions differ little, and half-way is their mean
        sign = np.where((second.quaternion * third.quaternion).sum(-1, keepdims=True) < 0, -1, 1)
        mean = replace(
            second,
            quaternion=normalize(second.quaternion + sign * third.quaternion).astype(np.float32),
            **{
                name: (getattr(second, name) + getattr(third, name)) / 2
                for name in ("translation", "scale", "identity", "expression")
            },
        )
        return mean, apart


def pseudo_label(labels: FaceLabels, images: np.ndarray, sizes: np.ndarray, labeller: Labeller) -> FaceLabels:
    """The same faces, sorted by picture, with the network's pose and coefficients; gaze stays the teacher's.

    Points that come from annotation or the teacher stay the landmarks' targets; other faces take the network's own.
    """
    labels = labels[torch.argsort(labels.picture, stable=True)]
    model: FaceModel = labeller.models.face_model
    arrays = SimpleNamespace(**{f.name: getattr(labels, f.name).numpy() for f in fields(labels)})  # views of labels
    pictures = arrays.picture
    starts = np.flatnonzero(np.r_[True, pictures[1:] != pictures[:-1], True])
    for begin, end in itertools.pairwise(starts):
        width, height = sizes[pictures[begin]].astype(int)
        boxes = arrays.box[begin:end]
        usable = (boxes[:, 2:] - boxes[:, :2]).min(1) >= SMALLEST_BOX
        if not usable.any():
            continue
        rows = begin + np.flatnonzero(usable)
        faces, apart = labeller.label(np.asarray(images[pictures[begin], :height, :width]), boxes[usable])
        shape = model.landmarks.shape(faces.identity, faces.expression)
        points = project(shape, faces.quaternion, faces.translation, faces.scale, width, height)
        origin = np.array([width / 2, height / 2]) + faces.scale[:, None] * faces.translation[:, :2] * [1, -1]
        trust = np.where(apart < GOOD, 1.0, np.where(apart < USABLE, 0.5, 0.0))
        unknown = arrays.fitted[rows] == 0
        arrays.quaternion[rows] = faces.quaternion
        arrays.origin[rows] = origin
        arrays.scale[rows] = faces.scale
        arrays.identity[rows] = faces.identity
        arrays.expression[rows] = faces.expression
        arrays.fitted[rows] = trust
        arrays.points[rows[unknown]] = points[unknown]
        arrays.point_weight[rows[unknown]] = (trust > 0)[unknown, None]
    return labels


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--pack", type=Path, default=Path(".work/pack"))
    parser.add_argument("--labels", type=Path, default=Path(".work/labels"))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    args = parser.parse_args()
    labeller = Labeller.load(args.models)
    packs = {name: Packed.load(args.pack, name) for name in args.sets}
    sets = {name: packed.labels(args.labels / f"{name}.npz") for name, packed in packs.items()}
    for name, packed in packs.items():
        labels = sets[name]
        known = int((labels.fitted > 0).sum())
        labels = pseudo_label(labels, packed.images, packed.sizes, labeller)
        labels.save(args.labels / f"{name}.sfn.npz")
        print(
            f"{name}: {known} of {len(labels)} faces were known, {int((labels.fitted > 0).sum())} are now", flush=True
        )


if __name__ == "__main__":
    main()
