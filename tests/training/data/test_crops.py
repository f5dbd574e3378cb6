"""Which faces the single face network learns from, and where they lie in their crops."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from training.data import crops
from training.data.crops import CROP_SIDE, SMALLEST_FACE, STORED_FACTOR, cut, worth_learning
from training.data.faces import FaceLabels
from training.data.sources import Source, save_with_sources


def labels(extents: list[float]) -> FaceLabels:
    """Faces with points in boxes twice as high as wide, their longer side as given, about (100, 90)."""
    n = len(extents)
    faces = FaceLabels.of_boxes(np.zeros(n, int), np.tile([80.0, 70, 120, 110], (n, 1)), np.zeros(n))
    unit = np.random.default_rng(0).uniform(-0.25, 0.25, (68, 2)) * [1, 2]
    unit[:2] = [[-0.25, -0.5], [0.25, 0.5]]
    faces.points = torch.from_numpy(np.array(extents)[:, None, None] * unit + [100, 90]).float()
    faces.fitted = torch.ones(n)
    return faces


def test_own_answers_small_faces_and_unlabelled_ones_are_left_out() -> None:
    faces = labels([60, 60, 60, 60, SMALLEST_FACE - 0.1, SMALLEST_FACE + 0.1])
    faces.fitted[3] = 0
    source = np.array([Source.FIRST_TEACHER, Source.SECOND_TEACHER, Source.SFN, Source.NOBODY, 1, 2], np.uint8)
    assert worth_learning(faces, source).tolist() == [True, True, False, False, False, True]


def test_a_face_lies_in_the_middle_of_its_crop(tmp_path: Path) -> None:
    faces = labels([80.0])
    cut(np.zeros((1, 288, 288, 3), np.uint8), faces, tmp_path / "some")
    moved = FaceLabels.load(tmp_path / "some.npz")
    low, high = moved.points[0].amin(0), moved.points[0].amax(0)
    np.testing.assert_allclose((low + high) / 2, [CROP_SIDE / 2] * 2, atol=1e-3)
    assert float((high - low).amax()) == pytest.approx(CROP_SIDE / STORED_FACTOR, rel=1e-4)
    assert np.load(tmp_path / "some.npy").shape == (1, CROP_SIDE, CROP_SIDE, 3)


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *more: str) -> None:
    folders = [a for name in ("pack", "labels", "out") for a in (f"--{name}", str(folder / name))]
    monkeypatch.setattr(sys, "argv", ["crops", "--set", "detected", *folders, *more])
    crops.main()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One packed picture of the set "detected"; combined labels of three faces, the first teacher's alone of one."""
    for name in ("pack", "labels"):
        (tmp_path / name).mkdir()
    np.save(tmp_path / "pack/detected.npy", np.zeros((1, 432, 432, 3), np.uint8))
    np.save(tmp_path / "pack/detected.sizes.npy", np.array([[432, 432]], np.float32))
    np.save(tmp_path / "pack/detected.names.npy", np.array(["multi_train_3/1"]))
    source = np.array([Source.FIRST_TEACHER, Source.SECOND_TEACHER, Source.SFN], np.uint8)
    save_with_sources(labels([60, 50, 40]), source, tmp_path / "labels/detected.combined.npz")
    labels([60]).save(tmp_path / "labels/detected.npz")
    return tmp_path


def test_combined_labels_are_cut_without_the_networks_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, folder)
    assert len(np.load(folder / "out/detected.npy")) == 2


def test_the_first_network_learns_from_the_first_teacher(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, folder, "--first-teacher")
    assert len(np.load(folder / "out/detected.npy")) == 1


def test_labels_of_other_pictures_leave_older_crops_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, folder)
    before = (folder / "out/detected.npy").read_bytes()
    wrong = labels([60])
    wrong.picture += 1
    save_with_sources(wrong, np.ones(1, np.uint8), folder / "labels/detected.combined.npz")
    with pytest.raises(SystemExit, match="picture 1, but only 1 pictures"):
        run(monkeypatch, folder)
    assert (folder / "out/detected.npy").read_bytes() == before
