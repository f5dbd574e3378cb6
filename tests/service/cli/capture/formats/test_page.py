"""What docs/capture-formats.md says of the formats."""

from pathlib import Path

import pytest

from service.cli.capture.formats import FORMATS
from tests.docs.pages import ROOT, blocks
from tests.service.cli.capture.formats import takes

PAGE = ROOT / "docs" / "capture-formats.md"


def test_every_format_has_a_section() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in FORMATS:
        assert f"\n| [`{name}`](#{name}) |" in text
        assert f"\n## {name}\n" in text


def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for format_ in FORMATS.values():
        format_.write(takes.take(), tmp_path / f"person-1{format_.suffix}")
    monkeypatch.chdir(tmp_path)
    jsonl, npz = blocks(PAGE, "python")
    exec(compile(jsonl, PAGE, "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == takes.take().known.sum()
    assert lines[takes.TURN] == "0.066733 30.0 0.0"
    exec(compile(npz, PAGE, "exec"), {})
    assert capsys.readouterr().out.startswith(f"{takes.JAW * 1001 / 30000} seconds")
