"""Measures networks or any other predictor on data sets, one process, one core.

python -m training.evaluation --models models --data ../shared/data
python -m training.evaluation --predictor training.evaluation.teacher:Teacher --sets landmarks_val
python -m training.evaluation --sets aflw2000=/data/AFLW2000 wider_val=/data/wider --markdown models/MODEL_CARD.md
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from service.face_model import FaceModel
from service.model_files import Models
from service.pipeline import Pipeline
from service.settings import Settings
from training.evaluation.datasets import DATA_SETS, DataSet, Measure
from training.evaluation.datasets.sample import Floats, Sample
from training.evaluation.measure import (
    MIN_SCORE,
    look,
    measure_detection,
    measure_expression,
    measure_invariance,
    measure_landmarks,
)
from training.evaluation.prediction import Networks, Predictor, close, load_predictor
from training.evaluation.reference import reference
from training.evaluation.report import Results, as_json, markdown, put_into, put_into_manifest

CURVE_SCORE = 0.01  # lowest score that the networks are asked for where the detection curve is drawn
MOVED_PICTURES = 100  # of a set, evenly spread, for the invariance; each is looked at once for every movement


@dataclass(frozen=True)
class System:
    """detects: whether its boxes are its own, so that the detection measures say something new."""

    name: str
    predictor: Predictor
    detects: bool = True


def systems_of(arguments: argparse.Namespace) -> list[System]:
    """What is measured: a given predictor, or our networks without and with the second look at each face."""
    if arguments.predictor:
        return [System(arguments.predictor.rpartition(":")[2], load_predictor(arguments.predictor))]
    pipeline = Pipeline(Models.load(arguments.models), replace(Settings(), models_dir=arguments.models))
    return [
        System("MFN", Networks(pipeline, CURVE_SCORE)),
        System("MFN + SFN", Networks(pipeline, arguments.min_score, refine=True), detects=False),
    ]


def chosen_sets(names: list[str], data: Path) -> list[tuple[str, DataSet, Path]]:
    """Names, or name=path, to data sets and where they lie."""
    chosen = []
    for name in names:
        key, _, path = name.partition("=")
        if key not in DATA_SETS:
            raise ValueError(f"{key} is no data set; there are {', '.join(DATA_SETS)}")
        chosen.append((key, DATA_SETS[key], Path(path) if path else data / DATA_SETS[key].place))
    return chosen


def reference_of(name: str, samples: Iterator[Sample], arguments: argparse.Namespace) -> dict[str, Floats]:
    """The teacher's expressions: as kept from an earlier run, or made now."""

    def make_teacher() -> Predictor:
        from training.evaluation.teacher import Teacher  # needs the training extra

        return Teacher()

    return reference(samples, arguments.cache / f"{name}.npz", make_teacher)


def evaluate(system: System, name: str, data_set: DataSet, path: Path, arguments: argparse.Namespace) -> Results:
    """All measures of one system on one data set."""

    def samples() -> Iterator[Sample]:
        groups = set(arguments.groups or data_set.groups)
        return (s for s in data_set.read(path) if not groups or not s.group or s.group in groups)

    results, key = Results(), (name, system.name)
    measures = [m for m in data_set.measures if m is not Measure.DETECTION or system.detects]
    if not measures:
        return results
    names = FaceModel.load(arguments.models / "face_model.npz").expression_names
    seen = list(look(system.predictor, islice(samples(), arguments.limit)))
    if Measure.DETECTION in measures:
        results.detection[key] = measure_detection(seen)
    if Measure.LANDMARKS in measures:
        results.landmarks[key] = measure_landmarks(seen, arguments.min_score)
    if Measure.EXPRESSION in measures:
        truth = reference_of(name, samples(), arguments)
        if metrics := measure_expression(seen, truth, names, arguments.min_score):
            results.expression[key] = metrics
    if Measure.INVARIANCE in measures and not arguments.no_invariance:
        spread = [seen[i] for i in np.linspace(0, len(seen) - 1, min(len(seen), MOVED_PICTURES)).round().astype(int)]
        if moved := measure_invariance(system.predictor, spread, names, arguments.min_score):
            results.invariance[key] = moved
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder with manifest.json (%(default)s)")
    parser.add_argument("--predictor", help="package.module:function to measure in place of our networks")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of all data (%(default)s)")
    parser.add_argument(
        "--sets",
        nargs="+",
        default=["multi_val", "landmarks_val", "expressions_unlabelled"],
        metavar="NAME[=PATH]",
        help=f"any of {', '.join(DATA_SETS)}; a path where it lies elsewhere (%(default)s)",
    )
    parser.add_argument(
        "--groups",
        nargs="+",
        default=[],
        help="only these clips or scenarios of sets that have them (clips: those held out)",
    )
    parser.add_argument("--limit", type=int, help="first pictures of each set only, for a trial")
    parser.add_argument("--min-score", type=float, default=MIN_SCORE, help="of faces that count (%(default)s)")
    parser.add_argument("--no-invariance", action="store_true", help="leave out the moved pictures, the slowest part")
    parser.add_argument("--cache", type=Path, default=Path("runs/teacher"), help="the teacher's labels (%(default)s)")
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--manifest", type=Path, help="write the most important figures into this manifest.json")
    parser.add_argument("--markdown", type=Path, help="write the tables there, between the accuracy markers it has")
    arguments = parser.parse_args()
    results, start = Results(), time.perf_counter()
    try:
        sets = chosen_sets(arguments.sets, arguments.data)
        for system in systems_of(arguments):
            for name, data_set, path in sets:
                part = evaluate(system, name, data_set, path, arguments)
                results.detection |= part.detection
                results.landmarks |= part.landmarks
                results.expression |= part.expression
                results.invariance |= part.invariance
                print(f"{time.perf_counter() - start:6.1f} s  {system.name} on {name}", file=sys.stderr, flush=True)
            close(system.predictor)
    except (OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    for name, data_set, _ in sets:
        if groups := arguments.groups or data_set.groups:
            results.remarks.append(f"Of {name}, where it has clips or scenarios, only {', '.join(groups)}.")
    text = markdown(results)
    print(text)
    if arguments.json:
        arguments.json.write_text(as_json(results))
    if arguments.manifest:
        put_into_manifest(arguments.manifest, results)
    if arguments.markdown:
        put_into(arguments.markdown, text)


if __name__ == "__main__":
    main()
