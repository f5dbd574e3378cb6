"""The paper's tables 2, 3 and 5 with runs of ours beside its figures.

python -m training.evaluation.ablations FOLDER [--markdown models/MODEL_CARD.md]

The folder holds what `python -m training.evaluation --json` wrote for each run that is named below, trained alike; runs
of other seeds are called NAME-0, NAME-1 and so on, and of them stand the mean and, in brackets, the range.
"""

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.evaluation.results import ALONE, REFINED
from training.evaluation.table import number, table

BEGIN, END = "<!-- ablations:begin -->", "<!-- ablations:end -->"
PEOPLE, GROUPS, CLIPS, TURNED = "landmarks_val", "multi_val", "expressions_unlabelled", "turned_val"
# row: runs, system and the paper's figures (NME on LFW, AP, AP50, AP75 on AFW)
TABLE_2 = {
    "MFN, detection only": ("mfn-det", ALONE, (None, 92.1, 99.2, 94.3)),
    "(2) single-scale SFN": ("sfn-ss", REFINED, (2.16, None, None, None)),
    "(3) multi-scale SFN": ("sfn", REFINED, (1.91, None, None, None)),
    "single-scale MFN, labels from (2)": ("mfn-ss-ss", ALONE, (2.89, 97.5, 99.8, 98.1)),
    "single-scale MFN, labels from (3)": ("mfn-ss-ms", ALONE, (2.65, 98.2, 100, 98.9)),
    "multi-scale MFN, labels from (3)": ("mfn", ALONE, (2.23, 98.8, 100, 99.3)),
}
# row: runs and the paper's NME on AFLW2000-3D by yaw
TABLE_3 = {
    "single-scale SFN": ("sfn-ss", (3.09, 4.27, 5.59, 4.31)),
    "multi-scale SFN": ("sfn", (2.91, 3.83, 4.94, 3.89)),
}
# column: beginnings of the coefficients' names
EXPRESSIONS = {
    "eye close": ("eyeBlink",),
    "eye wide": ("eyeWide",),
    "brow raise": ("browInnerUp", "browOuterUp"),
    "brow anger": ("browDown",),
    "mouth open": ("jawOpen",),
    "jaw l/r": ("jawLeft", "jawRight"),
    "lip roll": ("mouthRoll",),
    "smile": ("mouthSmile",),
    "kiss": ("mouthPucker",),
    "mean": ("",),
}
TABLE_5 = {
    "single-scale SFN": ("sfn-ss", REFINED, (0.082, 0.265, 0.36, 0.451, 0.373, 0.331, 0.359, 0.223, 0.299, 0.305)),
    "multi-scale SFN": ("sfn", REFINED, (0.016, 0.257, 0.216, 0.381, 0.334, 0.131, 0.204, 0.245, 0.277, 0.229)),
    "multi-scale MFN": ("mfn", ALONE, (0.117, 0.407, 0.284, 0.405, 0.284, 0.173, 0.325, 0.248, 0.349, 0.288)),
}
SHARES = {"none": "sfn-norendered", "a tenth": "sfn", "three tenths": "sfn-rendered30"}  # of rendered faces

Runs = dict[str, list[Any]]


def read_runs(folder: Path) -> Runs:
    """The documents of each name; NAME-0, NAME-1 ... are those of one name. Raises OSError, ValueError."""
    runs: Runs = {}
    for path in sorted(folder.glob("*.json")):
        name, _, seed = path.stem.rpartition("-")
        runs.setdefault(name if seed.isdigit() else path.stem, []).append(json.loads(path.read_text()))
    return runs


def over_runs(documents: list[Any], figure: Callable[[Any], float | None], digits: int) -> str:
    """Mean and range; a dash where no run knows the figure."""
    values: list[float | None] = []
    for document in documents:
        try:
            values.append(figure(document))
        except (KeyError, TypeError):
            continue
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return "-"
    mean = number(sum(known) / len(known), digits)
    return mean if len(known) == 1 else f"{mean} ({number(min(known), digits)} to {number(max(known), digits)})"


def paper(value: float | None) -> str:
    """A figure of the paper; a dash where it has none."""
    return "-" if value is None else f"{value:g}"


