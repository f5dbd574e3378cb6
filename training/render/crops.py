"""Sets of square crops with exact labels, as the training reads them, and where in its crop a face goes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from service.vision.gaze import no_gaze
from training.data.archives import box_of_points
from training.render.head import Head, Pose

CROP = 192  # pixels
FACE = (96.0, 130.0)  # longer side of the 68 points' box, pixels
OFF_CENTRE = 0.03  # of the crop, standard deviation


def place(head: Head, shape: np.ndarray, quaternion: np.ndarray, rng: np.random.Generator) -> Pose:
    """A pose in a crop such that the 68 points of the head `shape` (V, 3) come to lie about its centre."""
    points = Pose(quaternion, np.zeros(2), 1).pixels(Pose(quaternion, np.zeros(2), 1).turn(shape[head.landmarks]))[
        :, :2
    ]
    low, high = points.min(0), points.max(0)
    scale = rng.uniform(*FACE) / (high - low).max()
    room = np.maximum(CROP - scale * (high - low), 0) / 2  # keeps the points inside
    shift = np.clip(rng.normal(0, OFF_CENTRE * CROP, 2), -room, room)
    return Pose(quaternion, CROP / 2 + shift - scale * (low + high) / 2, float(scale))


@dataclass
class CropSet:
    """Collects crops and labels; `save` writes OUT.npy (N, 192, 192, 3) uint8 RGB and OUT.npz with the fields of
    training.data.faces.FaceLabels, one face a crop, in pixels of its crop."""

    pictures: list[np.ndarray] = field(default_factory=list)
    faces: list[dict[str, np.ndarray]] = field(default_factory=list)

    def add(
        self,
        picture: np.ndarray,
        pose: Pose,
        w_id: np.ndarray,
        w_exp: np.ndarray,
        points: np.ndarray,
        fitted: float,
        gaze: np.ndarray | None = None,
    ) -> None:
        """Adds a crop with its labels. points: (68, 2) as projected. fitted: how far the labels are to be trusted, 0 to
        1. gaze: (8,), None where unknown."""
        self.faces.append(
            {
                "picture": np.array(len(self.pictures), np.int64),
                "box": box_of_points(points).astype(np.float32),
                "quaternion": np.asarray(pose.quaternion, np.float32),
                "origin": pose.origin.astype(np.float32),
                "scale": np.array(pose.scale, np.float32),
                "identity": w_id.astype(np.float32),
                "expression": w_exp.astype(np.float32),
                "points": points.astype(np.float32),
                "point_weight": np.ones(68, np.float32),
                "fitted": np.array(fitted, np.float32),
                "ignored": np.array(0, np.float32),
                "gaze": no_gaze(1)[0] if gaze is None else np.asarray(gaze, np.float32),
            }
        )
        self.pictures.append(picture)

    def save(self, out: Path) -> None:
        """Writes the pictures, their sizes and labels beside each other: out.npy, out.sizes.npy and out.npz."""
        out.parent.mkdir(parents=True, exist_ok=True)
        np.save(out.with_suffix(".npy"), np.stack(self.pictures))
        np.save(out.with_suffix(".sizes.npy"), np.full((len(self.pictures), 2), CROP, np.float32))
        arrays: dict[str, Any] = {key: np.stack([f[key] for f in self.faces]) for key in self.faces[0]}
        np.savez(out.with_suffix(".npz"), **arrays)
        print(f"{out.with_suffix('.npy')}: {len(self.pictures)} crops of {CROP} pixels")


def contact_sheet(crops: CropSet, columns: int = 8, most: int = 64) -> np.ndarray:
    """The first crops side by side with their 68 points, (H, W, 3) uint8: to be looked at before training on them."""
    tiles = []
    for picture, face in list(zip(crops.pictures, crops.faces, strict=True))[:most]:
        tile = picture.copy()
        for x, y in face["points"].astype(int):
            tile[max(y, 0) : y + 1, max(x, 0) : x + 1] = (0, 255, 0)
        tiles.append(tile)
    blank = np.zeros((CROP, CROP, 3), np.uint8)
    tiles += [blank] * (-len(tiles) % columns)
    return np.concatenate([np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles), columns)])
