import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import map_coordinates

from service.inference.models import Models
from service.vision.arrays import Array
from service.vision.crops import CROP_SIDE, Crop, crop_around, crops_of, points_in_picture, turned_upright
from service.vision.face_model import project
from service.vision.image import Picture
from service.vision.letterbox import PAD_GREY
from service.vision.rotation import euler_to_quaternion, multiply, twist_angle
from tests.service.vision.faces import one_face

angles = st.floats(-170, 170)


def swing(angle: float, direction: float) -> Array:
    """A turn by an angle about an axis within the picture's plane, which points in this direction; degrees."""
    half, direction = np.radians([angle / 2, direction])
    return np.array([np.sin(half) * np.cos(direction), np.sin(half) * np.sin(direction), 0, np.cos(half)])


def test_positive_roll_is_turned_back_clockwise() -> None:
    """A head turned by 90 degrees counter-clockwise has its crown to the left; in the crop it is at the top."""
    crop = Crop(np.array([100.0, 100.0]), CROP_SIDE, 90)
    np.testing.assert_allclose(crop.to_picture(np.array([64.0, 0.0])), [36, 100], atol=1e-9)  # crop's top: left
    np.testing.assert_allclose(crop.to_picture(np.array([128.0, 64.0])), [100, 36], atol=1e-9)  # crop's right: up


@given(st.floats(0, 120), angles, angles)
def test_head_stands_upright_and_centred_in_its_crop(angle: float, direction: float, roll: float) -> None:
    shape = np.random.default_rng(0).normal(size=(68, 3)).astype(np.float32) * [5, 7, 4]
    quaternion = multiply(euler_to_quaternion(0, 0, roll), swing(angle, direction))
    points = project(shape, quaternion, np.array([3.0, -2.0, 0]), np.array(6.0), 640, 480)
    crop = crop_around(points, quaternion, 1.4)
    # The same head not turned within the picture, seen by the crop's own camera.
    upright = project(shape, swing(angle, direction), np.zeros(3), np.array(6.0), 0, 0)
    low, high = upright.min(axis=0), upright.max(axis=0)
    side = 1.4 * (high - low).max()
    inside = (upright - (low + high) / 2) * CROP_SIDE / side + CROP_SIDE / 2
    assert crop.side == pytest.approx(side, rel=1e-4)
    np.testing.assert_allclose(crop.to_picture(inside), points, atol=1e-2)


@pytest.mark.parametrize("yaw", [-95.0, -90.0, -85.0, 85.0, 90.0, 95.0])
def test_a_profile_stands_as_upright_as_a_front_face(yaw: float) -> None:
    """Near a yaw of 90 degrees roll follows the network's last digit; what is seen, and the crop, does not."""
    points = np.random.default_rng(0).normal(size=(68, 2))
    for angle, direction in [(0, 0), (3, 0), (3, 90), (3, 180), (3, -45)]:
        quaternion = multiply(swing(angle, direction), swing(yaw, 90))
        assert abs(crop_around(points, quaternion, 1.4).roll) < 4


@pytest.mark.parametrize(("side", "roll"), [(90.0, 0.0), (100.0, 35.0), (105.0, -120.0)])
def test_enlarged_crop_is_bilinear(side: float, roll: float) -> None:
    random = np.random.default_rng(1)
    pixels = np.asarray(
        Image.fromarray(random.integers(0, 256, (40, 50, 3), np.uint8)).resize((200, 160), Image.Resampling.BICUBIC)
    )
    crop = Crop(np.array([100.3, 80.6]), side, roll)
    sampled = crop.sample(Picture(pixels, 200, 160))
    y, x = np.mgrid[0:CROP_SIDE, 0:CROP_SIDE] + 0.5
    at = crop.to_picture(np.stack([x, y], axis=-1)) - 0.5
    for channel in range(3):
        plane = pixels[..., channel].astype(float)
        expected = map_coordinates(plane, [at[..., 1], at[..., 0]], order=1, mode="nearest")
        assert np.abs(sampled[..., channel] - expected).max() < 3


