"""What one frame takes a core: `python -m bench.frame [--results]`. Nothing else should run on the machine.

The pipeline after decoding, on pictures of 1280 x 720 pixels with 1, 5, 9 and 20 faces, int8 and float32; the Single
Face Network; and both networks alone in every runtime that is installed (onnxruntime, OpenVINO, LiteRT), against the
least time that their multiply-adds take in int8. All in turn, round after round; medians. --results writes the tables
into bench/RESULTS.md.
"""

import argparse
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from bench.arithmetic import floor_ms, multiply_adds
from bench.clock import Clock, find_clock
from bench.group_pictures import GroupPicture, group_pictures
from bench.results import machine, table, write_figures
from bench.rounds import Rounds, measure, pin
from bench.runtimes import runtimes
from service.inference.execution import Execution
from service.inference.manifest import FileSpec
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline, Timing
from service.settings import PRECISIONS, Settings
from service.vision.crops import crops_of
from service.vision.image import LazyImage, Picture
from service.vision.letterbox import Letterbox

STEPS = ("preprocess", "inference", "postprocess")
OPTIONS = RetargetOptions(min_score=0.5, max_faces=20)
OPENING = """## One frame

`python -m bench.frame --results`: one core, milliseconds, medians of rounds in which everything has its turn; a
1280 x 720 picture that is decoded already. The floor is what the multiply-adds take at one 512-bit VNNI product, 64 of
bytes, a cycle."""

Case = tuple[str, ...]
Cases = dict[Case, Callable[[], Any]]


def pipeline_cases(pipelines: dict[str, Pipeline], group_of: dict[int, GroupPicture]) -> Cases:
    """("frame", precision, faces) and ("refine", "int8", faces): a picture, and a closer look at its faces."""
    cases: Cases = {}
    for precision, pipeline in pipelines.items():
        for number, group in group_of.items():
            cases["frame", precision, str(number)] = partial(pipeline.retarget_picture, group.picture, OPTIONS)
    pipeline = pipelines["int8"]
    for number, group in group_of.items():
        faces = pipeline.detect(group.picture, OPTIONS).faces
        cases["refine", "int8", str(number)] = partial(pipeline.refine, faces, LazyImage.of(group.picture))
    return cases


def network_cases(models: Path, inputs: dict[str, np.ndarray]) -> Cases:
    """(network, runtime, form), of one picture each."""
    return {
        (kind, runtime, form): partial(run, images)
        for kind, images in inputs.items()
        for runtime, form, run in runtimes(models, kind)
    }


def inputs_of(pipeline: Pipeline, picture: Picture) -> dict[str, np.ndarray]:
    """What each network sees of a picture, (1, S, S, 3) uint8: all of it, and the best face."""
    models, width, height = pipeline.models, picture.width, picture.height
    square = Letterbox.fit(width, height, models.side).apply(picture.pixels)
    faces = pipeline.detect(picture, OPTIONS).faces
    crop, *_ = crops_of(faces, models.face_model, width, height, models.crop_factor)
    return {"mfn": square[None], "sfn": crop.sample(picture)[None]}


def frames(rounds: Rounds[Case, Any], group_of: dict[int, GroupPicture]) -> str:
    """The table of the whole pipeline, and what more faces cost."""
    rows, ratios = [], []
    few, many = min(group_of), max(group_of)
    for precision in PRECISIONS:
        for number, group in group_of.items():
            case = ("frame", precision, str(number))
            timings: list[Timing] = [answer.timing for answer in rounds.answers[case]]
            steps = [statistics.median(getattr(timing, step) for timing in timings) for step in STEPS]
            found = group.found(rounds.answers[case][0].faces.box)
            figures = [f"{ms:.2f}" for ms in (*steps, rounds.median(case))]
            rows.append([precision, f"{found} of {number}", *figures])
        ratio = rounds.ratio(("frame", precision, str(many)), ("frame", precision, str(few)))
        ratios.append(f"{ratio:.2f} in {precision}")
    refined = ", ".join(f"{rounds.median(('refine', 'int8', str(number))):.2f} for {number}" for number in group_of)
    return (
        table(["precision", "faces found", *STEPS, "whole frame"], rows)
        + f"\n\n{many} faces take {' and '.join(ratios)} times as long as {few}. Looking closer at each (refine, int8, "
        + f"crops included) takes this much more by the number of faces: {refined}."
    )


def networks(rounds: Rounds[Case, Any], models: Path, files: dict[str, FileSpec], clock: Clock | None) -> str:
    """The table of the networks alone, with the share of the floor that int8 reaches, and how the floor comes about."""
    ghz = statistics.median(rounds.answers["clock",]) if clock else None
    rows, told = [], []
    for kind, spec in files.items():
        cases = [case for case in rounds.ms if case[0] == kind]
        count = multiply_adds(onnx.load(models / spec.file))
        words = f"{kind.upper()}: {count / 1e6:.0f} million multiply-adds"
        if clock and ghz:
            words += f", at least {floor_ms(count, ghz):.2f} ms in int8"
        best = min(cases, key=rounds.median)
        told.append(f"{words}; best is {best[1]} with {best[2]}, {rounds.median(best):.2f} ms.")
        for case in cases:
            share = f"{floor_ms(count, ghz) / rounds.median(case):.0%}" if ghz and case[2].startswith("int8") else ""
            rows.append([kind.upper(), case[1], case[2], f"{rounds.median(case):.2f}", share])
    told.append(f"Clock: {ghz:.2f} GHz, {clock.how}." if clock else "The clock is unknown: give it with --ghz.")
    return table(["network alone", "runtime", "form", "ms", "floor / ms"], rows) + "\n\n" + " ".join(told)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Settings().models_dir)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--ghz", type=float, help="the core's clock under load, where it cannot be found out")
    parser.add_argument("--results", action="store_true", help="write the tables into bench/RESULTS.md")
    arguments = parser.parse_args()
    pin()
    group_of, clock = group_pictures(), find_clock(arguments.ghz)
    pipelines = {p: Pipeline(Models.load(arguments.models, Execution(p))) for p in PRECISIONS}
    cases = pipeline_cases(pipelines, group_of)
    cases |= network_cases(arguments.models, inputs_of(pipelines["int8"], group_of[1].picture))
    if clock:
        cases["clock",] = clock.ghz
    rounds = measure(cases, arguments.rounds)
    files = pipelines["int8"].models.files
    figures = "\n\n".join(
        [f"{machine()}. {rounds.told()}", frames(rounds, group_of), networks(rounds, arguments.models, files, clock)]
    )
    print(figures)
    if arguments.results:
        write_figures("frame", OPENING, figures)


if __name__ == "__main__":
    main()
