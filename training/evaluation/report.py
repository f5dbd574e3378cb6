"""Measures as tables people read and as JSON.

The figures of the paper stand beside ours where it has them. They were taken on other photos, which each line names.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluation.detection import DetectionMetrics
from training.evaluation.expression import ExpressionMetrics
from training.evaluation.invariance import InvarianceMetrics
from training.evaluation.landmarks import LandmarkMetrics
from training.evaluation.measure import GroupedLandmarks

BEGIN, END = "<!-- accuracy:begin -->", "<!-- accuracy:end -->"
PAPER = "paper"


@dataclass
class Results:
    """Measures by (data set, system), in the order they were taken. remarks: what a reader must know about a run."""

    detection: dict[tuple[str, str], DetectionMetrics] = field(default_factory=dict)
    landmarks: dict[tuple[str, str], GroupedLandmarks] = field(default_factory=dict)
    expression: dict[tuple[str, str], ExpressionMetrics] = field(default_factory=dict)
    invariance: dict[tuple[str, str], list[InvarianceMetrics]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(self, others: "Results") -> None:
        """Takes up other measures."""
        self.detection |= others.detection
        self.landmarks |= others.landmarks
        self.expression |= others.expression
        self.invariance |= others.invariance
        self.remarks += others.remarks


def markdown(results: Results) -> str:
    """All tables, and what their columns mean."""
    parts = [
        _detection(results), _heights(results), _landmarks(results), _yaw(results), _expression(results),
        _coefficients(results), _invariance(results),
    ]  # fmt: skip
    return "\n\n".join([part for part in parts if part] + results.remarks) + "\n"


def put_into(path: Path, text: str) -> None:
    """Writes the tables between their markers."""
    put_between(path, BEGIN, END, text)


def put_between(path: Path, begin: str, end: str, text: str) -> None:
    """Writes text between two markers of a Markdown file; a file that is not there becomes just that."""
    block = f"{begin}\n{text}{end}"
    if not path.exists():
        path.write_text(block + "\n")
        return
    before, found_begin, rest = path.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"{path} has no lines {begin} and {end}; put them where the tables belong")
    path.write_text(before + block + after)


def headline(results: Results) -> dict[str, Any]:
    """The few figures that go into the manifest, by data set and system."""
    document: dict[str, Any] = {}
    for (data_set, system), found in results.detection.items():
        document.setdefault(data_set, {})[system] = {"AP": found.ap, "AP50": found.ap50, "AP75": found.ap75}
    for (data_set, system), points in results.landmarks.items():
        document.setdefault(data_set, {}).setdefault(system, {})["NME"] = points.all.nme
    for (data_set, system), weights in results.expression.items():
        document.setdefault(data_set, {})[system] = {
            "mean difference of expressions": weights.mean_difference,
            "mean correlation of expressions": weights.mean_correlation,
        }
    return {
        data_set: {
            system: {name: round(float(value), 3) for name, value in figures.items()} for system, figures in by.items()
        }
        for data_set, by in document.items()
    }


def put_into_manifest(path: Path, results: Results) -> None:
    """Replaces the figures in models/manifest.json; everything else stays."""
    manifest = json.loads(path.read_text())
    manifest["accuracy"] = headline(results)
    path.write_text(json.dumps(manifest, indent=2) + "\n")


def as_json(results: Results) -> str:
    """Everything measured, by data set and system; NaN and infinity as null."""
    document: dict[str, Any] = {}
    for measure in ("detection", "landmarks", "expression", "invariance"):
        for (data_set, system), value in getattr(results, measure).items():
            plain: Any = [asdict(v) for v in value] if isinstance(value, list) else asdict(value)
            if isinstance(value, DetectionMetrics):
                plain["recall"] = value.recall
            if isinstance(value, ExpressionMetrics):
                plain |= {"mean_difference": value.mean_difference, "mean_correlation": value.mean_correlation}
                plain |= {"dead": value.dead}
            document.setdefault(data_set, {}).setdefault(system, {})[measure] = plain
    return json.dumps(_plain(document), indent=1) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, its columns as wide as they need to be, so that it reads in a terminal too."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _number(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def _detection(results: Results) -> str:
    if not results.detection:
        return ""
    rows: list[Sequence[object]] = [
        (
            data_set, system, m.pictures, m.faces, m.ignored, _number(m.ap, 1), _number(m.ap50, 1), _number(m.ap75, 1),
            f"{_number(m.recall, 1)} ({m.found})", _number(m.score),
        )
        for (data_set, system), m in results.detection.items()
    ]  # fmt: skip
    rows.append(("AFW", f"{PAPER}, MS-MFN", 205, 1000, "", "98.8", "100", "99.3", "", ""))
    head = ("photos", "system", "pictures", "faces", "ignored", "AP", "AP50", "AP75", "recall (found)", "score")
    return (
        "**Detection.** COCO's average precision in percent; pictures with over 20 faces left out, faces under 2 % of "
        "the picture ignored (paper 4.1). Recall: at IoU 0.5 and at most one false alarm in ten pictures, which "
        "`score` gives. The paper's figures are on other photos.\n\n" + table(head, rows)
    )


def _heights(results: Results) -> str:
    if not results.detection:
        return ""
    rows: list[Sequence[object]] = []
    edges: tuple[str, ...] = ()
    for (data_set, system), m in results.detection.items():
        edges = tuple(f"{h.low:g} to {h.high:g}" if math.isfinite(h.high) else f"from {h.low:g}" for h in m.by_height)
        found = (f"{h.found}, {h.found_at_any_score} of {h.faces}" if h.faces else "-" for h in m.by_height)
        rows.append((data_set, system, *found))
    return (
        "**Faces found by height** in pixels, the picture's longer side being 288: at the score above, at any score, "
        "of all.\n\n" + table(("photos", "system", *edges), rows)
    )


def _landmarks(results: Results) -> str:
    if not results.landmarks:
        return ""
    rows: list[Sequence[object]] = []

    def add(data_set: str, system: str, m: LandmarkMetrics) -> None:
        rows.append(
            (
                data_set, system, m.faces, m.missed, _number(m.nme), _number(m.nme_inner), _number(m.auc, 3), m.failed,
                f"{m.shift[0]:+.2f}, {m.shift[1]:+.2f}",
            )
        )  # fmt: skip

    for (data_set, system), grouped in results.landmarks.items():
        add(data_set, system, grouped.all)
        for group, of_group in grouped.groups.items():
            add(f"{data_set}, {group}", system, of_group)
    rows.append(("LFW", f"{PAPER}, MS-MFN", "", "", "2.23", "", "", "", ""))
    rows.append(("LFW", f"{PAPER}, MS-SFN", "", "", "1.91", "", "", "", ""))
    for number, auc in enumerate(("0.901", "0.884", "0.842"), 1):
        if any(data_set == "300vw" for data_set, _ in results.landmarks):
            rows.append((f"300vw, scenario {number}", f"{PAPER}, MS-SFN", "", "", "", "", auc, "", ""))
    head = ("photos", "system", "faces", "missed", "NME 68", "NME inner 51", "AUC", "failed", "shift x, y")
    return (
        "**Landmarks.** NME: mean distance in percent of sqrt(w h) of the annotated points' box, over the faces found. "
        "AUC: area under the cumulative error curve up to 5 % of that box's diagonal, missed faces included; failed: "
        "beyond it. Shift: predicted minus annotated, pixels. Annotations as published. The paper's figures are on "
        "other photos or against other annotations.\n\n" + table(head, rows)
    )


def _yaw(results: Results) -> str:
    by_yaw = {key: grouped for key, grouped in results.landmarks.items() if grouped.yaw is not None}
    if not by_yaw:
        return ""
    rows: list[Sequence[object]] = [
        (
            data_set, system, *(_number(v) for v in grouped.yaw.nme), _number(grouped.yaw.mean),
            f"{grouped.all.missed} of {grouped.all.faces}",
        )
        for (data_set, system), grouped in by_yaw.items() if grouped.yaw is not None
    ]  # fmt: skip
    rows.append(("AFLW2000-3D", f"{PAPER}, MS-SFN", "2.91", "3.83", "4.94", "3.89", ""))
    return "**NME 68 by yaw**, percent.\n\n" + table(
        ("photos", "system", "0° to 30°", "30° to 60°", "60° to 90°", "mean", "missed"), rows
    )


def _expression(results: Results) -> str:
    if not results.expression:
        return ""
    rows = [
        (
            data_set, system, m.faces, _number(m.mean_difference, 3), int(m.moves.sum()), _number(m.mean_correlation),
            len(m.dead), ", ".join(m.dead) or "none",
        )
        for (data_set, system), m in results.expression.items()
    ]  # fmt: skip
    head = ("photos", "system", "faces", "difference", "moving", "correlation", "stiff", "which")
    return (
        "**Expression against the teacher** (MediaPipe). Difference: mean over all coefficients and faces (paper 4.2). "
        "Moving: coefficients whose standard deviation in the teacher is over 0.05; correlation: mean over those. "
        "Stiff: those of them whose 5th to 95th percentile spans less than half the teacher's.\n\n" + table(head, rows)
    )


def _coefficients(results: Results) -> str:
    parts = []
    for data_set in dict.fromkeys(data_set for data_set, _ in results.expression):
        systems = {system: m for (of, system), m in results.expression.items() if of == data_set}
        first = next(iter(systems.values()))
        head = ["coefficient", "teacher's range"]
        for system in systems:
            head += [f"{system}: range", "difference", "correlation"]
        rows = []
        for i, name in enumerate(first.names):
            low, high = first.reference_range[i]
            row: list[object] = [name, f"{low:.2f} to {high:.2f}"]
            for m in systems.values():
                low, high = m.predicted_range[i]
                row += [f"{low:.2f} to {high:.2f}", _number(m.difference[i], 3), _number(m.correlation[i])]
            rows.append(row)
        parts.append(f"**Each coefficient on {data_set}**, 5th to 95th percentile.\n\n" + table(head, rows))
    return "\n\n".join(parts)


def _invariance(results: Results) -> str:
    if not results.invariance:
        return ""
    rows = [
        (
            data_set, system, m.movement, m.faces, m.lost, _number(m.expression, 3), _number(m.identity, 3),
            _number(m.roll), _number(m.rotation),
        )
        for (data_set, system), several in results.invariance.items() for m in several
    ]  # fmt: skip
    head = ("photos", "system", "picture", "faces", "lost", "w_exp", "w_id", "roll, °", "rotation, °")
    return (
        "**The same photo moved.** w_exp, w_id: mean change over the coefficients' spread between people. Roll and "
        "rotation: mean error against the moved pose.\n\n" + table(head, rows)
    )
