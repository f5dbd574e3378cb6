"""A frame beside what else describes its faces: `python -m bench.peers --mediapipe-model face_landmarker.task`.

Pictures of 1280 x 720 pixels with 1, 5 and 9 faces, decoded already, one core, all systems in turn, round after round;
medians; their ratios; and what this service's time is spent on. Of each it says how many of the faces it found: time
without faces is no comparison. Nothing else should run on the machine.

    MFN            int8, without and with a closer look at each face
    MediaPipe      Face Landmarker; needs the extra training, and its model: --mediapipe-model
    YuNet + 3DDFA  needs OpenCV and two ONNX files: --yunet and --tddfa
    OpenSeeFace    needs OpenCV and its repository, with tracker.py and models/: --openseeface

What is not named is not run, and only what was run together is compared.
"""

import argparse
import statistics
from contextlib import ExitStack
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

from bench.group_pictures import GroupPicture, group_pictures
from bench.results import machine, table, write_figures
from bench.rounds import Rounds, measure, pin
from bench.systems import MediaPipe, Mfn, OpenSeeFace, System, YunetAndTddfa
from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.pipeline import Pipeline, Timing
from service.settings import Settings

FACES = (1, 5, 9)
STEPS = ("preprocess", "inference", "refine", "postprocess")
OPENING = """## A frame beside what else there is

`python -m bench.peers --mediapipe-model face_landmarker.task --yunet yunet_n_320.onnx --tddfa mb05.onnx --results`: one
core, milliseconds, medians of rounds in which every system has its turn; a 1280 x 720 picture that is decoded already.
Ratios are medians of the rounds' ratios; not given where faces were missed. Steps are those of the timing in every
answer: inference is the Multiple Face Network's, refine the Single Face Network's, the rest is spent around them."""

Case = tuple[str, int]


def systems(arguments: argparse.Namespace, parser: argparse.ArgumentParser, held: ExitStack) -> list[System]:
    """MFN first, then what the command line names; refused where that cannot be run."""
    for file in (arguments.mediapipe_model, arguments.yunet, arguments.tddfa):
        if file and not file.is_file():
            parser.error(f"there is no file {file}")
    pipeline = Pipeline(Models.load(arguments.models, Execution("int8")))
    found: list[System] = [Mfn(pipeline, refine=False), Mfn(pipeline, refine=True)]
    if arguments.mediapipe_model:
        if not find_spec("mediapipe"):
            parser.error("--mediapipe-model needs MediaPipe: pip install mediapipe")
        found.append(MediaPipe(arguments.mediapipe_model, held))
    if bool(arguments.yunet) != bool(arguments.tddfa):
        parser.error("--yunet and --tddfa go together: one finds the faces that the other describes")
    if arguments.yunet:
        if not find_spec("cv2"):
            parser.error("--yunet needs OpenCV: pip install opencv-python-headless")
        found.append(YunetAndTddfa(arguments.yunet, arguments.tddfa))
    if arguments.openseeface:
        try:
            found.append(OpenSeeFace(arguments.openseeface))
        except ImportError as error:
            parser.error(f"--openseeface needs OpenSeeFace's repository and OpenCV: {error}")
    return found


def times(rounds: Rounds[Case, Any], found: list[System], group_of: dict[int, GroupPicture]) -> str:
    """The table of milliseconds, of how many faces each system found, and of what it gives."""
    rows = []
    for system in found:
        cases = {number: (system.name, number) for number in group_of}
        counts = [str(group_of[n].found(system.boxes(rounds.answers[case][0]))) for n, case in cases.items()]
        medians = [f"{rounds.median(case):.1f}" for case in cases.values()]
        rows.append([system.name, *medians, ", ".join(counts), system.gives])
    return table(["system", *headings(", ms"), f"found of {', '.join(map(str, FACES))}", "gives"], rows)


def ratios(rounds: Rounds[Case, Any], found: list[System], group_of: dict[int, GroupPicture]) -> str:
    """The table of how many times as long as each other system this service takes; blank for pictures in which the
    other missed faces. Empty where there is no other."""
    rows = []
    for own, other in product(found, found):
        if not isinstance(own, Mfn) or isinstance(other, Mfn):
            continue
        row = [own.name, other.name]
        for number, group in group_of.items():
            case = (other.name, number)
            whole = group.found(other.boxes(rounds.answers[case][0])) == number
            row.append(f"{rounds.ratio((own.name, number), case):.2f}" if whole else "")
        rows.append(row)
    return table(["system", "over", *headings("")], rows) if rows else ""


def steps(rounds: Rounds[Case, Any], found: list[System], group_of: dict[int, GroupPicture]) -> str:
    """The table of what this service's milliseconds are spent on."""
    rows = []
    for system in found:
        if isinstance(system, Mfn):
            for number in group_of:
                timings: list[Timing] = [answer.timing for answer in rounds.answers[system.name, number]]
                medians = [statistics.median(getattr(timing, step) for timing in timings) for step in STEPS]
                rows.append([system.name, str(number), *(f"{ms:.2f}" for ms in medians)])
    return table(["system", "faces", *(f"{step}, ms" for step in STEPS)], rows)


def headings(unit: str) -> list[str]:
    """The tables' headings, one for each number of faces."""
    return [f"{number} face{'s' * (number > 1)}{unit}" for number in FACES]


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Settings().models_dir)
    parser.add_argument("--mediapipe-model", type=Path, metavar="TASK", help="Face Landmarker's .task file")
    parser.add_argument("--yunet", type=Path, metavar="ONNX", help="YuNet's .onnx file")
    parser.add_argument("--tddfa", type=Path, metavar="ONNX", help="3DDFA_V2's mb05 as .onnx")
    parser.add_argument("--openseeface", type=Path, metavar="FOLDER", help="OpenSeeFace's repository")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--results", action="store_true", help="write the tables into bench/RESULTS.md")
    arguments = parser.parse_args()
    pin()
    group_of = {number: group for number, group in group_pictures().items() if number in FACES}
    with ExitStack() as held:
        found = systems(arguments, parser, held)
        cases = {(system.name, number): system.look(group) for number, group in group_of.items() for system in found}
        rounds = measure(cases, arguments.rounds)
    tables = [make(rounds, found, group_of) for make in (times, ratios, steps)]
    figures = "\n\n".join([f"{machine()}. {rounds.told()}", *filter(None, tables)])
    print(figures)
    if arguments.results:
        write_figures("peers", OPENING, figures)


if __name__ == "__main__":
    main()
