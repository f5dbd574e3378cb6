"""Training and serving decode alike, and landmarks are the product's own."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from service.vision.face_model import FaceModel, project  # noqa: E402
from training.networks.decoding import Landmarks, Pose, decode_boxes, decode_pose, priors_of  # noqa: E402
from training.networks.mfn import MFN  # noqa: E402
from training.networks.outputs import Level  # noqa: E402

RNG = np.random.default_rng(0)


def test_priors_by_hand() -> None:
    levels = (Level(32, ((10, 20), (30, 30))), Level(64, ((50, 50),)))
    priors = priors_of(levels, 64)
    assert priors.tolist() == [
        [16, 16, 10, 20],
        [16, 16, 30, 30],
        [48, 16, 10, 20],
        [48, 16, 30, 30],
        [16, 48, 10, 20],
        [16, 48, 30, 30],
        [48, 48, 10, 20],
        [48, 48, 30, 30],
        [32, 32, 50, 50],
    ]


def test_default_network_has_a_prior_for_every_output() -> None:
    outputs = MFN().eval()(torch.zeros(1, 3, 288, 288))
    assert outputs.detection.shape == (1, len(priors_of(MFN.levels, 288)), 5)


def test_boxes_by_hand() -> None:
    prior = torch.tensor([[100.0, 50, 40, 20]])
    detection = torch.tensor([[0.5, -0.5, np.log(2), 0, 3]], dtype=torch.float32)
    torch.testing.assert_close(decode_boxes(detection, prior), torch.tensor([[80.0, 30, 160, 50]]))


def test_serving_decodes_the_same_pose() -> None:
    from service.vision import decoding

    raw = RNG.normal(size=(5, 7)).astype(np.float32)
    prior = RNG.uniform(10, 100, (5, 4)).astype(np.float32)
    ours = decode_pose(torch.from_numpy(raw), torch.from_numpy(prior))
    priors = decoding.Priors(centre=prior[:, :2], size=prior[:, 2:])
    theirs = decoding.decode_pose(raw, priors.centre, priors.scale)
    sign = np.sign(ours.quaternion.numpy()[:, 3:])
    np.testing.assert_allclose(ours.quaternion.numpy() * sign, theirs.quaternion, atol=1e-5)
    np.testing.assert_allclose(ours.origin, theirs.origin, rtol=1e-5)
    np.testing.assert_allclose(ours.scale, theirs.scale, rtol=1e-5)


def test_landmarks_are_the_product_s() -> None:
    model = FaceModel.load(Path("models/face_model.npz"))
    w_id = RNG.normal(size=(3, 50)).astype(np.float32)
    w_exp = RNG.random((3, 46)).astype(np.float32)
    quaternion = RNG.normal(size=(3, 4)).astype(np.float32)
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    scale = np.array([2, 3, 4], np.float32)
    origin = np.array([[60, 20], [10, 90], [50, 50]], np.float32)
    ours = Landmarks(model)(
        Pose(*map(torch.from_numpy, (quaternion, origin, scale))), torch.from_numpy(w_id), torch.from_numpy(w_exp)
    )
    translation = np.zeros((3, 3), np.float32)
    translation[:, :2] = (origin - [50, 40]) * [1, -1] / scale[:, None]
    theirs = project(model.landmarks.shape(w_id, w_exp), quaternion, translation, scale, 100, 80)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
