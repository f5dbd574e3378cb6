"""Teacher's answers to labels: correct the points, fit the face model, leave out bad fits.

`python -m training.labels.assemble` reads .work/teacher and .work/pack and writes .work/labels/NAME.npz for each of
training.data.archives.SETS (training/data/faces.py) in pixels of the packed pictures, and val.npz for landmarks_val in
its own pixels. With --archives only pictures of these have faces in NAME.npz.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from service.vision.face_model import FaceModel
from service.vision.gaze import GAZE_NAMES
from service.vision.rotation import quaternion_to_euler
from training.arrays import read_arrays
from training.data.archives import (
    ARCHIVES,
    HELD_OUT_CLIPS,
    SETS,
    VALIDATION,
    PhotoSet,
    box_of_points,
    read_archive,
    sets_of,
)
from training.data.faces import FaceLabels
from training.data.packed import Packed
from training.labels.correction import INNER, Correction, teacher_points
from training.labels.fit import Fit, fit

# MediaPipe's 52 blendshapes in its order
BLENDSHAPES = [
    "_neutral",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
]

SMALLEST_FACE = 30.0  # pixels of the annotated box; below it the teacher guesses and the single face network labels
GOOD_VIEWS, USABLE_VIEWS = 0.025, 0.05  # mean distance of the two views' points over the face's size
MOST_ERROR = 0.035  # of the fit, over the face's size
MOST_BLENDSHAPE_DIFFERENCE = 0.10  # mean over the 52, between the two views
MOST_GAZE_DIFFERENCE = 0.12  # mean over the eight of GAZE_NAMES, between the two views
LEAST_BOX_OVERLAP = 0.3  # IoU of the annotated box with the one around the fitted points
JAW_FADES_FROM, JAW_GONE_AT = 20.0, 45.0  # degrees of yaw: the far jaw of a hand annotation slides along the outline
EXACT_SOURCES = ("facesynthetics",)  # annotated by rendering, not by hand


@dataclass
class Taught:
    """The teacher's answers for M faces; see training/labels/teacher.py for the arrays."""

    picture: np.ndarray
    box: np.ndarray
    points: np.ndarray
    found: np.ndarray
    landmarks: np.ndarray
    blendshapes: np.ndarray

    @classmethod
    def load(cls, folder: Path, archive: str) -> "Taught":
        """All parts of an archive. Raises SystemExit where there are none, or not those of one run."""
        paths = sorted(folder.glob(f"{archive}.*of*.npz"))
        again = f"run python -m training.labels.teacher {archive}"
        if not paths:
            raise SystemExit(f"{folder} holds nothing for {archive}; {again}")
        found = [path.stem.rsplit(".", 1)[1] for path in paths]
        if set(found) != {f"{part}of{len(paths)}" for part in range(len(paths))}:
            raise SystemExit(f"{folder} holds {', '.join(found)} of {archive}, not every part of one run; {again}")
        parts = [read_arrays(path, *cls.__dataclass_fields__, advice=again) for path in paths]
        arrays = {name: np.concatenate([part[name] for part in parts]) for name in cls.__dataclass_fields__}
        arrays["picture"] = np.array([f"{archive}/{name}" for name in arrays["picture"]])
        return cls(**arrays)

    def where(self, chosen: np.ndarray) -> "Taught":
        """The chosen faces alone."""
        return Taught(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})

    @staticmethod
    def concatenate(parts: list["Taught"]) -> "Taught":
        """The faces of all parts, in order."""
        fields = Taught.__dataclass_fields__
        return Taught(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in fields})


