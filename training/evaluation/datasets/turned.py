"""turned_val: landmarks_val's photos turned in depth with their fitted mesh, to yaws that hardly any photo there has.

The labels are fitted as those of training photos are, to the annotated points with the teacher's expressions as prior;
each face is then turned into every yaw bin it can reach: further away from the camera only, for what a photo hides
cannot be shown. Made once (half a minute of one core, the teacher's answers being there) and kept under .work/; remove
the file where training/render or training/labels has changed.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Pixels
from service.vision.rotation import quaternion_to_euler
from training.evaluation.datasets.cached import cached
from training.evaluation.datasets.sample import Sample, existing
from training.evaluation.landmarks import YAW_BINS

SEED, PHOTOS = 564_738, 75  # photos: of those with a fit to be trusted, evenly spread
SIDE = 288  # pixels of a picture
LEAST_TURN = 3.0  # degrees that are left in a bin for a face to be turned into it
CACHE = Path(f".work/evaluation/turned_val-{SEED}-{PHOTOS}.npz")
TEACHER, FACE_KIT = Path("../shared/face_landmarker_v2.task"), Path("../shared/ict_facekit.npz")
TAUGHT = Path(".work/teacher")  # what the teacher said, as training/labels/teacher.py leaves it
FACE_MODEL = Path("models/face_model.npz")


def yaw_in_bin(yaw: float, low: float, high: float, frontal: float, rng: np.random.Generator) -> float | None:
    """A yaw, degrees, with low < |yaw| <= high, of the same side as `yaw` or, within `frontal`, of either, and further
    turned than it; None where the bin has no room for that."""
    side = float(np.sign(yaw)) if abs(yaw) > frontal else float(rng.choice([-1.0, 1.0]))
    least = max(low, abs(yaw))
    return side * float(rng.uniform(least, high)) if high - least >= LEAST_TURN else None


def make(archive: Path) -> dict[str, NDArray[Any]]:
    """Makes the turned faces: picture (N, 288, 288, 3) uint8, name (N,), landmarks (N, 68, 2), quaternion (N, 4)."""
    from service.vision.face_model import FaceModel
    from service.vision.rotation import euler_to_quaternion
    from training.data.archives import read_archive
    from training.labels.assemble import Taught, label, learn_correction
    from training.labels.teacher import label_archive
    from training.render.crops import CROP, place
    from training.render.fitted import SMALLEST, TRUSTED
    from training.render.head import Head, Pose
    from training.render.turn import turn_in_depth
    from training.render.turned import FRONTAL, MOST_PITCH, PITCH_SPREAD

    TAUGHT.mkdir(parents=True, exist_ok=True)
    for needed in (archive, existing(archive.with_name("landmarks_train.tar"), "photos to learn a correction from")):
        if not any(TAUGHT.glob(f"{needed.stem}.*of*.npz")):
            label_archive(needed, TEACHER, TAUGHT, 0, 1)
    with np.load(existing(FACE_KIT, "the face model as its makers publish it")) as kit:
        to_68 = kit["mediapipe478_to_68"]
    correction = learn_correction(Taught.load(TAUGHT, "landmarks_train"), to_68)
    taught = Taught.load(TAUGHT, archive.stem)
    labelled = label(taught, correction, to_68, FaceModel.load(FACE_MODEL), use_annotation=True)
    fit, large = labelled.fit, np.ptp(labelled.fit.points, axis=1).max(axis=1) >= SMALLEST
    usable = np.flatnonzero((labelled.fitted >= TRUSTED) & large)
    usable = usable[np.argsort(labelled.taught.picture[usable])]
    usable = usable[np.unique(np.linspace(0, len(usable) - 1, min(PHOTOS, len(usable))).round().astype(int))]
    photos = {f"{archive.stem}/{picture.name}": picture for picture in read_archive(archive)}

    head, enlarge = Head.load(FACE_KIT), SIDE / CROP
    faces: list[dict[str, NDArray[Any]]] = []
    for index in usable:
        rng = np.random.default_rng([SEED, int(index)])
        name = str(labelled.taught.picture[index])
        shape = head.surface.shape(fit.identity[index], fit.expression[index])
        fitted = Pose(fit.quaternion[index], fit.origin[index], float(fit.scale[index]))
        yaw, pitch, roll = (float(angle) for angle in quaternion_to_euler(fitted.quaternion))
        for low, high in YAW_BINS:
            new_yaw = yaw_in_bin(yaw, low, high, FRONTAL, rng)
            if new_yaw is None:
                continue
            new_pitch = float(np.clip(pitch + rng.normal(0, PITCH_SPREAD), -MOST_PITCH, MOST_PITCH))
            small = place(head, shape, euler_to_quaternion(new_yaw, new_pitch, roll), rng)
            pose = Pose(small.quaternion, small.origin * enlarge, small.scale * enlarge)
            faces.append(
                {
                    "picture": turn_in_depth(photos[name].decode(), head, shape, fitted, pose, SIDE),
                    "name": np.array(f"{name}, {low:.0f} to {high:.0f}"),
                    "landmarks": pose.pixels(pose.turn(shape[head.landmarks]))[:, :2],
                    "quaternion": pose.quaternion,
                }
            )
    return {key: np.stack([face[key] for face in faces]) for key in faces[0]}


def read(archive: Path) -> Iterator[Sample]:
    """The turned faces, one a picture; made first where the cache has none."""
    existing(archive, "photos with 68 annotated points")
    arrays = cached(CACHE, lambda: make(archive))
    for index, name in enumerate(arrays["name"].tolist()):
        picture: Pixels = arrays["picture"][index]
        quaternion = arrays["quaternion"][index : index + 1].astype(np.float64)
        yield Sample(
            name=name,
            read=partial(lambda pixels: pixels, picture),
            landmarks=arrays["landmarks"][index : index + 1].astype(np.float64),
            yaw=quaternion_to_euler(quaternion)[0],
            quaternion=quaternion,
        )
