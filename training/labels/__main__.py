"""Makes labels of the training archives in one command: `python -m training.labels`.

Runs, in order,

    training.data.pack               pictures to arrays
    training.labels.teacher          the first teacher's answers
    training.labels.assemble         correction, fits, quality
    training.labels.second_teacher   the second teacher's points
    training.labels.pseudo_labels    the single face network's answers
    training.labels.combine          one label a face, and who said it
    training.labels.contact_sheet    by source and by yaw, to be looked at
    training.data.crops              what trains the single face network next

Each runs alone, too. With --archives only these are labelled; landmarks_train must be among what the teacher saw, for
it teaches the correction.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from training.data.archives import ARCHIVES, VALIDATION, sets_of


def steps(archives: list[str], models: Path) -> list[list[str]]:
    """Modules with their arguments, in the order in which each finds what it needs."""
    sets = list(sets_of(archives))
    sheets = [
        ["training.labels.contact_sheet", "--set", name, "--by", by, "--out", f".work/contact_sheet_{name}_{by}.png"]
        for name in sets
        for by in ("source", "yaw")
    ]
    return [
        ["training.data.pack", "--archives", *archives],
        ["training.labels.teacher", *archives, VALIDATION],
        ["training.labels.assemble", "--only", *sets, "val", "--archives", *archives],
        ["training.labels.second_teacher", "--sets", *sets],
        ["training.labels.pseudo_labels", "--sets", *sets, "--models", str(models)],
        ["training.labels.combine", "--sets", *sets],
        *sheets,
        *(["training.data.crops", "--set", name] for name in sets),
    ]


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archives", nargs="+", choices=ARCHIVES, default=ARCHIVES)
    parser.add_argument("--models", type=Path, default=Path("models"), help="whose single face network answers")
    args = parser.parse_args()
    for step in steps(list(args.archives), args.models):
        print("python -m", *step, flush=True)
        done = subprocess.run([sys.executable, "-m", *step], check=False)
        if done.returncode:
            raise SystemExit(f"python -m {step[0]} failed, see above; the steps after it were not run")


if __name__ == "__main__":
    main()
