"""A frame beside what else describes its faces: `python -m bench.peers --mediapipe-model face_landmarker.task`.

Pictures of 1280 x 720 pixels with 1, 5 and 9 faces, decoded already, one core, all systems in turn, round after round;
medians. Of each it says how many of the faces it found: time without faces is no comparison. Nothing else should run
on the machine.

    MFN            int8, without and with a closer look at each face
    MediaPipe      Face Landmarker; needs the extra training, and its model: --mediapipe-model
    YuNet + 3DDFA  needs OpenCV and two ONNX files: --yunet and --tddfa
    OpenSeeFace    needs OpenCV and its repository, with tracker.py and models/: --openseeface

What is not named is not run, and only what was run together is compared.
"""

import argparse
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.group_pictures import GroupPicture, group_pictures
from bench.results import machine, table, write_figures
from bench.rounds import Rounds, measure, pin
from bench.systems import MediaPipe, Mfn, OpenSeeFace, System, YunetAndTddfa
from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.settings import Settings

FACES = (1, 5, 9)
OPENING = """## A frame beside what else there is

`python -m bench.peers --mediapipe-model face_landmarker.task --yunet yunet_n_320.onnx --tddfa mb05.onnx --results`: one
core, milliseconds, medians of rounds in which every system has its turn; a 1280 x 720 picture that is decoded already.
In brackets: how many times as long as the first row, as the median of the rounds' ratios; not given where faces were
missed."""

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


def measured(rounds: Rounds[Case, Any], found: list[System], group_of: dict[int, GroupPicture]) -> str:
    """The table of this run; ratios to the first system."""
    ours, rows = found[0].name, []
    for system in found:
        times, counts = [], []
        for number, group in group_of.items():
            case = (system.name, number)
            count = group.found(system.boxes(rounds.answers[case][0]))
            comparable = count == number and system.name != ours
            ratio = f" ({rounds.ratio(case, (ours, number)):.1f} x)" if comparable else ""
            times.append(f"{rounds.median(case):.1f}{ratio}")
            counts.append(str(count))
        rows.append([system.name, *times, ", ".join(counts), system.gives])
    return table(["system", *headings(), f"found of {', '.join(map(str, FACES))}", "gives"], rows)


def headings() -> list[str]:
    """The table's headings, one for each number of faces."""
    return [f"{number} face{'s' * (number > 1)}, ms" for number in FACES]


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Settings().models_dir)
    parser.add_argument("--mediapipe-model", type=Path, metavar="TASK", help="Face Landmarker's .task file")
    parser.add_argument("--yunet", type=Path, metavar="ONNX", help="YuNet's .onnx file")
    parser.add_argument("--tddfa", type=Path, metavar="ONNX", help="3DDFA_V2's mb05 as .onnx")
    parser.add_argument("--openseeface", type=Path, metavar="FOLDER", help="OpenSeeFace's repository")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--results", action="store_true", help="write the table into bench/RESULTS.md")
    arguments = parser.parse_args()
    pin()
    group_of = {number: group for number, group in group_pictures().items() if number in FACES}
    with ExitStack() as held:
        found = systems(arguments, parser, held)
        cases = {(system.name, number): system.look(group) for number, group in group_of.items() for system in found}
        rounds = measure(cases, arguments.rounds)
    figures = f"{machine()}. {rounds.told()}\n\n{measured(rounds, found, group_of)}"
    print(figures)
    if arguments.results:
        write_figures("peers", OPENING, figures)


if __name__ == "__main__":
    main()
