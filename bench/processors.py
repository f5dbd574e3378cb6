"""How near int8 is to float32 by family of processors: `python -m bench.processors`.

The networks' int8 products run on instructions that differ from processor to processor. This runs both precisions on
the processor at hand, and int8 on those that QEMU's user emulation (qemu-x86_64, 7.2 or newer) gives an x86-64 one, and
prints the table of models/MODEL_CARD.md. --emulated NAME PYTHON adds any other, by the command that runs a Python there
with what requirements/serve.txt lists. For arm64 on x86-64, with a folder ROOT of Debian's python3.11, libstdc++6 and
what they need, unpacked from packages of that architecture, and a folder SITE of wheels (`pip install --target SITE
--platform manylinux_2_28_aarch64 --platform manylinux2014_aarch64 --only-binary :all: --no-deps`):

    --emulated "arm64, Cortex-A72" "env PYTHONPATH=SITE qemu-aarch64 -cpu cortex-a72 -L ROOT ROOT/usr/bin/python3.11"

onnxruntime reads /proc/cpuinfo there, and fails on an x86-64 one: ROOT/proc/cpuinfo has to name cores of arm64, each as
`processor`, `CPU implementer`, `CPU architecture`, `CPU variant`, `CPU part` and `CPU revision`.
"""

import argparse
import pickle
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.answers import Answers, answers
from bench.deviation import deviation
from bench.group_pictures import NAMES, PICTURES
from bench.results import family, processor
from service.settings import Settings
from training.evaluation.table import number, table

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = [
    *(ROOT / "docs" / name for name in ("faces.webp", "astronaut.jpg")),
    *(PICTURES / NAMES[faces] for faces in (9, 5)),
]
QEMU = "qemu-x86_64"
PROCESSORS = {"AVX2": "Haswell-noTSX", "SSE": "Nehalem"}  # QEMU's names of those it emulates, by family


def emulators() -> dict[str, list[str]]:
    """Commands, by family, that run this Python on each of PROCESSORS.

    Raises OSError, which says why, where QEMU cannot do that.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise OSError("QEMU could run this Python on other processors only if it were one for Linux on x86-64")
    program = shutil.which(QEMU)
    if program is None:
        raise OSError(f"{QEMU} is not installed; Debian has it in qemu-user")
    commands = {family: [program, "-cpu", model, sys.executable] for family, model in PROCESSORS.items()}
    said = subprocess.run([*commands["AVX2"], "-c", ""], capture_output=True, text=True, check=True).stderr
    if "avx2" in said:  # a warning about each feature that it leaves out
        raise OSError(f"this {QEMU} does not emulate AVX2; 7.2 and newer do")
    return commands


def emulated(command: Sequence[str], models: Path) -> Answers:
    """int8's answers to PHOTOS by another Python. Raises subprocess.CalledProcessError where it fails."""
    arguments = ["-m", "bench.answers", str(models), "int8", *map(str, PHOTOS)]
    done = subprocess.run([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    answers: Answers = pickle.loads(done.stdout)
    return answers


def at_once(commands: dict[str, list[str]], models: Path) -> dict[str, Answers]:
    """`emulated` of each command, by the same names; they run side by side."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(commands, pool.map(lambda command: emulated(command, models), commands.values()), strict=True))


def as_table(measured: dict[str, Answers], reference: Answers) -> str:
    """A row for each processor and system, over all photos."""
    head = ("int8 on", "system", "found of float32's", "box IoU", "rotation, °", "w_exp")
    rows = []
    for name, answered in measured.items():
        for system, faces in answered.items():
            d = deviation(faces, reference[system])
            count = f"{d.found} of {d.expected}" + (f", {d.faces - d.found} more" if d.faces > d.found else "")
            rows.append((name, system, count, number(d.iou, 3), number(d.rotation), number(d.expression, 4)))
    return table(head, rows)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.processors", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=Settings().models_dir)
    parser.add_argument(
        "--emulated", nargs=2, action="append", default=[], metavar=("NAME", "PYTHON"), help="another row of the table"
    )
    options = parser.parse_args()
    try:
        commands = {f"{name}, emulated {PROCESSORS[name]}": command for name, command in emulators().items()}
    except OSError as error:
        print(f"No emulated x86-64: {error}", file=sys.stderr)
        commands = {}
    commands |= {name: shlex.split(python) for name, python in options.emulated}
    reference = answers(options.models, "float32", PHOTOS)
    measured = {f"{family()}, {processor()}": answers(options.models, "int8", PHOTOS)}
    measured |= at_once(commands, options.models.resolve())
    print(as_table(measured, reference))


if __name__ == "__main__":
    main()
