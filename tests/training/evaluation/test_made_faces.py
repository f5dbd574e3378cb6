"""Faces that are made to measure on: where they lie and how far they turn."""

from pathlib import Path

import numpy as np
import pytest

from service.vision.rotation import euler_to_quaternion
from training.evaluation.datasets import rendered, turned


def test_rendered_faces_have_the_height_and_lie_inside() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-5, 5, (68, 2)) * [0.8, 1]
    box = np.array([-4.0, -7, 4, 5])
    for _ in range(50):
        scale, origin = rendered.placed(points, box, rng)
        x1, y1, x2, y2 = np.tile(origin, 2) + scale * box
        assert 128 <= y2 - y1 <= 200
        assert min(x1, y1) >= -1e-9
        assert max(x2, y2) <= rendered.SIDE + 1e-9


def test_rendered_faces_too_wide_have_their_points_in_the_middle() -> None:
    points = np.array([[-20.0, -2], [30, 6]])
    scale, origin = rendered.placed(points, np.array([-26.0, -5, 36, 7]), np.random.default_rng(0))
    np.testing.assert_allclose((scale * points + origin).mean(axis=0)[0], rendered.SIDE / 2)


@pytest.mark.parametrize("yaw", [-85.0, -25, -5, 0, 8, 20, 50])
def test_faces_turn_further_away_only(yaw: float) -> None:
    rng = np.random.default_rng(0)
    for low, high in ((0.0, 30.0), (30.0, 60.0), (60.0, 90.0)):
        new = [turned.yaw_in_bin(yaw, low, high, 12, rng) for _ in range(30)]
        if high < abs(yaw) + 3:
            assert new == [None] * 30
            continue
        turns = np.array(new, float)
        assert (np.abs(turns) >= max(low, abs(yaw))).all()
        assert (np.abs(turns) <= high).all()
        assert len(np.unique(np.sign(turns))) == (1 if abs(yaw) > 12 else 2)
        if abs(yaw) > 12:
            assert np.sign(turns[0]) == np.sign(yaw)


def test_kept_faces_are_read_as_they_were_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, picture = tmp_path / "made.npz", np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.uint8)
    pose = euler_to_quaternion(np.array([70.0, -10]), np.zeros(2), np.zeros(2))
    landmarks, expression = np.random.default_rng(1).uniform(0, 8, (2, 68, 2)), np.full((2, 46), 0.25)
    np.savez(cache, picture=picture, landmarks=landmarks, quaternion=pose, expression=expression, name=["a", "b"])
    monkeypatch.setattr(rendered, "CACHE", cache)
    monkeypatch.setattr(turned, "CACHE", cache)
    archive = tmp_path / "photos.tar"
    archive.touch()  # must be there, but is not opened again
    first, second = rendered.read(archive)
    np.testing.assert_array_equal(second.read(), picture[1])
    np.testing.assert_array_equal(second.landmarks, landmarks[1:])
    assert first.expression is not None
    assert first.expression.shape == (1, 46)
    profile, front = turned.read(archive)
    assert (profile.name, front.name) == ("a", "b")
    assert profile.yaw is not None
    assert front.yaw is not None
    np.testing.assert_allclose([*profile.yaw, *front.yaw], [70, -10])
    np.testing.assert_array_equal(profile.quaternion, pose[:1])