def expressions_of(blendshapes: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """(N, 46) w_exp of MediaPipe's blendshapes (N, 52): halves of one ARKit coefficient are taken as equal."""

    def columns(name: str) -> list[int]:
        if name == "eyeLookDown":
            return [BLENDSHAPES.index("eyeLookDownLeft"), BLENDSHAPES.index("eyeLookDownRight")]
        stem = name.removesuffix("_L").removesuffix("_R")
        sided = {"_L": stem + "Left", "_R": stem + "Right"}.get(name[-2:], name)
        return [BLENDSHAPES.index(sided if sided in BLENDSHAPES else stem)]

    return np.stack([blendshapes[:, columns(name)].mean(1) for name in names], axis=1).astype(np.float64)


def gaze_of(blendshapes: np.ndarray) -> np.ndarray:
    """(N, 8) float32 in the order of GAZE_NAMES of both views' blendshapes (N, 2, 52): their mean, NaN where they
    disagree."""
    views = blendshapes.astype(np.float32)[:, :, [BLENDSHAPES.index(name) for name in GAZE_NAMES]]
    unlike = np.abs(views[:, 0] - views[:, 1]).mean(1) > MOST_GAZE_DIFFERENCE
    return np.where(unlike[:, None], np.float32(np.nan), views.mean(1))


def by_hand(taught: Taught) -> np.ndarray:
    """(N,) faces that a person annotated and both views of the teacher saw."""
    exact = np.array([any(source in name for source in EXACT_SOURCES) for name in taught.picture])
    return np.asarray(taught.found.all(1) & np.isfinite(taught.points[:, 0, 0]) & ~exact)


def learn_correction(taught: Taught, to_68: np.ndarray) -> Correction:
    """Learns the correction from the hand-annotated training photos."""
    chosen = taught.where(by_hand(taught))
    return Correction.learn(teacher_points(chosen.landmarks, to_68).mean(1), chosen.points.astype(np.float64))


def size_of(points: np.ndarray) -> np.ndarray:
    """(N,) sqrt(w h) of the box of points (N, 68, 2)."""
    return np.asarray(np.sqrt(np.prod(points.max(1) - points.min(1), axis=-1)))


def jaw_weights(yaw: np.ndarray) -> np.ndarray:
    """(N, 68) 1, less for the jaw points of the side turned away."""
    weight = np.ones((len(yaw), 68), np.float32)
    faded = 1 - np.clip((np.abs(yaw) - JAW_FADES_FROM) / (JAW_GONE_AT - JAW_FADES_FROM), 0, 1)
    weight[yaw > 0, 9:17] *= faded[yaw > 0, None]  # turned to the image's right: the points at the right are far
    weight[yaw < 0, 0:8] *= faded[yaw < 0, None]
    return weight


@dataclass
class Labelled:
    """Fits of the faces that both views of the teacher saw, with what they were fitted to."""

    taught: Taught
    fit: Fit
    points: np.ndarray
    point_weight: np.ndarray
    fitted: np.ndarray


Teach = Callable[[Taught, bool], Labelled]  # label(), but for what is the same for all sets


def label(
    taught: Taught, correction: Correction, to_68: np.ndarray, face_model: FaceModel, use_annotation: bool
) -> Labelled:
    """Fits every face of `taught` that both views saw; `fitted` says how far each fit is to be trusted."""
    taught = taught.where(np.asarray(taught.found.all(1)))
    views = teacher_points(taught.landmarks, to_68)
    seen = views.mean(1)
    points = correction(seen)
    annotated = np.isfinite(taught.points[:, 0, 0]) & use_annotation
    exact = np.array([any(source in name for source in EXACT_SOURCES) for name in taught.picture], bool)
    for group in (annotated & ~exact, annotated & exact):
        if group.any():
            shift = (
                np.median((taught.points[group] - points[group])[:, INNER, 0].mean(1)) if not exact[group].all() else 0
            )
            points[group] = taught.points[group] - [
                shift,
                0,
            ]  # a mean sideways shift is the annotation's, not the faces'
    points_of_teacher = correction(seen)

    blendshapes = taught.blendshapes.astype(np.float64)
    prior = expressions_of(blendshapes.mean(1), face_model.expression_names)
    first = fit(face_model, points, np.ones((len(points), 68), np.float32), prior, seen)
    yaw = quaternion_to_euler(first.quaternion)[0]
    point_weight = jaw_weights(yaw)
    point_weight[exact] = 1
    result = fit(face_model, points, point_weight, prior, seen)

    size = size_of(points)
    apart = np.linalg.norm(views[:, 0, :, :2] - views[:, 1, :, :2], axis=-1).mean(1) / size
    unlike = np.abs(blendshapes[:, 0] - blendshapes[:, 1]).mean(1)
    off = np.linalg.norm((points - points_of_teacher)[:, INNER], axis=-1).mean(1) / size
    low, high = np.split(box_of_points(result.points), 2, axis=-1)
    overlap = np.clip(np.minimum(high, taught.box[:, 2:]) - np.maximum(low, taught.box[:, :2]), 0, None).prod(-1)
    area = (high - low).prod(-1) + (taught.box[:, 2:] - taught.box[:, :2]).prod(-1) - overlap
    guessed_box = np.array(["faces_unlabelled" in n or "expressions_unlabelled" in n for n in taught.picture])
    good = (apart < USABLE_VIEWS) & (result.error < MOST_ERROR) & (unlike < MOST_BLENDSHAPE_DIFFERENCE)
    good &= guessed_box | (overlap / area > LEAST_BOX_OVERLAP)
    good &= (taught.box[:, 2:] - taught.box[:, :2]).min(1) >= SMALLEST_FACE
    good &= ~annotated | (off < USABLE_VIEWS)
    fitted = np.where(good, np.where(apart < GOOD_VIEWS, 1.0, 0.5), 0.0).astype(np.float32)
    return Labelled(taught, result, points.astype(np.float32), point_weight, fitted)


def labels_of(labelled: Labelled, picture: np.ndarray, scale: np.ndarray, box: np.ndarray) -> FaceLabels:
    """In pixels of the packed pictures: picture (N,) their indices, scale (N,) packed over original, box (N, 4)."""
    result, wide = labelled.fit, scale[:, None].astype(np.float32)
    arrays = {
        "picture": picture,
        "box": box.astype(np.float32),
        "quaternion": result.quaternion,
        "origin": result.origin * wide,
        "scale": (result.scale * scale).astype(np.float32),
        "identity": result.identity,
        "expression": result.expression.astype(np.float32),
        "points": labelled.points * wide[..., None],
        "point_weight": labelled.point_weight * (labelled.fitted > 0)[:, None],
        "fitted": labelled.fitted,
        "ignored": np.zeros(len(picture), np.float32),
        "gaze": gaze_of(labelled.taught.blendshapes),
    }
    return FaceLabels(**{name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()})


def read_taught(folder: Path, pack: Path, name: str, photos: PhotoSet) -> Taught:
    """The teacher's answers for a set, without the clips that are held out and pictures left out of the pack.

    Raises SystemExit where the teacher did not see an archive or none of its pictures is packed.
    """
    taught = Taught.concatenate([Taught.load(folder, archive) for archive in photos.archives])
    names = Packed.load(pack, name).names
    missing = set(photos.archives) - {str(n).split("/")[0] for n in names}
    if missing:
        raise SystemExit(
            f"{pack / name}.npy holds no picture of {', '.join(sorted(missing))}; run python -m training.data.pack"
        )
    held_out = np.array([any(f"/{clip}/" in picture for clip in HELD_OUT_CLIPS) for picture in taught.picture])
    return taught.where(np.isin(taught.picture, names) & ~held_out)


def packed_scales(data: Path, photos: PhotoSet) -> dict[str, float]:
    """How much each picture of a set was shrunk when it was packed, by name."""
    return {
        f"{archive}/{picture.name}": min(1.0, photos.side / max(picture.annotation["size"]))
        for archive in photos.archives
        for picture in read_archive(data / f"{archive}.tar")
    }


def label_set(
    taught: Taught, photos: PhotoSet, packed: Packed, boxes: FaceLabels | None, scales: dict[str, float], teach: Teach
) -> FaceLabels:
    """Labels of a set in pixels of its packed pictures: every annotated box (`boxes`), or every face with a fit."""
    labelled = teach(taught, True)
    index = {str(name): i for i, name in enumerate(packed.names)}
    picture = np.array([index[n] for n in labelled.taught.picture])
    scale = np.array([scales[n] for n in labelled.taught.picture])
    if boxes is None:
        faces = labels_of(labelled, picture, scale, box_of_points(labelled.fit.points) * scale[:, None])
        return faces[faces.fitted > 0]
    faces = labels_of(labelled, picture, scale, labelled.taught.box * scale[:, None])
    asked = np.array([str(name).split("/")[0] in photos.archives for name in packed.names])
    return with_unfitted(faces, boxes[torch.from_numpy(asked)[boxes.picture]])


def with_unfitted(fits: FaceLabels, boxes: FaceLabels) -> FaceLabels:
    """Every annotated box, those with a fit replaced by it."""
    near: dict[int, list[int]] = {}
    for i in range(len(fits)):
        near.setdefault(int(fits.picture[i]), []).append(i)
    kept = torch.ones(len(boxes), dtype=torch.bool)
    ignored = fits.ignored.clone()
    for i in range(len(boxes)):
        for j in near.get(int(boxes.picture[i]), []):
            if torch.allclose(fits.box[j], boxes.box[i], atol=0.1):
                kept[i] = False
                ignored[j] = boxes.ignored[i]
    fits.ignored = ignored
    return FaceLabels.concatenate([fits, boxes[kept]])


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", type=Path, default=Path(".work/teacher"))
    parser.add_argument("--pack", type=Path, default=Path(".work/pack"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--face-model-source", type=Path, default=Path("../shared/ict_facekit.npz"))
    parser.add_argument("--out", type=Path, default=Path(".work/labels"))
    parser.add_argument("--only", choices=(*SETS, "val"), nargs="*", default=(*SETS, "val"))
    parser.add_argument("--archives", nargs="+", choices=ARCHIVES, default=ARCHIVES, help="only these, of their sets")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)

    face_model = FaceModel.load(Path("models/face_model.npz"))
    to_68 = read_arrays(args.face_model_source, "mediapipe478_to_68")["mediapipe478_to_68"]
    correction = learn_correction(Taught.load(args.teacher, "landmarks_train"), to_68)

    def teach(taught: Taught, use_annotation: bool) -> Labelled:
        return label(taught, correction, to_68, face_model, use_annotation)

    sets = {name: photos for name, photos in sets_of(args.archives).items() if name in args.only}
    everything = {name: read_taught(args.teacher, args.pack, name, photos) for name, photos in sets.items()}
    for name, photos in sets.items():
        packed = Packed.load(args.pack, name)
        boxes = packed.labels(args.pack / f"{name}.boxes.npz") if photos.boxes else None
        faces = label_set(everything[name], photos, packed, boxes, packed_scales(args.data, photos), teach)
        faces.save(args.out / f"{name}.npz")
        print(
            f"{name}: {len(faces)} faces, {int((faces.fitted > 0).sum())} fitted, {int((faces.fitted == 1).sum())} well"
        )

    if "val" in args.only:
        labelled = teach(Taught.load(args.teacher, VALIDATION), False)
        n = len(labelled.fitted)
        labels_of(labelled, np.arange(n), np.ones(n), box_of_points(labelled.fit.points)).save(args.out / "val.npz")
        given = labelled.taught.points
        error = np.linalg.norm(labelled.fit.points - given, axis=-1).mean(1) / size_of(given)
        print(f"{VALIDATION}: fits are {error.mean():.2%} from the annotated points")


if __name__ == "__main__":
    main()
