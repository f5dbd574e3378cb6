"""The client's example streams a video to a server, where OpenCV is installed."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLE = Path(__file__).resolve().parents[3] / "clients/python/examples/stream_video.py"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(EXAMPLE), run_name="__main__")
    return ended.value.code


@pytest.fixture
def video(photo: Image.Image, tmp_path: Path) -> Path:
    cv2 = pytest.importorskip("cv2")
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, photo.size)
    for _ in range(3):
        writer.write(np.asarray(photo))
    writer.release()
    return path


def test_a_line_a_frame(
    video: Path, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(video), "--address", address) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" s: #1 yaw 0 ")[0] for line in lines] == ["1 0.000", "2 0.040", "3 0.080"]


def test_nobody_there(video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, str(video), "--address", "127.0.0.1:1") == 1
    assert "UNAVAILABLE" in capsys.readouterr().err
