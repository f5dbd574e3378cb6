"""Which faces stand in which row of a sheet."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("cv2")

import torch
from PIL import Image

from training.data.faces import FaceLabels
from training.data.sources import Source, save_with_sources
from training.labels import contact_sheet
from training.labels.contact_sheet import BY_COLUMNS, CELL, MARGIN, rows_by_source, rows_by_yaw


def test_a_row_for_each_source_that_said_anything() -> None:
    rows = rows_by_source(np.array([Source.SFN, Source.NOBODY, Source.FIRST_TEACHER, Source.SFN], np.uint8))
    assert {name: list(faces) for name, faces in rows.items()} == {"first teacher": [2], "sfn": [0, 3]}


def test_every_yaw_stands_in_one_bin() -> None:
    rows = rows_by_yaw(np.array([0.0, -14.9, 15, -44, 75, 90, -90]))
    assert {name: list(faces) for name, faces in rows.items()} == {
        "0-15 degrees": [0, 1],
        "15-30 degrees": [2],
        "30-45 degrees": [3],
        "45-60 degrees": [],
        "60-75 degrees": [],
        "75-90 degrees": [4, 5, 6],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Set "groups": one picture, half black and half white, with a face in either half."""
    picture = np.zeros((1, 432, 432, 3), np.uint8)
    picture[:, :, 200:] = 255
    np.save(tmp_path / "groups.npy", picture)
    np.save(tmp_path / "groups.sizes.npy", np.full((1, 2), 432, np.float32))
    np.save(tmp_path / "groups.names.npy", np.array(["multi_train_0/1"]))
    faces = FaceLabels.of_boxes(np.zeros(2, int), np.array([[60.0, 60, 120, 120], [260, 60, 320, 120]]), np.zeros(2))
    faces.points = torch.rand(2, 68, 2) * 50 + torch.tensor([[65.0, 65], [265, 65]])[:, None]
    faces.scale[:] = 0.01  # the mesh is a dot
    faces.fitted[:] = 1
    source = np.array([Source.SECOND_TEACHER, Source.FIRST_TEACHER], np.uint8)
    save_with_sources(faces, source, tmp_path / "groups.combined.npz")
    return tmp_path


def drawn(folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> np.ndarray:
    out = folder / "sheet.png"
    arguments = ["--set", "groups", "--pack", str(folder), "--labels", str(folder), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["contact_sheet", *arguments, *more])
    contact_sheet.main()
    return np.asarray(Image.open(out))


def test_faces_stand_in_the_row_of_their_source(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = drawn(folder, monkeypatch, "--by", "source")
    assert sheet.shape == (2 * CELL, MARGIN + BY_COLUMNS * CELL, 3)
    first, second = (sheet[k * CELL : (k + 1) * CELL, MARGIN : MARGIN + CELL] for k in range(2))
    assert np.median(first) == 255
    assert np.median(second) == 0


def test_rows_by_yaw_need_no_sources(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FaceLabels.load(folder / "groups.combined.npz").save(folder / "groups.npz")
    sheet = drawn(folder, monkeypatch, "--by", "yaw", "--first-teacher")
    assert sheet[:CELL, MARGIN : MARGIN + 2 * CELL].any()
    assert not sheet[CELL:, MARGIN:].any()


def test_the_first_teachers_labels_have_no_sources(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        drawn(folder, monkeypatch, "--by", "source", "--first-teacher")


def test_sheets_of_random_and_of_most_turned_faces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for more in ((), ("--coefficient", "yaw"), ("--coefficient", "jawOpen")):
        assert drawn(folder, monkeypatch, *more)[:CELL].any()
