"""The second teacher's geometry, on points and pictures whose answers are known."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("cv2")

from training.data.archives import box_of_points
from training.data.faces import MIRRORED_POINTS, FaceLabels
from training.labels import second_teacher
from training.labels.second_teacher import (
    SIDE,
    PointModel,
    SecondAnswers,
    SecondTeacher,
    boxes_of_points,
    crops_of,
    cut,
    label_set,
    mirrored_back,
    mirrored_crops,
)

WIDTH, HEIGHT = 200, 160
CROPS = np.array([[20.0, 30, 60], [-10, 50, 90]])


def points(n: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform([20, 20, -30], [120, 90, 30], (n, 68, 3))


def test_a_crop_is_a_square_about_the_middle_of_the_points_box() -> None:
    corners = np.array([[[10.0, 20], [50, 100]]])  # 40 x 80 pixels about (30, 60)
    left, top, side = crops_of(corners)[0]
    assert side == pytest.approx(80 * 2**0.5)
    assert (left + side / 2, top + side / 2) == pytest.approx((30, 60))


def test_a_cut_of_a_mirror_image_is_the_mirror_image_of_the_cut() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    mirror_image = np.ascontiguousarray(picture[:, ::-1])
    crops = np.array([[20.0, 30, 60], [0, 0, SIDE]])
    for crop, mirrored in zip(crops, mirrored_crops(crops, WIDTH), strict=True):
        np.testing.assert_allclose(cut(mirror_image, mirrored), cut(picture, crop)[:, :, ::-1], atol=1.5 / 128)


def test_a_cut_of_its_own_size_is_the_pixels_with_blue_first() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    expected = (picture[10 : 10 + SIDE, 30 : 30 + SIDE, ::-1].astype(np.float32) - 127.5) / 128
    np.testing.assert_allclose(cut(picture, np.array([30.0, 10, SIDE])), expected.transpose(2, 0, 1))


def test_points_of_a_mirror_image_come_back_with_left_and_right_exchanged() -> None:
    face = points()
    in_mirror = face[:, MIRRORED_POINTS] * [-1, 1, 1] + [
        WIDTH,
        0,
        0,
    ]  # each point's partner stands at its mirrored place
    np.testing.assert_allclose(mirrored_back(in_mirror, WIDTH), face)


def test_projection_is_by_the_affine_camera_into_the_crop() -> None:
    rng = np.random.default_rng(3)
    mean, basis = rng.normal(0, 20, (68, 3)), rng.normal(0, 1, (50, 68, 3))
    offset, spread = rng.normal(0, 1, 62), rng.uniform(0.5, 2, 62)
    numbers = rng.normal(0, 1, (2, 62))
    found = PointModel(mean, basis, offset, spread).points((numbers - offset) / spread, CROPS)
    for face in range(2):
        camera, weights = numbers[face, :12].reshape(3, 4), numbers[face, 12:]
        left, top, side = CROPS[face]
        for point in (0, 30, 67):
            shape = mean[point] + sum(weights[i] * basis[i, point] for i in range(50))
            x, y, z = camera @ [*shape, 1]
            expected = left + (x - 1) * side / 120, top + (120 - y) * side / 120, z * side / 120
            np.testing.assert_allclose(found[face, point], expected)


def test_an_annotated_box_gives_back_the_box_of_its_points() -> None:
    face = points()[..., :2]
    expected = np.concatenate([face.min(1), face.max(1)], axis=1)
    np.testing.assert_allclose(boxes_of_points(box_of_points(face)), expected)


class Seeing(SecondTeacher):
    """Sees the face that is really there in every crop, `off` pixels to the right of it, and notes the crops."""

    def __init__(self, face: np.ndarray, off: float) -> None:
        self.face, self.off = face, off
        self.crops: list[np.ndarray] = []

    def look(self, picture: np.ndarray, crops: np.ndarray) -> np.ndarray:
        self.crops.append(crops)
        mirrored = bool(picture[0, 0, 0])
        face = mirrored_back(self.face, picture.shape[1]) if mirrored else self.face
        return np.asarray(np.repeat(face, len(crops), axis=0) + np.array([self.off, 0, 0]))


def test_both_views_are_averaged_and_their_distance_is_told() -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[0, -1] = 1  # at the left of its mirror image
    face = points(1)
    teacher = Seeing(face, off=1.5)  # to the right in both views, so that they disagree by three pixels
    found, apart = teacher.label(picture, np.array([[0.0, 0, 40, 40]]))
    np.testing.assert_allclose(found[..., :2], face[..., :2])
    np.testing.assert_allclose(found[..., 2], face[..., 2] - face[..., 2].mean())
    size = np.sqrt(np.prod(face[0, :, :2].max(0) - face[0, :, :2].min(0)))
    assert apart[0] == pytest.approx(3 / size)
    box, *answers, last = teacher.crops
    np.testing.assert_allclose(box, crops_of(np.array([[[0.0, 0], [40, 40]]])))
    for crops in answers:  # every further crop is where the face was seen
        np.testing.assert_allclose(crops, crops_of(face + np.array([1.5, 0, 0])))
    np.testing.assert_allclose(last, mirrored_crops(answers[-1], WIDTH))


def test_faces_that_are_small_or_ignored_are_not_looked_at() -> None:
    boxes = np.array([[10, 10, 60, 60], [0, 0, 12, 12], [20, 20, 80, 80], [30, 30, 90, 90]], np.float32)
    labels = FaceLabels.of_boxes(np.array([1, 0, 0, 1]), boxes, np.array([0, 0, 1, 0]))
    images = np.zeros((2, 256, 256, 3), np.uint8)
    found, apart = label_set(Seeing(points(1), 0.0), labels, images, np.array([[WIDTH, HEIGHT]] * 2, np.float32))
    assert np.isfinite(found).all((1, 2)).tolist() == np.isfinite(apart).tolist() == [True, False, False, True]
    assert found.dtype == apart.dtype == np.float32


@pytest.mark.parametrize("missing", [second_teacher.NETWORK, second_teacher.POINTS])
def test_a_missing_file_is_named(missing: str, tmp_path: Path) -> None:
    for name in {second_teacher.NETWORK, second_teacher.POINTS} - {missing}:
        (tmp_path / name).touch()
    with pytest.raises(SystemExit, match=rf"{missing} is missing.*--second-teacher"):
        SecondTeacher(tmp_path)


def test_answers_are_read_beside_their_own_labels(tmp_path: Path) -> None:
    labels = FaceLabels.of_boxes(np.array([0, 1]), np.array([[0.0, 0, 9, 9], [1, 1, 8, 8]]), np.zeros(2))
    SecondAnswers(points(), np.array([0.01, np.nan])).save(tmp_path / "some.second.npz", labels)
    found = SecondAnswers.load(tmp_path / "some.second.npz", labels)
    np.testing.assert_array_equal(found.points, points())
    np.testing.assert_array_equal(found.apart, [0.01, np.nan])


def test_labels_of_another_pack_leave_older_answers_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first set is right, the second one is not: neither is written."""
    for name, picture in (("groups", 0), ("detected", 1)):
        np.save(tmp_path / f"{name}.npy", np.zeros((1, 432, 432, 3), np.uint8))
        np.save(tmp_path / f"{name}.sizes.npy", np.full((1, 2), 432, np.float32))
        np.save(tmp_path / f"{name}.names.npy", np.array(["a/1"]))
        labels = FaceLabels.of_boxes(np.array([picture]), np.array([[10.0, 10, 60, 60]]), np.zeros(1))
        labels.save(tmp_path / f"{name}.npz")
        (tmp_path / f"{name}.second.npz").write_bytes(b"earlier")
    monkeypatch.setattr(second_teacher, "SecondTeacher", lambda _: Seeing(points(1), 0.0))
    arguments = ["second_teacher", "--pack", str(tmp_path), "--labels", str(tmp_path), "--sets"]
    monkeypatch.setattr(sys, "argv", [*arguments, "groups", "detected"])
    with pytest.raises(SystemExit, match=r"detected\.npz has a face in picture 1, but only 1 pictures"):
        second_teacher.main()
    assert (tmp_path / "groups.second.npz").read_bytes() == b"earlier"
    monkeypatch.setattr(sys, "argv", [*arguments, "groups"])
    second_teacher.main()
    answers = SecondAnswers.load(tmp_path / "groups.second.npz", FaceLabels.load(tmp_path / "groups.npz"))
    assert np.isfinite(answers.apart).tolist() == [True]
