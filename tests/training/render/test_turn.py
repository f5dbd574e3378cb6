"""A ball with a coloured nose stands in for the head: where everything must go can be computed by hand."""

import numpy as np
import pytest

from service.vision.face_model import LinearShape
from service.vision.rotation import euler_to_quaternion, quaternion_to_euler
from training.render.head import FACE, Head, Pose

pytest.importorskip("cv2", reason="turning photos needs OpenCV, which the training extra brings")

from training.render.turn import turn_in_depth
from training.render.turned import LEAST_TURN, YAW, new_angles

RADIUS, SIZE = 8.0, 160
UPRIGHT = Pose(euler_to_quaternion(0, 0, 0), np.array([SIZE / 2, SIZE / 2]), 5.0)


@pytest.fixture(scope="module")
def ball() -> Head:
    rings, around = 60, 90
    polar, angle = np.meshgrid(np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, around), indexing="ij")
    points = RADIUS * np.stack([np.sin(polar) * np.sin(angle), np.cos(polar), np.sin(polar) * np.cos(angle)], axis=-1)
    corner = (np.arange(rings - 1)[:, None] * around + np.arange(around - 1)).ravel()
    triangles = np.concatenate(
        [
            np.stack([corner, corner + around, corner + 1], axis=1),
            np.stack([corner + 1, corner + around, corner + around + 1], axis=1),
        ]
    )
    nothing = np.zeros((1, rings * around, 3), np.float32)
    surface = LinearShape(points.reshape(-1, 3).astype(np.float32), nothing, nothing)
    return Head(surface, triangles, np.full(len(triangles), FACE, np.uint8), np.zeros(68, int), (), nothing)


def photo_of(nose: tuple[float, float]) -> np.ndarray:
    """A grey ball before a blue wall with a red spot at a pixel."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    photo = np.full((SIZE, SIZE, 3), (30, 40, 160), np.uint8)
    photo[(x - SIZE / 2) ** 2 + (y - SIZE / 2) ** 2 < (5 * RADIUS) ** 2] = 120
    photo[(x - nose[0]) ** 2 + (y - nose[1]) ** 2 < 16] = (255, 0, 0)
    return photo


def red_spot(picture: np.ndarray) -> np.ndarray:
    red = picture[..., 0].astype(int) - picture[..., 1] > 100
    return np.asarray(np.argwhere(red).mean(0)[::-1] + 0.5)


def test_an_unturned_head_keeps_its_photo(ball: Head) -> None:
    photo = photo_of((SIZE / 2, SIZE / 2))
    same = turn_in_depth(photo, ball, ball.surface.mean, UPRIGHT, UPRIGHT, SIZE)
    assert np.abs(same.astype(int) - photo).mean() < 2


@pytest.mark.parametrize(("yaw", "pitch"), [(40, 0), (-60, 0), (20, 25)])
def test_the_nose_goes_where_it_projects(ball: Head, yaw: float, pitch: float) -> None:
    turned = Pose(euler_to_quaternion(yaw, pitch, 0), UPRIGHT.origin, UPRIGHT.scale)
    picture = turn_in_depth(photo_of((SIZE / 2, SIZE / 2)), ball, ball.surface.mean, UPRIGHT, turned, SIZE)
    expected = turned.pixels(turned.turn(np.array([[0, 0, RADIUS]])))[0, :2]
    np.testing.assert_allclose(red_spot(picture), expected, atol=1.0)
    assert np.sign(expected[0] - SIZE / 2) == np.sign(yaw)


def test_the_crop_may_have_another_scale_and_place(ball: Head) -> None:
    turned = Pose(UPRIGHT.quaternion, np.array([40.0, 60]), 2.5)
    picture = turn_in_depth(photo_of((SIZE / 2, SIZE / 2)), ball, ball.surface.mean, UPRIGHT, turned, 96)
    assert picture.shape == (96, 96, 3)
    np.testing.assert_allclose(red_spot(picture), [40, 60], atol=0.7)


def test_far_background_stays_and_nothing_is_left_empty(ball: Head) -> None:
    turned = Pose(euler_to_quaternion(80, 0, 0), UPRIGHT.origin, UPRIGHT.scale)
    picture = turn_in_depth(photo_of((SIZE / 2, SIZE / 2)), ball, ball.surface.mean, UPRIGHT, turned, SIZE)
    assert (picture[:8] == (30, 40, 160)).all()
    assert (picture.max(-1) > 60).all()


def test_heads_turn_further_away_only() -> None:
    rng = np.random.default_rng(4)
    for yaw in (-70.0, -30, -15, 15, 30, 70):
        for _ in range(50):
            turned, pitch, roll = new_angles(yaw, 5, -10, rng)
            assert turned * yaw > 0
            assert min(YAW[1], max(YAW[0], abs(yaw) + LEAST_TURN)) <= abs(turned) <= YAW[1]
            np.testing.assert_allclose(
                quaternion_to_euler(euler_to_quaternion(turned, pitch, roll)), (turned, pitch, roll), atol=1e-6
            )


def test_an_edited_shape_takes_the_photo_along(ball: Head) -> None:
    """The ball's front is moved 2 cm to the image's right and 1 cm up: so is the spot on it."""
    mean = ball.surface.mean
    weight = np.exp(-((mean - [0, 0, RADIUS]) ** 2).sum(1) / 18)[:, None]
    edited = (mean + weight * np.array([2, 1, 0])).astype(np.float32)
    picture = turn_in_depth(photo_of((SIZE / 2, SIZE / 2)), ball, mean, UPRIGHT, UPRIGHT, SIZE, edited)
    np.testing.assert_allclose(red_spot(picture), [SIZE / 2 + 10, SIZE / 2 - 5], atol=1.5)
