"""Measures one system on one data set."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np

from service.inference.execution import Execution
from service.inference.manifest import MANIFEST, read_manifest
from service.inference.models import Models, Network
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.settings import Settings
from service.vision.face_model import FaceModel
from training.evaluation.annotated import (
    measure_exact,
    measure_eyes,
    measure_jitter,
    measure_lids,
    measure_poses,
    measure_skin,
)
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
from training.evaluation.prediction import Networks, Predictor
from training.evaluation.reference import ARRAYS, reference
from training.evaluation.results import ALONE, REFINED, Results

SERVED = "int8.onnx"  # what the server runs unless told otherwise
AGAINST_THE_TEACHER = {Measure.EXPRESSION, Measure.RANGE, Measure.EYES}
CURVE_SCORE = 0.01  # lowest score that the networks are asked for where the detection curve is drawn
MOVED_PICTURES = 100  # of a set, evenly spread, for the invariance; each is looked at once for every movement


@dataclass(frozen=True)
class System:
    """Describes a system that is measured. detects: whether its boxes are its own, so that the detection measures say
    something new. sure: the same predictor asked only for faces that count, whose answer about those is the same and
    takes less time; None where it is one and the same."""

    name: str
    predictor: Predictor
    detects: bool = True
    sure: Predictor | None = None


@dataclass(frozen=True)
class Conditions:
    """Holds what the measures are taken under. models: folder of the face model, whose expressions are measured.
    groups: only these clips, where given. limit: first pictures of each set only. every: of those only each so many-th.
    min_score: of faces that count. cache: where the teacher's labels are kept. only: the measures to take, all where
    empty."""

    models: Path = Path("models")
    groups: tuple[str, ...] = ()
    limit: int | None = None
    every: int = 1
    min_score: float = MIN_SCORE
    invariance: bool = True
    cache: Path = Path("runs/teacher")
    only: tuple[Measure, ...] = ()


def networks(models: Models, options: RetargetOptions) -> list[System]:
    """Our networks without and with the second look at each face. options: of every request, but for refine."""
    pipeline = Pipeline(models, Settings())
    told = f", input size {options.input_size}" if options.input_size else ""
    told += f", {options.tiles} tiles" if options.tiles > 1 else ""
    return [
        System(
            f"{ALONE}{told}",
            Networks(pipeline, replace(options, min_score=CURVE_SCORE)),
            sure=Networks(pipeline, options),
        ),
        System(f"{REFINED}{told}", Networks(pipeline, replace(options, refine=True)), detects=False),
    ]


def load_form(folder: Path, form: str | None) -> Models:
    """The models in one of their forms; None is the served one, or float32 in a folder that has no other.

    Raises ValueError where the folder does not list it.
    """
    listed = read_manifest(folder / MANIFEST).networks.mfn.forms
    form = form or (SERVED if SERVED in listed else "float32.onnx")
    if form not in listed:
        raise ValueError(f"{folder} holds no form {form}; there are {', '.join(listed)}")
    precision, _, runtime = form.partition(".")
    if runtime == "onnx":
        return Models.load(folder, Execution(precision=precision))
    from training.export.run_tflite import TfliteNetwork  # needs the training extra

    loaded = Models.load(folder, Execution(precision="float32"))
    specs = loaded.manifest.networks
    return replace(
        loaded,
        priors={loaded.side: loaded.priors[loaded.side]},
        # they run as the served ones do, and nothing else of these is used
        mfn=cast(Network, TfliteNetwork(folder / specs.mfn.forms[form].file)),
        sfn=cast(Network, TfliteNetwork(folder / specs.sfn.forms[form].file)),
    )


def chosen_sets(names: list[str], data: Path) -> list[tuple[str, DataSet, Path]]:
    """Names, or name=path, to data sets and where they lie."""
    chosen = []
    for name in names:
        key, _, path = name.partition("=")
        if key not in DATA_SETS:
            raise ValueError(f"{key} is no data set; there are {', '.join(DATA_SETS)}")
        chosen.append((key, DATA_SETS[key], Path(path) if path else data / DATA_SETS[key].place))
    return chosen


def reference_of(
    name: str, samples: Iterator[Sample], cache: Path, wanted: tuple[str, ...] = ARRAYS
) -> dict[str, Floats]:
    """What the teacher says, of it the wanted arrays: as kept from an earlier run, or made now."""

    def make_teacher() -> Predictor:
        from training.evaluation.teacher import Teacher  # needs the training extra

        return Teacher()

    return reference(samples, cache / f"{name}.npz", make_teacher, wanted)


def evaluate(system: System, name: str, data_set: DataSet, path: Path, conditions: Conditions) -> Results:
    """All measures of one system on one data set."""

    def samples() -> Iterator[Sample]:
        groups = set(conditions.groups or data_set.groups)
        return (s for s in data_set.read(path) if not groups or not s.group or s.group in groups)

    results, key = Results(), (name, system.name)
    measures = [
        m
        for m in data_set.measures
        if (m is not Measure.DETECTION or system.detects) and (not conditions.only or m in conditions.only)
    ]
    if not measures:
        return results
    names = FaceModel.load(conditions.models / "face_model.npz").expression_names
    sure = system.sure or system.predictor
    predictor = system.predictor if Measure.DETECTION in measures else sure
    seen = list(look(predictor, islice(samples(), 0, conditions.limit, conditions.every)))
    if Measure.DETECTION in measures:
        results.detection[key] = measure_detection(seen)
    if Measure.LANDMARKS in measures:
        results.landmarks[key] = measure_landmarks(seen, conditions.min_score)
    if set(measures) & AGAINST_THE_TEACHER:
        truth = reference_of(name, samples(), conditions.cache)
        if metrics := measure_expression(seen, truth, names, conditions.min_score):
            if Measure.EXPRESSION in measures:
                results.expression[key] = metrics
            if Measure.RANGE in measures:
                results.range[key] = metrics
        if Measure.EYES in measures and (eyes := measure_eyes(seen, truth, names, conditions.min_score)):
            results.eyes[key] = eyes
    if Measure.LIDS in measures:
        results.lids[key] = measure_lids(seen, conditions.min_score)
    if Measure.EXACT in measures and (exact := measure_exact(seen, names, conditions.min_score)):
        results.exact[key], results.eyes[key] = exact
    if Measure.POSES in measures and (poses := measure_poses(seen, conditions.min_score)):
        results.poses[key] = poses
    if Measure.SKIN in measures:
        results.skin[key] = measure_skin(seen, conditions.min_score)
    if Measure.JITTER in measures:
        results.jitter[key] = measure_jitter(sure, seen, conditions.min_score)
    if Measure.INVARIANCE in measures and conditions.invariance:
        spread = [seen[i] for i in np.linspace(0, len(seen) - 1, min(len(seen), MOVED_PICTURES)).round().astype(int)]
        if moved := measure_invariance(sure, spread, names, conditions.min_score):
            results.invariance[key] = moved
    return results
