"""Runs the teacher (MediaPipe Face Landmarker) on a crop of every face: `python -m training.labels.teacher`.

Each face is looked at twice, as it is and mirrored: two views that disagree show that the teacher guessed.
Writes one .npz an archive with
    picture (N,) str, box (N, 4), points (N, 68, 2) NaN where not annotated,
    found (N, 2) bool, landmarks (N, 2, 478, 3) float32 pixels of the picture (z in the same scale), and
    blendshapes (N, 2, 52) float16; the second view is already mirrored back (landmarks in place, left and right named
    as in the first).
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from training.data.archives import ARCHIVES, VALIDATION, FaceRecord, faces_of, read_archive

CROP_OVER_BOX = 1.8  # the teacher finds nearly all faces on crops of 1.5 to 2 times the box
CROP_PIXELS = 320  # and wants at least 256
SMALLEST_BOX = 22.0  # pixels; below it the teacher invents faces and the single-face network labels them
POINTS = 478
_landmarker: vision.FaceLandmarker | None = None


def _start(model: str) -> None:
    global _landmarker
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=model),
        num_faces=2,
        output_face_blendshapes=True,
        min_face_detection_confidence=0.3,
        min_face_presence_confidence=0.3,
    )
    _landmarker = vision.FaceLandmarker.create_from_options(options)


def _look(crop: np.ndarray, centre: float) -> tuple[np.ndarray, list[str], np.ndarray] | None:
    """The face nearest to the crop's centre: landmarks (478, 3) in crop pixels, blendshape names and weights."""
    assert _landmarker is not None
    result = _landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(crop)))
    best, best_distance = None, CROP_PIXELS / CROP_OVER_BOX / 2  # farther than half a face away is another face
    for marks, shapes in zip(result.face_landmarks, result.face_blendshapes, strict=True):
        points = np.array([[p.x, p.y, p.z] for p in marks[:POINTS]], np.float32) * CROP_PIXELS
        box_centre = (points[:, :2].min(0) + points[:, :2].max(0)) / 2
        distance = float(np.linalg.norm(box_centre - centre))
        if distance < best_distance:
            best_distance = distance
            best = (points, [s.category_name for s in shapes], np.array([s.score for s in shapes], np.float32))
    return best


def _mirrored(name: str) -> str:
    return name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")


def label_picture(image: np.ndarray, faces: list[FaceRecord]) -> dict[str, np.ndarray]:
    """Both views of each face of one RGB picture; arrays as in the module's description."""
    n = len(faces)
    found = np.zeros((n, 2), bool)
    landmarks = np.zeros((n, 2, POINTS, 3), np.float32)
    blendshapes = np.zeros((n, 2, 52), np.float16)
    for i, face in enumerate(faces):
        x1, y1, x2, y2 = face.box
        size = max(x2 - x1, y2 - y1)
        if size < SMALLEST_BOX or face.invalid:
            continue
        scale = CROP_PIXELS / (CROP_OVER_BOX * size)
        left, top = (x1 + x2) / 2 - CROP_PIXELS / scale / 2, (y1 + y2) / 2 - CROP_PIXELS / scale / 2
        # warpAffine counts from pixel centres, the rest of the project from pixel corners: hence the halves
        matrix = np.array([[scale, 0, (0.5 - left) * scale - 0.5], [0, scale, (0.5 - top) * scale - 0.5]])
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        crop = cv2.warpAffine(image, matrix, (CROP_PIXELS, CROP_PIXELS), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        for view in (0, 1):
            seen = _look(crop if view == 0 else crop[:, ::-1], CROP_PIXELS / 2)
            if seen is None:
                break
            points, names, weights = seen
            if view == 1:
                points[:, 0] = CROP_PIXELS - points[:, 0]
                weights = weights[[names.index(_mirrored(name)) for name in names]]
            landmarks[i, view] = points / scale + [left, top, 0]
            blendshapes[i, view] = weights
            found[i, view] = True
    no_points = np.full((68, 2), np.nan, np.float32)
    return {
        "picture": np.array([face.picture for face in faces]),
        "box": np.array([face.box for face in faces], np.float32).reshape(-1, 4),
        "points": np.array([no_points if f.points is None else f.points for f in faces], np.float32).reshape(-1, 68, 2),
        "found": found,
        "landmarks": landmarks,
        "blendshapes": blendshapes,
    }


def label_archive(archive: Path, model: Path, out: Path, part: int, parts: int) -> Path:
    """Labels every `parts`-th picture of an archive, starting at `part`, into one file."""
    target = out / f"{archive.stem}.{part}of{parts}.npz"
    if target.exists():
        return target
    if _landmarker is None:
        _start(str(model))
    collected: list[dict[str, np.ndarray]] = []
    for index, picture in enumerate(read_archive(archive)):
        if index % parts == part:
            collected.append(label_picture(picture.decode(), faces_of(picture)))
    arrays: dict[str, Any] = {key: np.concatenate([c[key] for c in collected if len(c["box"])]) for key in collected[0]}
    np.savez(target.with_suffix(".tmp.npz"), **arrays)
    target.with_suffix(".tmp.npz").replace(target)
    print(f"{target.name}: {len(arrays['box'])} faces, {arrays['found'].all(1).sum()} seen in both views", flush=True)
    return target


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the archives")
    parser.add_argument("--teacher", type=Path, default=Path("../shared/face_landmarker_v2.task"))
    parser.add_argument("--out", type=Path, default=Path(".work/teacher"))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("archives", nargs="*", default=[*ARCHIVES, VALIDATION])
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    parts = args.processes
    with ProcessPoolExecutor(args.processes) as pool:
        jobs = [
            pool.submit(label_archive, args.data / f"{name}.tar", args.teacher, args.out, part, parts)
            for name in args.archives
            for part in range(parts)
        ]
        for job in jobs:
            job.result()


if __name__ == "__main__":
    main()
