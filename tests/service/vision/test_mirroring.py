from collections.abc import Mapping

import numpy as np
import pytest

from service.cli.avatar.mirror import mirror_quaternion
from service.inference.models import Models
from service.vision.arrays import Array, Pixels
from service.vision.decoding import Priors, decode_pose
from service.vision.face_model import project
from service.vision.mirroring import (
    GAZE_PARTNERS,
    MIRROR_YAW,
    is_turned,
    mirror_partners,
    mirrored_back,
    run_with_mirror,
)
from service.vision.rotation import euler_to_quaternion

# of the 68, the one that takes each one's place: jaw, brows, nose, eyes, outer and inner lips (iBUG's order)
MIRRORED_POINTS = [
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
]  # fmt: skip
NAMES = ("eyeBlink_L", "eyeBlink_R", "jawOpen", "mouthLeft", "mouthRight")


def raw_of(count: int, seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    sizes = {"pose": 7, "identity": 50, "expression": len(NAMES), "gaze": 8}
    return {name: rng.normal(0, 0.3, (count, size)).astype(np.float32) for name, size in sizes.items()}


def test_partners_exchange_sides() -> None:
    assert mirror_partners(NAMES).tolist() == [1, 0, 2, 4, 3]
    assert GAZE_PARTNERS.tolist() == [1, 0, 3, 2, 5, 4, 7, 6]


@pytest.mark.parametrize(
    ("yaw", "expected"), [(MIRROR_YAW - 1, False), (MIRROR_YAW + 1, True), (-MIRROR_YAW - 1, True)]
)
def test_heads_beyond_thirty_degrees_are_turned(yaw: float, expected: bool) -> None:
    assert is_turned(euler_to_quaternion([yaw], [20], [-40])).tolist() == [expected]


def test_the_mirror_images_of_mirror_images_are_the_answers() -> None:
    raw, pairs = raw_of(3), mirror_partners(NAMES)
    twice = mirrored_back(mirrored_back(raw, pairs), pairs)
    for name, values in raw.items():
        np.testing.assert_array_equal(twice[name], values)
    assert "gaze" not in mirrored_back({k: v for k, v in raw.items() if k != "gaze"}, pairs)


def test_a_pose_comes_back_as_that_of_the_picture() -> None:
    raw = raw_of(4)
    prior = Priors(np.full((4, 2), 64, np.float32), np.full((4, 2), 128, np.float32))
    mirrored = mirrored_back(raw, mirror_partners(NAMES))["pose"]
    seen, back = (decode_pose(pose, prior.centre, prior.scale) for pose in (raw["pose"], mirrored))
    np.testing.assert_allclose(back.quaternion, mirror_quaternion(seen.quaternion), atol=1e-6)
    np.testing.assert_allclose(back.origin, [128, 0] + seen.origin * [-1, 1], rtol=1e-5)
    np.testing.assert_array_equal(back.scale, seen.scale)


def test_coefficients_come_back_as_those_of_the_picture(models: Models) -> None:
    """Landmarks of the mirrored answers are the mirror image of the landmarks."""
    rng, face_model = np.random.default_rng(1), models.face_model
    raw = {
        "pose": rng.normal(0, 0.2, (5, 7)).astype(np.float32),
        "identity": rng.normal(0, 1, (5, 50)).astype(np.float32),
        "expression": rng.uniform(0, 1, (5, 46)).astype(np.float32),
    }
    prior = Priors(np.full((5, 2), 64, np.float32), np.full((5, 2), 128, np.float32))

    def points(answer: Mapping[str, Array]) -> Array:
        pose = decode_pose(answer["pose"], prior.centre, prior.scale)
        shape = face_model.landmarks.shape(answer["identity"], answer["expression"])
        offset = (pose.origin - 64) / pose.scale[:, None] * [1, -1]
        translation = np.concatenate([offset, np.zeros((5, 1))], axis=1).astype(np.float32)
        return project(shape, pose.quaternion, translation, pose.scale, 128, 128)

    back = points(mirrored_back(raw, mirror_partners(face_model.expression_names)))
    mirrored = (points(raw) * [-1, 1] + [128, 0])[:, MIRRORED_POINTS]
    extent = np.ptp(mirrored, axis=1).max()
    assert np.abs(back - mirrored).max() < 0.02 * extent  # the face model's vertices are symmetric to that


def test_only_what_is_looked_at_twice_is_averaged() -> None:
    """A network that tells the brightness of a crop's left half as the first of everything."""
    asked: list[int] = []

    def run(crops: Pixels) -> dict[str, Array]:
        asked.append(len(crops))
        left = crops[:, :, :2].mean((1, 2, 3)).astype(np.float32)
        raw = {name: np.zeros_like(values) for name, values in raw_of(len(crops)).items()}
        raw["expression"][:, 0], raw["pose"][:, 4] = left, left
        return raw

    crops = np.zeros((2, 4, 4, 3), np.uint8)
    crops[:, :, :2], crops[:, :, 2:] = 10, 30
    raw = run_with_mirror(run, crops, np.array([False, True]), mirror_partners(NAMES))
    assert asked == [3]
    assert raw["expression"].tolist() == [[10, 0, 0, 0, 0], [5, 15, 0, 0, 0]]  # the mirror image's left is the right
    assert raw["pose"][:, 4].tolist() == [10, (10 - 30) / 2]
    assert run_with_mirror(run, crops, np.zeros(2, bool), mirror_partners(NAMES))["expression"][:, 0].tolist() == [
        10,
        10,
    ]
    assert asked == [3, 2]