def test_shrunk_crop_does_not_alias() -> None:
    """A fine checkerboard becomes an even grey."""
    y, x = np.mgrid[0:1200, 0:1200]
    pixels = np.repeat((((x + y) % 2) * 255).astype(np.uint8)[..., None], 3, axis=-1)
    sampled = Crop(np.array([600.0, 600.0]), 800, 20).sample(Picture(pixels, 1200, 1200)).astype(int)
    assert np.abs(sampled - 128).max() < 12


@pytest.mark.parametrize("roll", [0.0, 40.0])
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_spot_is_found_where_the_crop_says(roll: float, factor: int) -> None:
    """Whether or not the picture was decoded at a fraction of its size."""
    y, x = np.mgrid[0 : 480 // factor, 0 : 640 // factor] + 0.5
    spot = 255 * np.exp(-((x - 300 / factor) ** 2 + (y - 200 / factor) ** 2) / (2 * (16 / factor) ** 2))
    pixels = np.repeat(spot.astype(np.uint8)[..., None], 3, axis=-1)
    crop = Crop(np.array([320.0, 220.0]), 300, roll)
    sampled = crop.sample(Picture(pixels, 640, 480))[..., 0].astype(float)
    y, x = np.mgrid[0:CROP_SIDE, 0:CROP_SIDE] + 0.5
    found = np.array([(sampled * x).sum(), (sampled * y).sum()]) / sampled.sum()
    np.testing.assert_allclose(crop.to_picture(found), [300, 200], atol=1)


def test_outside_of_the_picture_is_grey() -> None:
    picture = Picture(np.full((100, 100, 3), 255, np.uint8), 100, 100)
    assert (Crop(np.array([500.0, 500.0]), 90, 10).sample(picture) == PAD_GREY).all()
    half = Crop(np.array([0.0, 50.0]), 90, 0).sample(picture)
    assert (half[:, :60] == PAD_GREY).all()
    assert (half[:, 68:] == 255).all()


def test_a_crop_larger_than_everything_is_served() -> None:
    picture = Picture(np.full((3, 5, 3), 255, np.uint8), 5, 3)
    assert Crop(np.array([1e4, 1e4]), 1e6, 10).sample(picture).shape == (CROP_SIDE, CROP_SIDE, 3)


def test_crops_follow_the_landmarks(models: Models) -> None:
    faces = one_face(10, 5, 25)
    (crop,) = crops_of(faces, models.face_model, 640, 480, 1.4)
    assert crop.roll == pytest.approx(25, abs=1)  # a yaw and a pitch together turn a head a little within the picture
    assert crop.roll == pytest.approx(float(twist_angle(faces.quaternion[0])))
    points = faces.landmarks(models.face_model, 640, 480)[0]
    inside = turned_upright(points - crop.centre, crop.roll) * CROP_SIDE / crop.side + CROP_SIDE / 2
    extent = inside.max(axis=0) - inside.min(axis=0)
    np.testing.assert_allclose(inside.max(axis=0) + inside.min(axis=0), CROP_SIDE, atol=0.01)
    assert extent.max() == pytest.approx(CROP_SIDE / 1.4, rel=1e-4)


def test_points_of_several_crops_are_those_of_each() -> None:
    crops = [Crop(np.array([340.0, 250.0]), 200.0, 30.0), Crop(np.array([20.0, 10.0]), 64.0, -100.0)]
    points = np.array([[[0.0, 0], [64, 64], [128, 32]]])
    shared = points_in_picture(crops, points)
    own = points_in_picture(crops, points[0, [0, 2]])
    for i, crop in enumerate(crops):
        np.testing.assert_allclose(shared[i], crop.to_picture(points[0]))
        np.testing.assert_allclose(own[i], crop.to_picture(points[0, 2 * i]))
    np.testing.assert_allclose(shared[0, 1], [340, 250])
    assert points_in_picture([], points).shape == (0, 3, 2)
