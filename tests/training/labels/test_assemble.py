"""Teacher's blendshapes as labels, and which faces of which archives have any."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from service.vision.gaze import GAZE_NAMES
from training.data.archives import SETS
from training.data.faces import FaceLabels
from training.data.packed import Packed
from training.labels.assemble import (
    BLENDSHAPES,
    MOST_GAZE_DIFFERENCE,
    Labelled,
    Taught,
    gaze_of,
    label_set,
    read_taught,
    with_unfitted,
)
from training.labels.fit import Fit


def test_gaze_is_the_mean_of_both_views_in_its_own_order() -> None:
    blendshapes = np.zeros((1, 2, 52), np.float16)
    blendshapes[0, :, BLENDSHAPES.index("eyeLookOutRight")] = [0.25, 0.5]
    gaze = gaze_of(blendshapes)
    assert gaze.dtype == np.float32
    assert dict(zip(GAZE_NAMES, gaze[0], strict=True)) == dict.fromkeys(GAZE_NAMES, 0) | {"eyeLookOutRight": 0.375}


def test_views_that_disagree_tell_nothing() -> None:
    blendshapes = np.zeros((2, 2, 52))
    look = [BLENDSHAPES.index(name) for name in GAZE_NAMES]
    blendshapes[0, 0, look] = MOST_GAZE_DIFFERENCE - 0.01
    blendshapes[1, 0, look] = MOST_GAZE_DIFFERENCE + 0.01
    assert np.isfinite(gaze_of(blendshapes)).all(1).tolist() == [True, False]


def write_taught(folder: Path, archive: str, pictures: list[str]) -> None:
    n = len(pictures)
    arrays: dict[str, Any] = {
        "box": np.tile(np.array([10, 20, 50, 70], np.float32), (n, 1)),
        "points": np.full((n, 68, 2), np.nan, np.float32),
        "found": np.ones((n, 2), bool),
        "landmarks": np.zeros((n, 2, 478, 3), np.float32),
        "blendshapes": np.zeros((n, 2, 52), np.float16),
    }
    np.savez(folder / f"{archive}.0of1.npz", picture=np.array(pictures), **arrays)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the teacher saw of two archives of single faces, a picture of each packed, and one of a held-out clip."""
    write_taught(tmp_path, "expressions_unlabelled", ["d1/1.webp", "d2/1.webp", "d1/unpacked.webp"])
    write_taught(tmp_path, "faces_unlabelled_1", ["someone.webp"])
    names = ["expressions_unlabelled/d1/1.webp", "expressions_unlabelled/d2/1.webp", "faces_unlabelled_1/someone.webp"]
    np.save(tmp_path / "singles.npy", np.zeros((3, 4, 4, 3), np.uint8))
    np.save(tmp_path / "singles.sizes.npy", np.full((3, 2), 4, np.float32))
    np.save(tmp_path / "singles.names.npy", np.array(names))
    return tmp_path


def test_pictures_that_are_held_out_or_not_packed_are_left_out(folder: Path) -> None:
    photos = SETS["singles"].among(["expressions_unlabelled", "faces_unlabelled_1"])
    taught = read_taught(folder, folder, "singles", photos)
    assert taught.picture.tolist() == ["expressions_unlabelled/d1/1.webp", "faces_unlabelled_1/someone.webp"]


def test_an_archive_that_the_teacher_has_not_seen_is_named(folder: Path) -> None:
    with pytest.raises(SystemExit, match=r"holds nothing for landmarks_train; run python -m training\.labels\.teacher"):
        read_taught(folder, folder, "singles", SETS["singles"])


def test_an_archive_that_is_not_packed_is_named(folder: Path) -> None:
    write_taught(folder, "faces_approx", ["1.webp"])
    photos = SETS["singles"].among(["faces_approx", "faces_unlabelled_1"])
    with pytest.raises(SystemExit, match=r"no picture of faces_approx; run python -m training\.data\.pack"):
        read_taught(folder, folder, "singles", photos)


def test_parts_of_two_runs_are_not_taken_together(folder: Path) -> None:
    """Faces would be there twice, or some not at all."""
    whole = folder / "faces_unlabelled_1.0of1.npz"
    (folder / "faces_unlabelled_1.1of2.npz").write_bytes(whole.read_bytes())
    with pytest.raises(SystemExit, match="holds 0of1, 1of2 of faces_unlabelled_1, not every part of one run"):
        Taught.load(folder, "faces_unlabelled_1")
    whole.rename(folder / "faces_unlabelled_1.0of2.npz")
    assert len(Taught.load(folder, "faces_unlabelled_1").picture) == 2


def boxes_of(pictures: list[int], ignored: list[int]) -> FaceLabels:
    boxes = np.array([[10.0 * i, 20, 10 * i + 40, 70] for i in range(len(pictures))])
    return FaceLabels.of_boxes(np.array(pictures), boxes, np.array(ignored))


def test_a_fit_replaces_its_own_box_and_keeps_what_is_ignored() -> None:
    boxes = boxes_of([0, 0, 1], [0, 1, 0])
    fits = boxes[torch.tensor([1])]
    fits.fitted[:], fits.ignored[:] = 1, 0
    faces = with_unfitted(fits, boxes)
    assert faces.box[:, 0].tolist() == [10, 0, 20]
    assert faces.fitted.tolist() == [1, 0, 0]
    assert faces.ignored.tolist() == [1, 0, 0]


def test_only_asked_archives_have_faces_and_boxes_shrink_with_their_picture() -> None:
    names = np.array(["multi_train_0/a", "multi_train_1/b"])
    packed = Packed(np.zeros((2, 4, 4, 3), np.uint8), np.full((2, 2), 4, np.float32), names)
    nothing = np.zeros((1, 68, 2), np.float32)
    box = np.array([[0, 40, 80, 140]], np.float32)  # of the picture before it was halved
    taught = Taught(
        names[1:], box, nothing, np.ones((1, 2), bool), np.zeros((1, 2, 478, 3)), np.zeros((1, 2, 52), np.float16)
    )
    fit = Fit(
        np.array([[0, 0, 0, 1]], np.float32),
        np.array([[30, 60]], np.float32),
        np.array([4], np.float32),
        np.zeros((1, 50), np.float32),
        np.zeros((1, 46), np.float32),
        nothing,
        np.zeros(1),
    )

    def teach(taught: Taught, _: bool) -> Labelled:
        return Labelled(taught, fit, nothing, np.ones((1, 68), np.float32), np.ones(1, np.float32))

    boxes = FaceLabels.of_boxes(
        np.array([0, 1, 1]), np.array([[0.0, 20, 40, 70], [0, 20, 40, 70], [5, 5, 9, 9]]), np.zeros(3)
    )
    photos = SETS["groups"].among(["multi_train_1"])
    faces = label_set(taught, photos, packed, boxes, {"multi_train_1/b": 0.5}, teach)
    assert faces.picture.tolist() == [1, 1]
    assert faces.fitted.tolist() == [1, 0]
    assert faces.box.tolist() == [[0, 20, 40, 70], [5, 5, 9, 9]]
    assert faces.origin[0].tolist() == [15, 30]
    assert faces.scale[0].item() == 2
