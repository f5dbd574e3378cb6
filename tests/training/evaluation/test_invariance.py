"""Movements of pictures, points and faces agree with each other; changes are measured as said."""

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from service.vision.face_model import FaceModel, project
from service.vision.rotation import euler_to_quaternion
from training.evaluation.invariance import (
    ASYMMETRIC_IDENTITY_MODES,
    MIRRORED_POINTS,
    MOVEMENTS,
    Faces,
    Movement,
    change,
    mirrored_names,
)

WIDTH, HEIGHT = 160, 120
NAMES = ("smile_L", "smile_R", "jawOpen", "jawLeft", "jawRight")
FACE_MODEL = FaceModel.load(Path(__file__).resolve().parents[3] / "models" / "face_model.npz")


@pytest.mark.parametrize("movement", MOVEMENTS, ids=lambda movement: movement.name)
def test_a_spot_in_the_picture_moves_where_the_points_say(movement: Movement) -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    for spot in (np.array([100.0, 70.0]), np.array([70.0, 50.0])):
        brightness = 200 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / 50)
        picture = np.repeat((114 + brightness / 2).round().astype(np.uint8)[..., None], 3, axis=2)
        weight = movement.picture(picture)[..., 0] - 114.0
        found = np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()
        np.testing.assert_allclose(found, movement.points(spot, WIDTH, HEIGHT), atol=0.1)


def test_turned_is_counter_clockwise_as_seen() -> None:
    right_of_centre = np.array([WIDTH / 2 + 10, HEIGHT / 2])
    np.testing.assert_allclose(
        Movement("", turn=90).points(right_of_centre, WIDTH, HEIGHT), [WIDTH / 2, HEIGHT / 2 - 10], atol=1e-9
    )


def test_mirror_image_of_the_picture_is_its_columns_reversed() -> None:
    picture = data.astronaut()[:HEIGHT, :WIDTH]
    np.testing.assert_array_equal(Movement("", mirror=True).picture(picture), picture[:, ::-1])


def test_nothing_moved_is_nothing_changed() -> None:
    picture = data.astronaut()[:HEIGHT, :WIDTH]
    np.testing.assert_array_equal(Movement("").picture(picture), picture)


@pytest.mark.parametrize("movement", MOVEMENTS, ids=lambda movement: movement.name)
def test_moved_coefficients_project_to_the_moved_landmarks(movement: Movement) -> None:
    """The face model is the judge: pose, identity and expression of the moved face draw the moved points."""
    rng = np.random.default_rng(1)
    identity, expression = rng.normal(size=50), rng.uniform(size=46) * 0.4
    quaternion = euler_to_quaternion(25, -10, 8)
    position, scale = np.array([0.3, -0.2, 0.0]), 4.0

    def landmarks(identity: np.ndarray, expression: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
        shape = FACE_MODEL.landmarks.shape(identity, expression)
        return project(shape, quaternion, position, np.asarray(scale), WIDTH, HEIGHT)

    expected = movement.landmarks(landmarks(identity, expression, quaternion), WIDTH, HEIGHT)
    drawn = landmarks(
        movement.identity(identity),
        movement.expression(expression, FACE_MODEL.expression_names),
        movement.quaternion(quaternion),
    )
    drawn, expected = drawn - drawn.mean(axis=0), expected - expected.mean(axis=0)  # place is the position's affair
    # The head's left and right are alike to a millimetre, not to the last digit.
    np.testing.assert_allclose(drawn * movement.scale, expected, atol=0.1 * scale * movement.scale)


def test_mirrored_points_and_names_come_back() -> None:
    np.testing.assert_array_equal(MIRRORED_POINTS[MIRRORED_POINTS], np.arange(68))
    np.testing.assert_array_equal(mirrored_names(NAMES), [1, 0, 2, 4, 3])


def people(count: int = 6) -> Faces:
    rng = np.random.default_rng(2)
    angles = rng.uniform(-20, 20, (3, count))
    return Faces(euler_to_quaternion(*angles), rng.normal(size=(count, 50)), rng.uniform(size=(count, len(NAMES))))


@pytest.mark.parametrize("movement", MOVEMENTS, ids=lambda movement: movement.name)
def test_a_perfect_answer_has_no_change(movement: Movement) -> None:
    before = people()
    after = Faces(
        movement.quaternion(before.quaternion),
        movement.identity(before.identity),
        movement.expression(before.expression, NAMES),
    )
    result = change(movement, before, after, before, NAMES)
    assert (result.identity, result.expression, result.lost) == (0, 0, 0)
    assert result.roll == pytest.approx(0, abs=1e-4)
    assert result.rotation == pytest.approx(0, abs=1e-4)


def test_changes_are_over_the_spread_between_people() -> None:
    before = people()
    turn = Movement("turned", turn=15)
    after = Faces(euler_to_quaternion(0, 0, np.full(2, 21.0)), before.identity[:2] + 0.3, before.expression[:2] - 0.1)
    upright = Faces(euler_to_quaternion(0, 0, np.full(2, 2.0)), before.identity[:2], before.expression[:2])
    result = change(turn, upright, after, before, NAMES)
    assert result.roll == pytest.approx(4)  # 21 where 2 + 15 was expected
    assert result.rotation == pytest.approx(4)
    assert result.identity == pytest.approx(0.3 / before.identity.std(axis=0).mean())
    assert result.expression == pytest.approx(0.1 / before.expression.std(axis=0).mean())
    assert (result.faces, result.lost) == (2, 4)


def test_roll_counts_round_the_circle() -> None:
    one = people(1)
    before = Faces(euler_to_quaternion(0, 0, np.array([175.0])), one.identity, one.expression)
    after = Faces(euler_to_quaternion(0, 0, np.array([-168.0])), one.identity, one.expression)
    assert change(Movement("", turn=15), before, after, one, NAMES).roll == pytest.approx(2)


def test_training_mirrors_in_the_same_way() -> None:
    pytest.importorskip("torch")
    from service.vision import mirroring
    from training.data import faces

    np.testing.assert_array_equal(MIRRORED_POINTS, faces.MIRRORED_POINTS)
    assert ASYMMETRIC_IDENTITY_MODES == mirroring.ASYMMETRIC_IDENTITY_MODES
    names = FACE_MODEL.expression_names
    np.testing.assert_array_equal(mirrored_names(names), mirroring.mirror_partners(names))
