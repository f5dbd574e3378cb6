"""ONNX networks beside each other: `python -m bench.networks OLD.onnx NEW.onnx`.

All files in turn, round after round, alone on one core with one thread, on noise of the size that each takes, or of
--side where it takes any; SFN looks at one face. Prints the median of each and the median of its rounds' ratios to the
first file. An earlier version's file comes from git: `git show COMMIT:models/mfn.int8.onnx > old.onnx`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.results import machine, table
from bench.rounds import measure, pin
from bench.runtimes import with_onnxruntime
from service.inference.execution import Execution

MFN_SIDE = 288  # pixels, of MFN's input unless a request chooses another


def look(file: Path, side: int) -> Callable[[], Any]:
    """Runs the network once on a picture of noise. side: in pixels, where the file takes any."""
    session = Execution().open(file.read_bytes())
    _, rows, columns, _ = (size if isinstance(size, int) else side for size in session.get_inputs()[0].shape)
    pictures = np.random.default_rng(0).integers(0, 256, (1, rows, columns, 3), np.uint8)
    run = with_onnxruntime(session)
    return lambda: run(pictures)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", metavar="ONNX")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--side", type=int, default=MFN_SIDE, help="of the pictures, pixels (%(default)s)")
    arguments = parser.parse_args()
    if missing := [file for file in arguments.files if not file.is_file()]:
        parser.error(f"there is no file {missing[0]}")
    pin()
    rounds = measure({file: look(file, arguments.side) for file in arguments.files}, arguments.rounds)
    first = arguments.files[0]
    rows = [[str(file), f"{rounds.median(file):.2f}", f"{rounds.ratio(file, first):.3f}"] for file in arguments.files]
    print(f"{machine()}. {rounds.told()}\n\n{table(['network', 'ms', 'over the first'], rows)}")


if __name__ == "__main__":
    main()
