"""The paper's tables with runs of ours."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from training.evaluation.ablations import expression_error, main, read_runs, table_2, table_3, table_5


def cells(text: str, start: str) -> list[str]:
    (row,) = [row for row in text.splitlines() if row.startswith(f"| {start}")]
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def run(nme: float, ap50: float = 80) -> dict[str, Any]:
    poses = [{"nme": nme}, {"nme": nme + 1}, {"nme": nme + 5}]
    expression = {"names": ["eyeBlink_L", "eyeBlink_R", "jawOpen"], "difference": [0.1, 0.3, 0.5]}
    of_system = {"landmarks": {"all": {"nme": nme}}}
    return {
        "landmarks_val": {"MFN": of_system, "MFN + SFN": of_system},
        "multi_val": {"MFN": {"detection": {"ap": 40, "ap50": ap50, "ap75": float("nan")}}},
        "turned_val": {"MFN + SFN": {"poses": poses}},
        "expressions_unlabelled": {"MFN": {"expression": expression}, "MFN + SFN": {"expression": expression}},
    }


def test_seeds_stand_as_mean_and_range_and_single_runs_alone() -> None:
    text = table_2({"mfn": [run(3, 80), run(4, 84)], "sfn-ss": [run(5)]})
    assert cells(text, "multi-scale MFN")[:4] == [
        "3.50 (3.00 to 4.00)",
        "40.0 (40.0 to 40.0)",
        "82.0 (80.0 to 84.0)",
        "-",
    ]
    assert cells(text, "(2) single-scale SFN")[0] == "5.00"
    assert cells(text, "(3) multi-scale SFN")[0] == "-"


def test_bins_of_yaw_and_their_mean() -> None:
    assert cells(table_3({"sfn-ss": [run(3)]}), "single-scale")[:4] == ["3.00", "4.00", "8.00", "5.00"]


def test_expressions_are_means_over_both_sides() -> None:
    assert expression_error(("eyeBlink",), "MFN")(run(1)) == pytest.approx(0.2)
    assert cells(table_5({"mfn": [run(1)]}), "eye close") == ["-", "0.082", "-", "0.016", "0.200", "0.117"]
    assert cells(table_5({"mfn": [run(1)]}), "smile")[4] == "-"


def test_runs_of_one_name_come_together(tmp_path: Path) -> None:
    for name in ("mfn-0", "mfn-1", "mfn-ss-ms", "sfn"):
        (tmp_path / f"{name}.json").write_text(json.dumps(run(1)))
    assert {name: len(runs) for name, runs in read_runs(tmp_path).items()} == {"mfn": 2, "mfn-ss-ms": 1, "sfn": 1}


def test_the_page_keeps_what_is_around_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "card.md"
    page.write_text("before\n<!-- ablations:begin -->\nold\n<!-- ablations:end -->\nafter\n")
    (tmp_path / "sfn-0.json").write_text(json.dumps(run(1)))
    monkeypatch.setattr(sys, "argv", ["ablations", str(tmp_path), "--markdown", str(page)])
    main()
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "Table 5" in text
