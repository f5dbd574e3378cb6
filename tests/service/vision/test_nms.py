import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.vision.nms import iou, suppress


def test_iou_by_hand() -> None:
    box = np.array([0, 0, 10, 10], np.float32)
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 10, 20, 20], [2, 2, 4, 4], [5, 5, 5, 5]], np.float32)
    np.testing.assert_allclose(iou(box[None], boxes), [[1, 1 / 3, 0, 0.04, 0]], rtol=1e-6)


def test_iou_of_two_points_is_no_division_by_zero() -> None:
    point = np.array([3, 3, 3, 3], np.float32)
    np.testing.assert_array_equal(iou(point[None], point[None]), [[0]])


@given(st.integers(0, 2**32 - 1), st.integers(0, 150), st.floats(0.1, 0.9), st.integers(1, 50))
def test_agrees_with_the_quadratic_loop(seed: int, count: int, max_iou: float, limit: int) -> None:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 90, (count, 2))
    boxes = np.concatenate([corner, corner + random.uniform(1, 40, (count, 2))], axis=1).astype(np.float32)
    kept: list[int] = []
    for i, (x1, y1, x2, y2) in enumerate(boxes.astype(float)):
        for j in kept:
            a1, b1, a2, b2 = boxes[j].astype(float)
            both = max(0.0, min(x2, a2) - max(x1, a1)) * max(0.0, min(y2, b2) - max(y1, b1))
            if both / ((x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - both) > max_iou:
                break
        else:
            kept.append(i)
    assert suppress(boxes, max_iou, limit).best.tolist() == kept[:limit]


def test_nothing_from_nothing() -> None:
    groups = suppress(np.zeros((0, 4), np.float32), 0.5, 10)
    assert (groups.best.tolist(), groups.member.tolist()) == ([], [])


ROW = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10], [0, 1, 10, 11], [29, 0, 39, 10], [60, 0, 70, 10]])


def test_each_box_belongs_to_the_one_that_suppressed_it() -> None:
    groups = suppress(ROW, 0.5, 10)
    assert groups.best.tolist() == [0, 2, 5]
    assert groups.member.tolist() == [0, 0, 1, 0, 1, 2]


def test_a_box_without_area_stays_and_is_of_its_own_group() -> None:
    groups = suppress(np.array([[3, 3, 3, 9], [3, 3, 3, 9], [0, 0, 6, 9]], np.float32), 0.5, 10)
    assert (groups.best.tolist(), groups.member.tolist()) == ([0, 1, 2], [0, 1, 2])


def test_beyond_the_limit_boxes_belong_to_none() -> None:
    groups = suppress(ROW, 0.5, 1)
    assert groups.best.tolist() == [0]
    assert groups.member.tolist() == [0, 0, -1, 0, -1, -1]


def test_boxes_that_are_not_eligible_join_but_never_stay() -> None:
    groups = suppress(ROW, 0.5, 10, eligible=3)
    assert groups.best.tolist() == [0, 2]
    assert groups.member.tolist() == [0, 0, 1, 0, 1, -1]


@given(st.integers(0, 2**32 - 1), st.integers(0, 150), st.integers(1, 50), st.integers(0, 150))
def test_members_overlap_the_box_they_belong_to_and_no_better_one(
    seed: int, count: int, limit: int, eligible: int
) -> None:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 60, (count, 2))
    boxes = np.concatenate([corner, corner + random.uniform(1, 40, (count, 2))], axis=1).astype(np.float32)
    groups = suppress(boxes, 0.4, limit, eligible)
    assert all(i < eligible for i in groups.best)
    overlaps = iou(boxes, boxes[groups.best]) > 0.4
    for i, row in enumerate(groups.member):
        if i in groups.best:
            assert groups.best[row] == i
        elif row < 0:
            assert len(groups.best) == limit or not overlaps[i].any()
        else:  # the first, and so the best, of those that it overlaps
            assert row == overlaps[i].argmax()
            assert overlaps[i, row]
