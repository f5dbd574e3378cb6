"""Anchors from clustering the training boxes (YOLO9000, section 2): `python -m training.scripts.anchors`.

k-means with 1 - IoU of boxes that share a corner as distance, on the faces of the group photos at the network's input.
"""

import argparse
from pathlib import Path

import numpy as np

from training.arrays import map_array
from training.data.faces import FaceLabels
from training.data.windows import NETWORK_SIDE

ROUNDS = 100


def overlap(sizes: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """(N, K) IoU of boxes (N, 2) and anchors (K, 2), width and height, at one corner."""
    shared = np.minimum(sizes[:, None], anchors[None]).prod(-1)
    return np.asarray(shared / (sizes.prod(-1)[:, None] + anchors.prod(-1)[None] - shared))


def cluster(sizes: np.ndarray, count: int) -> np.ndarray:
    """(count, 2) anchors by growing area, of boxes (N, 2). Starts from quantiles of the area, so it has no seed."""
    by_area = sizes[np.argsort(sizes.prod(-1))]
    anchors = by_area[((np.arange(count) + 0.5) / count * len(by_area)).astype(int)]
    for _ in range(ROUNDS):
        nearest = overlap(sizes, anchors).argmax(1)
        moved = np.array([np.median(sizes[nearest == k], axis=0) for k in range(count)])
        if np.allclose(moved, anchors):
            break
        anchors = moved
    return np.asarray(anchors[np.argsort(anchors.prod(-1))])


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boxes", type=Path, default=Path(".work/pack/groups.boxes.npz"))
    parser.add_argument("--sizes", type=Path, default=Path(".work/pack/groups.sizes.npy"))
    parser.add_argument("--count", type=int, default=5)
    args = parser.parse_args()
    faces = FaceLabels.load(args.boxes)
    faces = faces[faces.ignored == 0]
    scale = NETWORK_SIDE / map_array(args.sizes).max(1)[faces.picture.numpy()]
    box = faces.box.numpy()
    sizes = (box[:, 2:] - box[:, :2]) * scale[:, None]
    anchors = cluster(sizes, args.count)
    print("anchors", np.round(anchors, 1).tolist(), f"mean IoU {overlap(sizes, anchors).max(1).mean():.3f}")


if __name__ == "__main__":
    main()
