"""Mean and range of the main figures over several runs, say of other seeds.

python -m training.evaluation.spread A.json B.json C.json

Each file is what `python -m training.evaluation --json FILE` has written for the networks of one run.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.evaluation.results import ALONE, REFINED
from training.evaluation.table import number, table

DETECTION, LANDMARKS, TURNED, CLIPS, STRONG = (
    "multi_val",
    "landmarks_val",
    "turned_val",
    "expressions_unlabelled",
    "expressions_all",
)
Figure = Callable[[Any], float | None]


def at(*path: str) -> Figure:
    """The number at the path of keys in a document; None where there is nothing."""

    def figure(document: Any) -> float | None:
        for key in path:
            document = document.get(key) if isinstance(document, dict) else None
        return None if document is None else float(document)

    return figure


def of_poses(system: str, name: str) -> Figure:
    """The mean over the bins of yaw, as of the paper's table 3."""

    def figure(document: Any) -> float | None:
        bins = document.get(TURNED, {}).get(system, {}).get("poses")
        return sum(entry[name] for entry in bins) / len(bins) if bins else None

    return figure


def dead(system: str) -> Figure:
    """How many coefficients span less than 0.05."""

    def figure(document: Any) -> float | None:
        of_system = document.get(STRONG, {}).get(system, {}).get("range")
        return float(len(of_system["unused"])) if of_system else None

    return figure


def eye_ratio(data_set: str) -> Figure:
    """The figure of a document: the error of blinks with the second network over that of the first alone."""
    alone, refined = (at(data_set, system, "eyes", "blink") for system in (ALONE, REFINED))

    def figure(document: Any) -> float | None:
        error, closer = alone(document), refined(document)
        return error / closer if error is not None and closer else None

    return figure


BOTH = (ALONE, REFINED)
FIGURES: dict[str, tuple[int, Figure]] = {  # digits, and how the figure is taken out of a document
    f"AP50, {DETECTION}": (1, at(DETECTION, ALONE, "detection", "ap50")),
    f"AP75, {DETECTION}": (1, at(DETECTION, ALONE, "detection", "ap75")),
    **{f"NME 68, {LANDMARKS}, {of}": (2, at(LANDMARKS, of, "landmarks", "all", "nme")) for of in BOTH},
    **{f"NME 68, {TURNED}, mean of yaw bins, {of}": (2, of_poses(of, "nme")) for of in BOTH},
    **{f"rotation, °, {TURNED}, mean of yaw bins, {of}": (1, of_poses(of, "rotation")) for of in BOTH},
    **{f"correlation, {CLIPS}, {of}": (3, at(CLIPS, of, "expression", "mean_correlation")) for of in BOTH},
    **{f"dead coefficients, {STRONG}, {of}": (1, dead(of)) for of in BOTH},
    **{f"jitter, {LANDMARKS}, {of}": (2, at(LANDMARKS, of, "jitter", "jitter")) for of in BOTH},
    **{
        f"closed eyes, {data_set}, {ALONE} over {REFINED}": (2, eye_ratio(data_set))
        for data_set in (CLIPS, LANDMARKS, "rendered_val")
    },
}


def summary(documents: list[Any]) -> str:
    """The Markdown table: for each figure the mean, the least and the greatest, and of how many runs."""
    rows = []
    for name, (digits, figure) in FIGURES.items():
        known = [value for value in map(figure, documents) if value is not None]
        if known:
            ends = f"{number(min(known), digits)} to {number(max(known), digits)}"
            rows.append((name, number(sum(known) / len(known), digits), ends, len(known)))
        else:
            rows.append((name, "-", "-", 0))
    return table(("figure", "mean", "range", "runs"), rows)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluation.spread",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="FILE.json")
    arguments = parser.parse_args()
    try:
        documents = [json.loads(path.read_text()) for path in arguments.runs]
    except (OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    print(summary(documents))


if __name__ == "__main__":
    main()
