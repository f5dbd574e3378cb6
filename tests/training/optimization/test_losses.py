"""Losses at points where their value is known."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from training.data.faces import FaceLabels  # noqa: E402
from training.networks.decoding import Landmarks, Pose  # noqa: E402
from training.optimization.losses import (  # noqa: E402
    EYE_WEIGHT,
    LANDMARK_WEIGHT,
    LID_WEIGHT,
    CoefficientLoss,
    box_loss,
    gaze_loss,
    score_loss,
    spread_of_known,
)

LANDMARKS = Landmarks.load(Path("models/face_model.npz"))


def test_boxes_apart_together_and_within() -> None:
    target = torch.tensor([[0.0, 0, 2, 2]]).expand(3, 4)
    predicted = torch.tensor([[0.0, 0, 2, 2], [2, 0, 4, 2], [0, 0, 1, 2]])
    loss, iou = box_loss(predicted, target)
    torch.testing.assert_close(iou, torch.tensor([1.0, 0, 0.5]))
    torch.testing.assert_close(loss, torch.tensor([0.0, 1, 0.5]))  # side by side fill their hull: no further penalty


def test_boxes_far_apart_cost_more() -> None:
    loss, _ = box_loss(torch.tensor([[6.0, 0, 8, 2]]), torch.tensor([[0.0, 0, 2, 2]]))
    assert float(loss) == pytest.approx(1 + 8 / 16)  # union 8 of a hull of 16


def test_a_sure_and_right_score_costs_nothing_and_ignored_priors_never_do() -> None:
    logits = torch.tensor([[20.0, -20.0, 20.0]])
    target = torch.tensor([[1.0, 0.0, 0.0]])
    assert float(score_loss(logits, target, torch.tensor([[1.0, 1, 0]]))) == pytest.approx(0, abs=1e-6)
    assert float(score_loss(logits, target, torch.ones(1, 3))) == pytest.approx(20, rel=1e-3)


def face() -> tuple[FaceLabels, Pose]:
    labels = FaceLabels.of_boxes(*(torch.tensor(x).numpy() for x in ([0], [[0.0, 0, 50, 50]], [0.0])))
    labels.scale[:] = 5
    labels.fitted[:] = 1
    labels.expression[:] = 0.1
    labels.point_weight[:] = 1
    pose = Pose(labels.quaternion, labels.origin, labels.scale)
    labels.points = LANDMARKS(pose, labels.identity, labels.expression)
    return labels, pose


def test_the_truth_costs_nothing_and_its_opposite_quaternion_neither() -> None:
    labels, pose = face()
    loss = CoefficientLoss(LANDMARKS, torch.full((46,), 0.1))
    pose.quaternion = -pose.quaternion
    terms = loss(pose, labels.identity, labels.expression, labels, coefficient_weight=1.0)
    assert sum(float(term) for term in terms.values()) == pytest.approx(0, abs=1e-2)


def test_landmarks_a_tenth_of_the_face_away_cost_a_tenth() -> None:
    labels, pose = face()
    extent = (labels.points.amax(1) - labels.points.amin(1))[0]
    pose.origin = pose.origin + torch.tensor([0.1, 0.0]) * extent.prod().sqrt()
    terms = CoefficientLoss(LANDMARKS, torch.full((46,), 0.1))(
        pose, labels.identity, labels.expression, labels, coefficient_weight=1.0
    )
    assert float(terms["landmarks"]) == pytest.approx(0.1 * LANDMARK_WEIGHT, rel=1e-3)


def test_unfitted_faces_do_not_count() -> None:
    labels, pose = face()
    labels.fitted[:] = 0
    terms = CoefficientLoss(LANDMARKS, torch.full((46,), 0.1))(
        pose, labels.identity + 3, labels.expression, labels, coefficient_weight=1.0
    )
    assert sum(float(term) for term in terms.values()) == 0


def test_lids_count_by_how_far_they_are_open_not_by_where_they_are() -> None:
    labels, pose = face()
    loss = CoefficientLoss(LANDMARKS, torch.full((46,), 0.1), torch.zeros(46))
    size = (labels.points.amax(1) - labels.points.amin(1))[0].prod().sqrt()
    pose.origin = pose.origin + 3
    moved = loss(pose, labels.identity, labels.expression, labels, coefficient_weight=1.0)
    assert float(moved["lids"]) == pytest.approx(0, abs=1e-3)
    labels.points[:, 37, 1] -= 0.04 * size  # one of four openings, wider by a twenty-fifth of the face
    wider = loss(pose, labels.identity, labels.expression, labels, coefficient_weight=1.0)
    assert float(wider["lids"]) == pytest.approx(LID_WEIGHT * 0.01, rel=0.02)
    labels.point_weight[:, 41] = 0  # its other lid is not to be trusted
    unsure = loss(pose, labels.identity, labels.expression, labels, coefficient_weight=1.0)
    assert float(unsure["lids"]) == pytest.approx(0, abs=1e-3)


def test_the_eyes_coefficients_count_more_where_they_are_named() -> None:
    labels, pose = face()
    expression = labels.expression.clone()
    expression[:, 3] += 0.1
    eyes = torch.zeros(46)
    eyes[3] = 1
    plain = CoefficientLoss(LANDMARKS, torch.full((46,), 0.1))
    emphasised = CoefficientLoss(LANDMARKS, torch.full((46,), 0.1), eyes)
    error, more = (
        float(loss(pose, labels.identity, expression, labels, coefficient_weight=1.0)["expression"])
        for loss in (plain, emphasised)
    )
    assert more == pytest.approx(EYE_WEIGHT * error)


def test_gaze_is_squared_up_to_two_spreads_and_linear_beyond() -> None:
    spread = torch.full((8,), 0.1)
    for off, expected in ((0.0, 0.0), (0.1, 0.5), (0.2, 2.0), (0.4, 6.0)):  # 0, 1, 2 and 4 spreads
        loss = gaze_loss(torch.full((3, 8), 0.3), torch.full((3, 8), 0.3 + off), spread)
        assert float(loss) == pytest.approx(expected, abs=1e-5)


def test_unknown_gaze_costs_nothing_and_gives_no_gradient() -> None:
    unknown, spread = torch.full((1, 8), torch.nan), torch.full((8,), 0.1)
    gaze = torch.rand(2, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    target = torch.cat([torch.zeros(1, 8), unknown])
    loss = gaze_loss(gaze, target, spread)
    torch.testing.assert_close(loss, gaze_loss(gaze[:1], target[:1], spread))
    loss.backward()
    assert bool(gaze.grad[0].all())
    assert not gaze.grad[1].any()
    assert not gaze_loss(gaze, unknown.expand(2, 8), spread)


def test_the_spread_of_gaze_is_that_of_the_rows_that_are_known() -> None:
    known = torch.rand(50, 8, generator=torch.Generator().manual_seed(1))
    unknown = torch.full((5, 8), torch.nan)
    torch.testing.assert_close(spread_of_known(torch.cat([known, unknown])), known.std(0))
    torch.testing.assert_close(spread_of_known(unknown), torch.ones(8))
