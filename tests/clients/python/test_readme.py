"""The code of the client's README runs against a server."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[3] / "clients/python/README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("code", EXAMPLES, ids=lambda code: code.splitlines()[-1].strip())
def test_an_example_runs(
    code: str, address: str, png: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "photo.jpg").write_bytes(png)
    monkeypatch.chdir(tmp_path)
    assert "localhost:50051" in code
    exec(compile(code.replace("localhost:50051", address), str(README), "exec"), {"__name__": "example"})
    assert capsys.readouterr().out
