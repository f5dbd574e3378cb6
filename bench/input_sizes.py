"""Input sizes and tiles beside each other: `python -m bench.input_sizes`.

Two ways to smaller faces, more pixels for the whole picture or looks at parts of it, on the same pictures: what each
finds and what it costs. A larger size with "alone" is without the look at the usual size that the service takes beside
it, so that its gain and its cost show. Times are of the first pictures of the set with boxes, already decoded, on one
core: all settings in turn, round after round.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from bench.results import machine
from bench.rounds import measure, pin
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.image import Picture
from training.evaluation.datasets.sample import Sample
from training.evaluation.detection import DetectionMetrics
from training.evaluation.evaluate import CURVE_SCORE, chosen_sets, load_form
from training.evaluation.landmarks import LandmarkMetrics
from training.evaluation.measure import MIN_SCORE, look, measure_detection, measure_landmarks
from training.evaluation.prediction import Networks
from training.evaluation.table import number, table

TIMED = 24  # pictures
SMALL = 18.0  # pixels of a face's height where the picture's longer side has 288


@dataclass(frozen=True)
class Setting:
    """Holds how pictures are put into MFN. input_size: pixels of MFN's square. tiles: into how many the longer side is
    cut. alone: at this size only."""

    input_size: int
    tiles: int = 1
    alone: bool = False

    @classmethod
    def of(cls, text: str) -> "Setting":
        """Reads a setting written as INPUT_SIZE, INPUT_SIZE/TILES or INPUT_SIZE/alone. Raises ValueError."""
        size, _, rest = text.partition("/")
        return cls(int(size), alone=True) if rest == "alone" else cls(int(size), int(rest or 1))

    def __str__(self) -> str:
        return f"{self.input_size} alone" if self.alone else f"{self.input_size}"

    def options(self, min_score: float) -> RetargetOptions:
        """The pipeline's options for this setting."""
        return RetargetOptions(min_score=min_score, tiles=self.tiles, input_size=self.input_size)

    def of_pipeline(self, pipeline: Pipeline) -> Pipeline:
        """The one that looks as this setting says: at the usual size alone there is no second look."""
        if not self.alone:
            return pipeline
        return Pipeline(replace(pipeline.models, side=self.input_size), pipeline.settings)


SETTINGS = tuple(map(Setting.of, ("288", "416/alone", "416", "576/alone", "576", "288/2", "288/3", "416/2")))


@dataclass(frozen=True)
class Figures:
    """What one setting finds."""

    detection: DetectionMetrics
    landmarks: LandmarkMetrics


def find(pipeline: Pipeline, setting: Setting, multiple: Sequence[Sample], single: Sequence[Sample]) -> Figures:
    """Measures a setting. multiple: samples with boxes. single: samples with landmarks."""
    pipeline = setting.of_pipeline(pipeline)
    curve, sure = (Networks(pipeline, setting.options(score)) for score in (CURVE_SCORE, MIN_SCORE))
    return Figures(
        measure_detection(list(look(curve, multiple))),
        measure_landmarks(list(look(sure, single))).all,
    )


def seen(pipeline: Pipeline, setting: Setting, pictures: Sequence[Picture]) -> None:
    """What is timed: pictures, one after the other, by the service's defaults."""
    pipeline = setting.of_pipeline(pipeline)
    for picture in pictures:
        pipeline.retarget_picture(picture, setting.options(MIN_SCORE))


def as_table(figures: dict[Setting, Figures], ms: dict[Setting, float]) -> str:
    """The figures of each setting as a table."""
    heights = [row for row in next(iter(figures.values())).detection.by_height if row.high <= SMALL]
    small = (f"{row.low:g} to {row.high:g} px, of {row.faces}" for row in heights)
    head = ("input size", "tiles", "ms", "AP50", "AP75", "recall", *small, "NME", "missed")
    rows = [
        (
            setting, setting.tiles, number(ms[setting], 1), number(found.detection.ap50, 1),
            number(found.detection.ap75, 1), number(found.detection.recall, 1),
            *(f"{row.found} / {row.found_at_any_score}" for row in found.detection.by_height[: len(heights)]),
            number(found.landmarks.nme), found.landmarks.missed,
        )
        for setting, found in figures.items()
    ]  # fmt: skip
    return table(head, rows)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder with manifest.json (%(default)s)")
    parser.add_argument("--form", help="of the networks, as in float32.onnx (the served one where it is there)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of all data (%(default)s)")
    parser.add_argument("--boxes", default="multi_val", metavar="NAME[=PATH]", help="a data set (%(default)s)")
    parser.add_argument("--landmarks", default="landmarks_val", metavar="NAME[=PATH]", help="a data set (%(default)s)")
    parser.add_argument("--settings", type=Setting.of, nargs="+", default=SETTINGS, metavar="INPUT_SIZE[/TILES|/alone]")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th picture, for a trial")
    parser.add_argument("--rounds", type=int, default=5, help="of the times (%(default)s)")
    arguments = parser.parse_args()
    pipeline = Pipeline(load_form(arguments.models, arguments.form))
    multiple, single = (
        list(islice(data_set.read(path), None, None, arguments.every))
        for _, data_set, path in chosen_sets([arguments.boxes, arguments.landmarks], arguments.data)
    )
    figures: dict[Setting, Figures] = {}
    for setting in arguments.settings:
        figures[setting] = find(pipeline, setting, multiple, single)
        print(setting, file=sys.stderr, flush=True)
    pin()
    pictures = [Picture(pixels, *pixels.shape[1::-1]) for pixels in (sample.read() for sample in multiple[:TIMED])]
    cases = {setting: partial(seen, pipeline, setting, pictures) for setting in arguments.settings}
    rounds = measure(cases, arguments.rounds)
    ms = {setting: rounds.median(setting) / len(pictures) for setting in cases}
    print(f"{machine()}. {rounds.told()}\n\n{as_table(figures, ms)}")


if __name__ == "__main__":
    main()