def table_2(runs: Runs) -> str:
    """The paper's table 2 beside our runs."""
    rows = []
    for row, (name, system, published) in TABLE_2.items():
        documents = runs.get(name, [])

        def nme(document: Any, system: str = system) -> float:
            return float(document[PEOPLE][system]["landmarks"]["all"]["nme"])

        def precision(key: str, system: str = system) -> Callable[[Any], float]:
            return lambda document: float(document[GROUPS][system]["detection"][key])

        ours = [over_runs(documents, nme, 2)] + [over_runs(documents, precision(k), 1) for k in ("ap", "ap50", "ap75")]
        rows.append((row, *ours, " / ".join(paper(value) for value in published)))
    return table(("network", "NME", "AP", "AP50", "AP75", "paper: NME / AP / AP50 / AP75"), rows)


def table_3(runs: Runs) -> str:
    """The paper's table 3 beside our runs."""
    rows = []
    for row, (name, published) in TABLE_3.items():
        documents = runs.get(name, [])

        def nme(bins: slice) -> Callable[[Any], float]:
            def mean(document: Any) -> float:
                errors = [each["nme"] for each in document[TURNED][REFINED]["poses"][bins]]
                return float(sum(errors) / len(errors))

            return mean

        ours = [over_runs(documents, nme(bins), 2) for bins in (slice(0, 1), slice(1, 2), slice(2, 3), slice(0, 3))]
        rows.append((row, *ours, " / ".join(paper(value) for value in published)))
    return table(("network", "0° to 30°", "30° to 60°", "60° to 90°", "mean", "paper"), rows)


def expression_error(starts: tuple[str, ...], system: str) -> Callable[[Any], float]:
    """Mean difference to the teacher of the coefficients whose names start so; NaN where there is none."""

    def error(document: Any) -> float:
        measured = document[CLIPS][system]["expression"]
        pairs = zip(measured["names"], measured["difference"], strict=True)
        errors = [difference for name, difference in pairs if name.startswith(starts)]
        return float(sum(errors) / len(errors)) if errors else math.nan

    return error


def table_5(runs: Runs) -> str:
    """The paper's table 5 beside our runs."""
    rows = []
    for row, (name, system, published) in TABLE_5.items():
        for column, (expression, starts) in enumerate(EXPRESSIONS.items()):
            ours = over_runs(runs.get(name, []), expression_error(starts, system), 3)
            if row == next(iter(TABLE_5)):
                rows.append([expression])
            rows[column] += [ours, paper(published[column])]
    return table(("expression", *(head for row in TABLE_5 for head in (row, "paper"))), rows)


def shares(runs: Runs) -> str:
    """What the share of rendered faces among the crops does."""
    figures: dict[str, tuple[int, Callable[[Any], float]]] = {
        "NME, photos": (2, lambda d: d[PEOPLE][REFINED]["landmarks"]["all"]["nme"]),
        "NME, turned 60° to 90°": (2, lambda d: d[TURNED][REFINED]["poses"][2]["nme"]),
        "correlation, clips": (3, lambda d: d[CLIPS][REFINED]["expression"]["mean_correlation"]),
        "w_exp, clips": (3, expression_error(("",), REFINED)),
        "correlation, rendered": (3, lambda d: d["rendered_val"][REFINED]["exact"]["mean_correlation"]),
    }
    rows = [
        (share, *(over_runs(runs.get(name, []), figure, digits) for digits, figure in figures.values()))
        for share, name in SHARES.items()
    ]
    return table(("rendered", *figures), rows)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluation.ablations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--markdown", type=Path, help="write the tables there, between the ablations markers it has")
    arguments = parser.parse_args()
    runs = read_runs(arguments.folder)
    parts = {
        "**Table 2.** AP on multi_val, NME on landmarks_val of MFN alone or of SFN (paper: AFW and LFW).": table_2(
            runs
        ),
        "**Table 3.** NME on turned_val by yaw (paper: AFLW2000-3D).": table_3(runs),
        "**Table 5.** Mean difference to the teacher on the held-out clips (paper: its own test set).": table_5(runs),
        "**Rendered faces**, as a share of the crops that SFN is trained on.": shares(runs),
    }
    text = "\n\n".join(part for pair in parts.items() for part in pair)
    print(text)
    if arguments.markdown:
        page = arguments.markdown.read_text()
        before, rest = page.split(BEGIN)
        arguments.markdown.write_text(before + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
