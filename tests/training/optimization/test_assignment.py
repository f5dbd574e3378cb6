"""Who is responsible for which face, on a grid small enough to count by hand."""

import math

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from training.networks.decoding import priors_of  # noqa: E402
from training.networks.outputs import Level  # noqa: E402
from training.optimization.assignment import Assignment  # noqa: E402
from training.scripts.train_mfn import strides_of  # noqa: E402

LEVELS = (Level(8, ((14, 14),)), Level(16, ((36, 36),)))
PRIORS, STRIDES = priors_of(LEVELS, 64), strides_of(LEVELS, 64, "cpu")
FINE = 8 * 8  # priors of the first level


def assign(*boxes: list[float], rule: Assignment | None = None) -> Tensor:
    given = torch.tensor([list(boxes)])
    return (rule or Assignment())(given, torch.ones(1, len(boxes), dtype=torch.bool), PRIORS, STRIDES)[0]


def test_a_small_face_goes_to_the_cells_around_its_centre_on_the_fine_grid() -> None:
    taken = (assign([18, 18, 30, 30]) == 0).nonzero()[:, 0]  # centre 24, 24: a corner of four cells
    assert sorted(taken.tolist()) == [2 * 8 + 2, 2 * 8 + 3, 3 * 8 + 2, 3 * 8 + 3]


def test_a_face_between_two_sizes_goes_to_both_grids() -> None:
    taken = (assign([10, 10, 33, 33]) == 0).nonzero()[:, 0]  # 23 pixels: within 1.8 of 14 and of 36
    assert (taken < FINE).any()
    assert (taken >= FINE).any()


def test_the_smallest_face_still_has_its_own_cell() -> None:
    taken = (assign([19, 19, 21, 21]) == 0).nonzero()[:, 0]
    assert taken.tolist() == [2 * 8 + 2]


def test_a_cell_between_two_faces_takes_the_nearer() -> None:
    assigned = assign([12, 12, 28, 28], [20, 12, 36, 28])
    assert assigned[2 * 8 + 2] == 0
    assert assigned[2 * 8 + 3] == 1


def test_absent_faces_take_nothing() -> None:
    boxes = torch.tensor([[[18.0, 18, 30, 30]]])
    assert (Assignment()(boxes, torch.zeros(1, 1, dtype=torch.bool), PRIORS, STRIDES) == -1).all()


@pytest.mark.parametrize(("size", "cells"), [(288, 1), (416, 1), (576, 4)])
def test_a_face_as_large_as_the_input_goes_to_the_coarse_cells_around_its_centre(size: int, cells: int) -> None:
    """The largest prior is the nearest to it in size, however far: it has as many as any other face on that grid."""
    levels = (*LEVELS, Level(32, ((110, 110),)))
    priors, strides = priors_of(levels, size), strides_of(levels, size, "cpu")
    box = torch.tensor([[[0.02, 0.02, 0.98, 0.98]]]) * size
    taken = Assignment()(box, torch.ones(1, 1, dtype=torch.bool), priors, strides)[0] == 0
    assert set(strides[taken].tolist()) == {32}
    assert (priors[taken, :2] - size / 2).abs().max() < 32
    assert int(taken.sum()) == cells  # the centre lies in the middle of one cell, or between four
    assert math.log(size / 110) < 4  # a box that decode_boxes reaches


def test_the_strict_rule_is_one_prior_a_face() -> None:
    assigned = assign([17, 17, 33, 33], rule=Assignment(tolerance=1.0, reach=0.5))
    assert int((assigned == 0).sum()) == 1
