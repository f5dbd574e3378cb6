"""Jaw vertices are found again on a made-up face whose jaw is known."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from service.vision.face_model import LinearShape  # noqa: E402
from service.vision.rotation import euler_to_quaternion, quaternion_to_matrix  # noqa: E402
from training.data.faces import MIRRORED_POINTS, FaceLabels  # noqa: E402
from training.labels.correction import INNER  # noqa: E402
from training.labels.jaw_vertices import (  # noqa: E402
    JAW,
    choose,
    frontal_by_hand,
    in_head_frame,
    mean_squares,
    mirrored_vertices,
    onto_inner,
)

HALF, MIDDLE = 300, 60  # vertices on each side, and between them
FACES = 40


@pytest.fixture(scope="module")
def surface() -> LinearShape:
    """Vertices in mirrored pairs and on the plane of symmetry, some centimetres apart, moved by random coefficients."""
    rng = np.random.default_rng(0)
    left = rng.uniform([-8, -9, -8], [-0.5, 9, 8], (HALF, 3))
    middle = rng.uniform([0, -9, -8], [0, 9, 8], (MIDDLE, 3))
    mean = np.concatenate([left, middle, left * [-1, 1, 1]])
    return LinearShape(mean, rng.normal(0, 0.1, (50, *mean.shape)), rng.normal(0, 0.3, (46, *mean.shape)))


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    """(68,) vertices, mirrored ones for the points of the two sides."""
    rng = np.random.default_rng(1)
    left, middle = iter(rng.permutation(HALF)), iter(HALF + rng.permutation(MIDDLE))
    chosen = np.full(68, -1)
    for point, partner in enumerate(MIRRORED_POINTS):
        if point == partner:
            chosen[point] = next(middle)
        elif chosen[point] < 0:
            chosen[point] = next(left)
            chosen[partner] = chosen[point] + HALF + MIDDLE
    return chosen


@pytest.fixture(scope="module")
def fits() -> FaceLabels:
    rng = np.random.default_rng(2)
    faces = FaceLabels.of_boxes(np.arange(FACES), np.zeros((FACES, 4)), np.zeros(FACES))
    faces.quaternion = torch.from_numpy(euler_to_quaternion(*rng.uniform(-12, 12, (3, FACES))))
    faces.scale = torch.from_numpy(rng.uniform(4, 9, FACES))
    faces.identity = torch.from_numpy(rng.normal(0, 1, (FACES, 50)))
    faces.expression = torch.from_numpy(rng.uniform(0, 0.3, (FACES, 46)))
    return faces


def seen(surface: LinearShape, landmarks: np.ndarray, fits: FaceLabels) -> np.ndarray:
    """(N, 68, 3) pixels, y down: the landmarks as another teacher would see them, who has heads turned by some degrees
    more, of another size and elsewhere, and is off by a millimetre."""
    rng = np.random.default_rng(3)
    points = np.zeros((FACES, 68, 3))
    for i in range(FACES):
        shape = surface.shape(fits.identity[i].numpy(), fits.expression[i].numpy())[landmarks]
        shape = shape + rng.normal(0, 0.1, shape.shape)
        turned = shape @ quaternion_to_matrix(fits.quaternion[i].numpy()).T
        turned = turned @ quaternion_to_matrix(euler_to_quaternion(*rng.uniform(-5, 5, 3))).T
        points[i] = turned * [1, -1, 1] * float(fits.scale[i]) * rng.uniform(0.9, 1.1) + rng.uniform(50, 200, 3)
    return points


def test_the_known_jaw_is_found_again(surface: LinearShape, landmarks: np.ndarray, fits: FaceLabels) -> None:
    squares = mean_squares(surface, landmarks, fits, seen(surface, landmarks, fits))
    assert choose(squares, surface.mean).tolist() == landmarks[JAW].tolist()
    assert np.sqrt(squares[range(17), landmarks[JAW]]).max() < 0.3  # cm; a millimetre an axis, and the alignment


def test_jaw_vertices_that_are_wrong_before_have_no_part_in_it(
    surface: LinearShape, landmarks: np.ndarray, fits: FaceLabels
) -> None:
    front = landmarks.copy()
    front[JAW] = landmarks[JAW][::-1]
    squares = mean_squares(surface, front, fits, seen(surface, landmarks, fits))
    assert choose(squares, surface.mean).tolist() == landmarks[JAW].tolist()


def test_a_vertex_must_do_for_both_sides() -> None:
    mean = np.array([[-1.0, 0, 0], [1, 0, 0], [-1, 1, 0], [1, 1, 0], [0, 0, 0], [0.3, 0, 0]])
    squares = np.full((17, 6), 9.0)
    squares[0] = [0, 9, 2, 9, 9, 9]  # alone the first point would be vertex 0, whose partner is far off
    squares[16] = [9, 9, 9, 2, 9, 9]
    squares[8] = [9, 9, 9, 9, 1, 0]
    chosen = choose(squares, mean)
    assert (chosen[0], chosen[16]) == (2, 3)
    assert chosen[8] == 4  # in the middle, though another is nearer


def test_mirror_images_are_each_other_s(surface: LinearShape) -> None:
    mirror = mirrored_vertices(surface.mean)
    assert (mirror[mirror] == np.arange(len(mirror))).all()
    np.testing.assert_allclose(surface.mean[mirror], surface.mean * [-1, 1, 1])


def test_points_are_turned_back_into_the_head_frame() -> None:
    quaternion = euler_to_quaternion(90, 0, 0)[None]  # looks to the image's right: its z axis is the camera's x
    points = np.zeros((1, 68, 3))
    points[0, 0] = [30, -12, 0]
    np.testing.assert_allclose(in_head_frame(points, quaternion, np.array([6.0]))[0, 0], [0, 2, 5], atol=1e-12)


def test_the_inner_points_alone_decide_how_a_face_is_moved() -> None:
    rng = np.random.default_rng(4)
    target = rng.normal(0, 5, (68, 3))
    moved = 0.7 * target @ quaternion_to_matrix(euler_to_quaternion(20, -30, 10)).T + [5, 6, 7]
    moved[JAW] += 3
    np.testing.assert_allclose(onto_inner(moved, target)[INNER], target[INNER], atol=1e-9)
    assert np.abs(onto_inner(moved, target)[JAW] - target[JAW]).min() > 0.1


def test_only_frontal_well_fitted_hand_annotated_faces_count() -> None:
    faces = FaceLabels.of_boxes(np.array([0, 0, 0, 0, 0, 1, 2]), np.zeros((7, 4)), np.zeros(7))
    faces.fitted[:] = torch.tensor([1, 0.5, 1, 1, 1, 1, 1])
    yaw = np.array([3.0, 0, -20, 0, 0, 0, 0])
    faces.quaternion = torch.from_numpy(euler_to_quaternion(yaw, np.zeros(7), np.zeros(7)))
    apart = np.array([0.01, 0.01, 0.01, 0.05, np.nan, 0.01, 0.01])
    names = np.array(["landmarks_train/helen/a.webp", "landmarks_train/facesynthetics/b.webp", "faces_approx/c.webp"])
    assert frontal_by_hand(faces, names, apart).tolist() == [True] + 6 * [False]
