"""300-VW (Shen et al., 2015): a folder for each video with vid.avi and annot/000001.pts, ... , a file for each frame.

64 videos form the test set, in three scenarios: well lit, moderate, and in the wild.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from service.vision.arrays import Pixels
from training.evaluation.datasets.points import read_points
from training.evaluation.datasets.sample import Sample, existing

SCENARIOS = {
    "scenario 1": (
        "114 124 125 126 150 158 401 402 505 506 507 508 509 510 511 514 515 518 519 520 521 522 524 525 537 538 540 "
        "541 546 547 548"
    ),
    "scenario 2": "203 208 211 212 213 214 218 224 403 404 405 406 407 408 409 412 550 551 553",
    "scenario 3": "410 411 516 517 526 528 529 530 531 533 557 558 559 562",
}
EVERY = 10  # frames between two that are measured: neighbours hardly differ


def read(folder: Path) -> Iterator[Sample]:
    """Every tenth annotated frame of the test videos that the folder holds; the scenario is its group."""
    existing(folder, "300-VW's folders 001 to 562")
    for scenario, videos in SCENARIOS.items():
        for video in videos.split():
            if (folder / video).is_dir():
                yield from read_video(folder / video, scenario)


def read_video(folder: Path, group: str, every: int = EVERY) -> Iterator[Sample]:
    """Frames 1, 1 + every, ... of one video that have points."""
    import cv2  # of the training extra; nothing else needs it

    capture = cv2.VideoCapture(str(existing(folder / "vid.avi", "a video of 300-VW")))
    frame = 0
    while capture.grab():
        frame += 1
        points = folder / "annot" / f"{frame:06d}.pts"
        if (frame - 1) % every or not points.exists():
            continue
        decoded, bgr = capture.retrieve()
        if decoded:
            image: Pixels = np.ascontiguousarray(bgr[:, :, ::-1], np.uint8)
            name = f"{folder.name}/{frame:06d}"
            yield Sample(name=name, read=partial(lambda i: i, image), landmarks=read_points(points)[None], group=group)
    capture.release()
