"""The summary of several runs."""

import json
import sys
from pathlib import Path

import pytest

from training.evaluation.spread import main, summary


def run(ap50: float, blink: tuple[float, float]) -> dict[str, object]:
    eyes = {"MFN": {"eyes": {"blink": blink[0]}}, "MFN + SFN": {"eyes": {"blink": blink[1]}}}
    return {"multi_val": {"MFN": {"detection": {"ap50": ap50, "ap75": None}}}, "expressions_unlabelled": eyes}


def line(text: str, start: str) -> list[str]:
    (row,) = [row for row in text.splitlines() if row.startswith(f"| {start}")]
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def test_mean_and_range() -> None:
    text = summary([run(90, (0.2, 0.1)), run(91, (0.3, 0.1)), run(95, (0.1, 0.1))])
    assert line(text, "AP50") == ["92.0", "90.0 to 95.0", "3"]
    assert line(text, "closed eyes, expressions_unlabelled") == ["2.00", "1.00 to 3.00", "3"]  # the mean of the ratios
    assert line(text, "AP75") == ["-", "-", "0"]
    assert line(text, "NME 68, landmarks_val, MFN +") == ["-", "-", "0"]


def test_poses_count_each_bin_alike_and_dead_coefficients_are_counted() -> None:
    poses = {
        "MFN": {"poses": [{"nme": 2.0, "rotation": 4.0}, {"nme": 3.0, "rotation": 5.0}, {"nme": 7.0, "rotation": 9.0}]}
    }
    unused = {"MFN": {"range": {"unused": ["jawForward", "mouthClose"]}}}
    text = summary([{"turned_val": poses, "expressions_all": unused}])
    assert line(text, "NME 68, turned_val, mean of yaw bins, MFN  ") == ["4.00", "4.00 to 4.00", "1"]
    assert line(text, "rotation, °, turned_val, mean of yaw bins, MFN  ") == ["6.0", "6.0 to 6.0", "1"]
    assert line(text, "dead coefficients, expressions_all, MFN  ") == ["2.0", "2.0 to 2.0", "1"]


def test_figures_that_some_runs_lack() -> None:
    text = summary([run(90, (0.2, 0.1)), {}, run(92, (0.2, 0.0))])
    assert line(text, "AP50") == ["91.0", "90.0 to 92.0", "2"]
    assert line(text, "closed eyes, expressions_unlabelled") == ["2.00", "2.00 to 2.00", "1"]


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(run(90, (0.2, 0.1))))
    monkeypatch.setattr(sys, "argv", ["spread", str(tmp_path / "a.json")])
    main()
    assert "| AP50, multi_val" in capsys.readouterr().out
    (tmp_path / "b.json").write_text("{")
    monkeypatch.setattr(sys, "argv", ["spread", str(tmp_path / "b.json")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
