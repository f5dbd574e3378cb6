"""Fits the weights by which faces are known to be upside down, and writes them into models/manifest.json.

    python -m training.scripts.upside_down [--data ../shared/data] [--models models] [--folds 4]

MFN infers training photos as they are and upside down, and takes nearly all of their faces for upright. A logistic
regression tells these pictures apart, by what service.vision.upside_down sums up of each.

First, weights are fitted to all photos but those of one fold, and tried on that fold, for each fold in turn. Of each
probability above which a picture may be inferred again, a table tells how many upright pictures are inferred again, and
how many that are upside down are missed, though their faces have higher scores when turned. Then weights are fitted to
all photos, and written.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.inference.execution import Execution
from service.inference.manifest import MANIFEST
from service.inference.models import Models
from service.vision.arrays import Pixels
from service.vision.decoding import Candidates, decode, detect
from service.vision.letterbox import Letterbox
from service.vision.turns import MIN_VOTE_SCORE, UPRIGHT_SCORE, best_score, next_turn, turn_square
from service.vision.upside_down import VOTE_POWER
from training.data.archives import read_archive
from training.evaluation.table import number, table

Floats = NDArray[np.float64]

# Every N-th photo of each archive. Those of multi_train_3 were not among what the published MFN was trained on.
PHOTOS = {
    "multi_train_0": 5,
    "multi_train_3": 1,
    "landmarks_train": 1,
    "faces_unlabelled": 25,
    "faces_unlabelled_1": 25,
    "faces_approx": 25,
}
PROBABILITIES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
PENALTY = 1.0  # of the squared weights of columns whose deviation is 1, beside the sum of all photos' losses
STEPS = 50  # of Newton's method at most; six are enough
DIGITS = 4  # that weights are rounded to


@dataclass(frozen=True)
class Photos:
    """Photos whose faces MFN takes for upright, each as it is or upside down.

    columns: (N, 52) what is weighted, see columns_of. upside_down: (N,). asked: (N,) whether no score reaches
    UPRIGHT_SCORE. righted: (N,) whether the best score is higher after half a turn. photo: (N,) its number, the same of
    a photo and its turned copy. archive: (N,).
    """

    columns: Floats
    upside_down: NDArray[np.bool_]
    asked: NDArray[np.bool_]
    righted: NDArray[np.bool_]
    photo: NDArray[np.intp]
    archive: NDArray[np.str_]


def columns_of(candidates: Candidates) -> Floats:
    """(52,) by which UpsideDown's weights of identity (50), score and constant are multiplied, for its log odds."""
    votes = candidates.score >= MIN_VOTE_SCORE
    score = candidates.score[votes].astype(np.float64)
    weight = score**VOTE_POWER
    columns = np.column_stack([candidates.identity[votes], score, np.ones(len(score))])
    summed: Floats = weight @ columns / np.sqrt(weight.sum())
    return summed


def infer(models: Models, square: Pixels) -> Candidates:
    """The candidates in the network's input (side, side, 3) that may vote."""
    raw, priors = models.mfn.run(square[None]), models.priors[len(square)]
    return decode(raw, priors, detect(raw["detection"], priors, MIN_VOTE_SCORE))


def rows(models: Models, folder: Path) -> Iterator[tuple[Floats, bool, bool, bool, int, str]]:
    """The fields of Photos, photo by photo."""
    number = 0
    for archive, every in PHOTOS.items():
        for index, picture in enumerate(read_archive(folder / f"{archive}.tar")):
            if index % every:
                continue
            pixels = picture.decode()
            square = Letterbox.fit(pixels.shape[1], pixels.shape[0], models.side).apply(pixels)
            found = [infer(models, turn_square(square, turn)) for turn in (0, 2)]
            best = [best_score(candidates) for candidates in found]
            for i, candidates in enumerate(found):
                asked = best[i] < UPRIGHT_SCORE
                if len(candidates.score) and next_turn([candidates], 0) == (2 if asked else 0):
                    yield columns_of(candidates), i == 1, asked, best[1 - i] > best[i], number, archive
            number += 1


def fit(columns: Floats, upside_down: NDArray[np.bool_]) -> Floats:
    """The weights (C,) of columns (N, C) of a logistic regression without an intercept, by Newton's method."""
    spread = columns.std(axis=0)
    scaled = columns / spread
    weights = np.zeros(columns.shape[1])
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-scaled @ weights))
        gradient = scaled.T @ (probability - upside_down) + PENALTY * weights
        curvature = (scaled.T * (probability * (1 - probability))) @ scaled + PENALTY * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    fitted: Floats = weights / spread
    return fitted


def held_out_log_odds(photos: Photos, folds: int) -> Floats:
    """The log odds (N,) of photos, each by weights that were fitted without it."""
    log_odds = np.zeros(len(photos.photo))
    for fold in range(folds):
        held_out = photos.photo % folds == fold
        weights = fit(photos.columns[~held_out], photos.upside_down[~held_out])
        log_odds[held_out] = photos.columns[held_out] @ weights
    return log_odds


def report(photos: Photos, log_odds: Floats) -> str:
    """A table of what would be inferred twice, and what would be missed, in percent of each archive's photos."""
    lines = []
    for archive in PHOTOS:
        upright = (photos.archive == archive) & ~photos.upside_down
        turned = (photos.archive == archive) & photos.upside_down
        before = 100 * photos.asked[upright].mean()
        for probability in PROBABILITIES:
            asked = photos.asked & (log_odds >= np.log(probability / (1 - probability)))
            missed = photos.asked & photos.righted & ~asked
            figures = (before, 100 * asked[upright].mean(), 100 * missed[turned].mean())
            lines.append((archive, str(probability), *(number(figure, 2) for figure in figures)))
    head = ("photos", "probability", "twice by the score alone, %", "twice, %", "missed upside down, %")
    return table(head, lines)


def published(weights: Floats) -> dict[str, Any]:
    """Weights (52,) as the manifest holds them."""
    *identity, score, constant = (float(f"{weight:.{DIGITS}g}") for weight in weights)
    return {"identity": identity, "score": score, "constant": constant}


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--folds", type=int, default=4)
    arguments = parser.parse_args()
    models = Models.load(arguments.models, Execution("int8"))
    photos = Photos(*(np.array(values) for values in zip(*rows(models, arguments.data), strict=True)))
    print(report(photos, held_out_log_odds(photos, arguments.folds)))
    path = arguments.models / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["upside_down"] = published(fit(photos.columns, photos.upside_down))
    path.write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
