"""Mean and range of the main figures over several runs, say of other seeds.

python -m training.evaluation.spread A.json B.json C.json

Each file is what `python -m training.evaluation --json FILE` has written for the networks of one run.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from training.evaluation.results import ALONE, REFINED
from training.evaluation.table import number, table

DETECTION, LANDMARKS, EXPRESSION = "multi_val", "landmarks_val", "expressions_unlabelled"
EYE = ("eyes", "blink")
FIGURES: dict[str, tuple[int, tuple[str, ...]]] = {  # digits, and where the figure is in a file
    f"AP50, {DETECTION}": (1, (DETECTION, ALONE, "detection", "ap50")),
    f"AP75, {DETECTION}": (1, (DETECTION, ALONE, "detection", "ap75")),
    f"NME 68, {LANDMARKS}, {ALONE}": (2, (LANDMARKS, ALONE, "landmarks", "all", "nme")),
    f"NME 68, {LANDMARKS}, {REFINED}": (2, (LANDMARKS, REFINED, "landmarks", "all", "nme")),
    f"correlation, {EXPRESSION}, {ALONE}": (3, (EXPRESSION, ALONE, "expression", "mean_correlation")),
    f"correlation, {EXPRESSION}, {REFINED}": (3, (EXPRESSION, REFINED, "expression", "mean_correlation")),
}
EYE_RATIOS = {  # on each of these sets
    f"closed eyes, {data_set}, {ALONE} over {REFINED}": data_set for data_set in (EXPRESSION, LANDMARKS, "rendered_val")
}


def figure(document: Any, path: tuple[str, ...]) -> float | None:
    """What lies at the path of keys; None where there is nothing."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return None if document is None else float(document)


def eye_ratio(document: Any, data_set: str) -> float | None:
    alone, refined = (figure(document, (data_set, system, *EYE)) for system in (ALONE, REFINED))
    return alone / refined if alone is not None and refined else None


def summary(documents: list[Any]) -> str:
    """The Markdown table: for each figure the mean, the least and the greatest, and of how many runs."""
    values: dict[str, tuple[int, list[float | None]]] = {
        name: (digits, [figure(document, path) for document in documents]) for name, (digits, path) in FIGURES.items()
    }
    values |= {name: (2, [eye_ratio(document, of) for document in documents]) for name, of in EYE_RATIOS.items()}
    rows = []
    for name, (digits, of_runs) in values.items():
        known = [value for value in of_runs if value is not None]
        if known:
            ends = f"{number(min(known), digits)} to {number(max(known), digits)}"
            rows.append((name, number(sum(known) / len(known), digits), ends, len(known)))
        else:
            rows.append((name, "-", "-", 0))
    return table(("figure", "mean", "range", "runs"), rows)


def main() -> None:
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
