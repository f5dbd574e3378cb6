"""How well jaw lines of the face model fit hand-annotated photos: `python -m training.labels.jaw_line`.

The source's own three, and the published one, which is right in depth, too (training/labels/jaw_vertices.py). Fits the
68 points of HELEN's and LFPW's training photos with each set of vertices and prints how far the fits stay off.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from service.vision.face_model import FaceModel
from service.vision.rotation import quaternion_to_euler
from training.arrays import read_arrays
from training.face_model.build import build
from training.face_model.ict_facekit import JAW_VERTICES
from training.labels.assemble import Taught, by_hand, expressions_of, size_of
from training.labels.correction import teacher_points
from training.labels.fit import fit

JAW_LINES = ("landmarks68", "landmarks68_side_jaw", "landmarks68_mediapipe_jaw")
JAW, INNER = slice(0, 17), slice(17, 68)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", type=Path, default=Path(".work/teacher"))
    parser.add_argument("--face-model-source", type=Path, default=Path("../shared/ict_facekit.npz"))
    args = parser.parse_args()
    taught = Taught.load(args.teacher, "landmarks_train")
    taught = taught.where(by_hand(taught))
    source = read_arrays(args.face_model_source, "mediapipe478_to_68", *JAW_LINES)
    seen = teacher_points(taught.landmarks, source["mediapipe478_to_68"]).mean(1)
    jaws = {name: tuple(source[name][JAW].tolist()) for name in JAW_LINES} | {"published": JAW_VERTICES}
    for name, jaw in jaws.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "face_model.npz"
            build(args.face_model_source, path, jaw)
            model = FaceModel.load(path)
        prior = expressions_of(taught.blendshapes.astype(np.float64).mean(1), model.expression_names)
        result = fit(model, taught.points, np.ones(taught.points.shape[:2], np.float32), prior, seen)
        distance = np.linalg.norm(result.points - taught.points, axis=-1) / size_of(taught.points)[:, None]
        pitch = float(np.median(quaternion_to_euler(result.quaternion)[1]))
        print(
            f"{name}: all {distance.mean():.2%} jaw {distance[:, JAW].mean():.2%} inner {distance[:, INNER].mean():.2%}"
            f" median pitch {pitch:.1f} degrees"
        )


if __name__ == "__main__":
    main()
