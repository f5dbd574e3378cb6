"""Measures as tables people read and as JSON.

The figures of the paper stand beside ours where it has them. They were taken on other photos, which each line names.
"""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluation import face_tables, tables
from training.evaluation.detection import DetectionMetrics
from training.evaluation.expression import ExpressionMetrics
from training.evaluation.results import MEASURES, Results

BEGIN, END = "<!-- accuracy:begin -->", "<!-- accuracy:end -->"


def markdown(results: Results) -> str:
    """All tables, and what their columns mean."""
    parts = [
        tables.detection_table(results), tables.heights_table(results), tables.landmarks_table(results),
        tables.yaw_table(results), face_tables.poses_table(results), tables.expression_table(results),
        tables.coefficients_table(results), face_tables.dead_table(results), face_tables.exact_table(results),
        face_tables.eyes_table(results), face_tables.lids_table(results), face_tables.jitter_table(results),
        face_tables.skin_table(results), tables.invariance_table(results),
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
    for measure in MEASURES:
        for (data_set, system), value in getattr(results, measure).items():
            many = isinstance(value, list | tuple)
            plain = [_with_derived(v) for v in value] if many else _with_derived(value)
            document.setdefault(data_set, {}).setdefault(system, {})[measure] = plain
    return json.dumps(_plain(document), indent=1) + "\n"


def _with_derived(metrics: Any) -> dict[str, Any]:
    plain: dict[str, Any] = asdict(metrics)
    derived: tuple[str, ...] = ()
    if isinstance(metrics, DetectionMetrics):
        derived = ("recall",)
    if isinstance(metrics, ExpressionMetrics):
        derived = ("mean_difference", "mean_correlation", "dead", "unused", "unused_by_reference", "untold")
    return plain | {name: getattr(metrics, name) for name in derived}


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
