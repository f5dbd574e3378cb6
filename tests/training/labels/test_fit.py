"""The fit finds faces again whose coefficients are known; the correction finds a known distortion."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from service.vision.face_model import FaceModel, project
from service.vision.rotation import euler_to_quaternion, quaternion_to_euler, quaternion_to_matrix
from training.labels.correction import Correction
from training.labels.fit import fit

MODEL = FaceModel.load(Path("models/face_model.npz"))
FACES = 24


def known_faces() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Coefficients, their points (N, 68, 2) and the points with depth as a teacher gives them (N, 68, 3)."""
    rng = np.random.default_rng(0)
    angles = rng.uniform([-40, -25, -40], [40, 25, 40], (FACES, 3)).T
    truth = {
        "angles": angles,
        "identity": rng.normal(size=(FACES, 50)) * 0.5,
        "expression": np.clip(rng.normal(size=(FACES, 46)) * 0.25, 0, 1),
        "scale": rng.uniform(3, 9, FACES),
    }
    quaternion = euler_to_quaternion(*angles)
    shape = MODEL.landmarks.shape(truth["identity"], truth["expression"])
    points = project(shape, quaternion, np.zeros((FACES, 3)), truth["scale"], 200, 200)
    turned = shape @ np.swapaxes(quaternion_to_matrix(quaternion), 1, 2)
    depth = -turned[..., 2] * truth["scale"][:, None]
    return truth, points, np.concatenate([points, depth[..., None]], -1)


def test_known_faces_are_found_again() -> None:
    truth, points, seen = known_faces()
    result = fit(MODEL, points, np.ones((FACES, 68)), truth["expression"], seen)
    assert result.error.max() < 0.006
    for found, angle in zip(quaternion_to_euler(result.quaternion), truth["angles"], strict=True):
        assert np.abs(found - angle).mean() < 2.5
    np.testing.assert_allclose(result.scale, truth["scale"], rtol=0.08)


def test_a_wrong_prior_gives_way_to_the_points_and_weights_stay_in_range() -> None:
    truth, points, seen = known_faces()
    mouth_open = MODEL.expression_names.index("jawOpen")
    prior = truth["expression"].copy()
    prior[:, mouth_open] = 0
    result = fit(MODEL, points, np.ones((FACES, 68)), prior, seen)
    wide = truth["expression"][:, mouth_open] > 0.3
    assert (result.expression[wide, mouth_open] > 0.1).all()
    assert result.expression.min() >= 0
    assert result.expression.max() <= 1


def test_points_without_weight_are_not_followed() -> None:
    truth, points, seen = known_faces()
    weight = np.ones((FACES, 68))
    weight[:, :5] = 0
    spoilt = points.copy()
    spoilt[:, :5] += 40
    result = fit(MODEL, spoilt, weight, truth["expression"], seen)
    assert result.error.max() < 0.006


def test_a_systematic_distortion_is_learned_and_undone() -> None:
    """Annotators who set the brows higher by a tenth of the eyes' distance, whatever the head's roll and size."""
    rng = np.random.default_rng(1)
    n = 300
    quaternion = euler_to_quaternion(rng.uniform(-20, 20, n), rng.uniform(-10, 10, n), rng.uniform(-40, 40, n))
    shape = MODEL.landmarks.shape(rng.normal(size=(n, 50)) * 0.5, np.clip(rng.normal(size=(n, 46)) * 0.2, 0, 1))
    raised = shape.copy()
    raised[:, 17:27, 1] += 0.6
    scale = rng.uniform(2, 9, n)
    flat = np.concatenate([project(shape, quaternion, np.zeros((n, 3)), scale, 0, 0), np.zeros((n, 68, 1))], -1)
    annotated = project(raised, quaternion, np.zeros((n, 3)), scale, 0, 0).astype(np.float64)
    correction = Correction.learn(flat[:250], annotated[:250])
    before = np.linalg.norm(flat[250:, 17:27, :2] - annotated[250:, 17:27], axis=-1) / scale[250:, None]
    after = np.linalg.norm(correction(flat[250:])[:, 17:27] - annotated[250:, 17:27], axis=-1) / scale[250:, None]
    assert before.mean() > 0.55
    assert after.mean() < 0.1
