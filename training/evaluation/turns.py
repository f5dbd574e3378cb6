"""How faces are found in pictures that lie on their side or stand on their head, with and without a search of the turn.

    python -m training.evaluation.turns [--data ../shared/data] [--models models] [--every 1]

Pictures of multi_val and landmarks_val are turned by quarter turns, as the photos of a camera that was held so and says
nothing of it. Found: faces at IoU 0.5 and a score of 0.5. Wrong way up: found faces whose roll is over 90 degrees off
that of an upright head. See service.vision.turns.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.settings import Settings
from service.vision.image import Picture
from service.vision.rotation import twist_angle
from training.evaluation.datasets import DATA_SETS
from training.evaluation.datasets.sample import Floats, Sample
from training.evaluation.detection import pairwise_iou
from training.evaluation.evaluate import load_form
from training.evaluation.table import number, table

SETS = ("multi_val", "landmarks_val")
MIN_IOU = 0.5
MAX_FACES = 100
# A box over the bounds of 68 points: 1.12 x 1.18 times as large, and moved up by 0.15 of their height.
BOX_OF_POINTS = ((1.12, 1.18), 0.15)


@dataclass
class Tally:
    """What was found in turned pictures. inferences: of the Multiple Face Network."""

    pictures: int = 0
    faces: int = 0
    found: int = 0
    wrong_way_up: int = 0
    inferences: int = 0


def boxes_of(sample: Sample) -> Floats:
    """The boxes (M, 4) of a sample's faces, made of their points where only those are annotated."""
    if sample.boxes is not None:
        ignored = np.zeros(len(sample.boxes), bool) if sample.ignored is None else sample.ignored
        return sample.boxes[~ignored]
    points = np.empty((0, 68, 2)) if sample.landmarks is None else sample.landmarks
    low, high = points.min(axis=1), points.max(axis=1)
    (width, height), up = BOX_OF_POINTS
    centre = (low + high) / 2 - (high - low) * [0, up]
    half = (high - low) * [width, height] / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def turned_boxes(boxes: Floats, width: int) -> Floats:
    """Boxes (M, 4) in a picture that was `width` wide, after a quarter turn anticlockwise."""
    return np.stack([boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]], axis=1)


def measure(pipeline: Pipeline, samples: Iterable[Sample], quarters: int, search: bool) -> Tally:
    """Detects the faces of samples that are turned anticlockwise by so many quarter turns."""
    tally = Tally()
    for sample in samples:
        pixels, boxes = sample.read(), boxes_of(sample)
        for _ in range(quarters):
            boxes = turned_boxes(boxes, pixels.shape[1])
            pixels = np.ascontiguousarray(np.rot90(pixels))
        picture = Picture(pixels, pixels.shape[1], pixels.shape[0])
        detected = pipeline.detect(picture, RetargetOptions(max_faces=MAX_FACES), search=search)
        overlap = pairwise_iou(detected.faces.box, boxes)
        hit = overlap.max(axis=0, initial=0) >= MIN_IOU
        tally.pictures += 1
        tally.faces += len(boxes)
        tally.found += int(hit.sum())
        if hit.any():
            roll = twist_angle(detected.faces.quaternion[overlap[:, hit].argmax(axis=0)])
            off = np.abs((roll - 90 * quarters + 180) % 360 - 180)
            tally.wrong_way_up += int((off > 90).sum())
        tally.inferences += detected.inferences
    return tally


def main() -> None:
    """Prints a table of all sets and turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--every", type=int, default=1, help="only each N-th picture, for a trial")
    arguments = parser.parse_args()
    pipeline = Pipeline(load_form(arguments.models, None), Settings())
    rows = []
    for name in SETS:
        samples = list(DATA_SETS[name].read(arguments.data / DATA_SETS[name].place))[:: arguments.every]
        for quarters in range(4):
            for search in (False, True):
                tally = measure(pipeline, samples, quarters, search)
                found = f"{number(100 * tally.found / tally.faces, 1)} %"
                wrong = f"{number(100 * tally.wrong_way_up / max(1, tally.found), 1)} %"
                inferences = number(tally.inferences / tally.pictures)
                rows.append((name, 90 * quarters, "yes" if search else "no", tally.faces, found, wrong, inferences))
    head = ("photos", "turned by, degrees", "search", "faces", "found", "wrong way up", "inferences a picture")
    print(table(head, rows))


if __name__ == "__main__":
    main()
