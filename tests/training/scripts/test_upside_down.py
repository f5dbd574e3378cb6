"""The weights by which faces are known to be upside down."""

import json
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.inference.manifest import read_manifest
from service.vision.decoding import Candidates, Pose
from service.vision.upside_down import UpsideDown
from tests.service.tiny_models import encoded, write_models
from training.scripts import upside_down


def test_weighted_columns_are_the_log_odds_that_the_service_calculates() -> None:
    rng = np.random.default_rng(3)
    score = np.array([0.7, 0.4, 0.21, 0.19], np.float32)  # the last one does not vote
    identity, weights = rng.normal(size=(4, 50)).astype(np.float32), rng.normal(size=52)
    pose = Pose(np.zeros((4, 4), np.float32), np.zeros((4, 2), np.float32), np.ones(4, np.float32))
    candidates = Candidates(score, np.zeros((4, 4), np.float32), pose, identity, np.zeros((4, 46), np.float32))
    served = UpsideDown(weights[:50].astype(np.float32), *weights[50:].tolist())
    expected = served.log_odds(score[:3], identity[:3])
    assert upside_down.columns_of(candidates) @ weights == pytest.approx(expected, rel=1e-5)


def test_the_fit_finds_the_weights_that_pictures_were_drawn_by() -> None:
    rng = np.random.default_rng(4)
    columns, weights = rng.normal(size=(20_000, 3)) * [1, 5, 0.2], np.array([1.0, -0.4, 5.0])
    drawn = rng.random(20_000) < 1 / (1 + np.exp(-columns @ weights))
    np.testing.assert_allclose(upside_down.fit(columns, drawn), weights, rtol=0.08)


def write_photos(path: Path) -> None:
    """Twenty photos of 96 x 96, each with one or two cells that the tiny network calls faces."""
    with tarfile.open(path, "w") as tar:

        def add(name: str, content: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))

        names = [f"{number}.png" for number in range(20)]
        for number, name in enumerate(names):
            pixels = np.full((96, 96, 3), 99, np.uint8)
            pixels[16:32, 16 : 48 if number // 2 % 2 else 32] = 200
            add(name, encoded(Image.fromarray(pixels), "PNG"))
        add("annotations.jsonl", "\n".join(json.dumps({"image": name}) for name in names).encode())


def test_the_command_writes_the_weights_into_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    write_models(models)
    write_photos(tmp_path / "photos.tar")
    before = json.loads((models / "manifest.json").read_text())
    monkeypatch.setattr(upside_down, "PHOTOS", {"photos": 2})
    monkeypatch.setattr(sys, "argv", ["upside_down", "--data", str(tmp_path), "--models", str(models)])
    upside_down.main()
    assert "photos" in capsys.readouterr().out
    after = json.loads((models / "manifest.json").read_text())
    assert len(after.pop("upside_down")["identity"]) == 50
    assert after == before
    assert read_manifest(models / "manifest.json").upside_down is not None
