import numpy as np
import pytest

from service.candidates import MAX_CANDIDATES, Candidates, Detections, Pose
from service.image import Picture
from service.views import EDGE_MARGIN, LARGEST_FACE, SMALLEST_FACE, View, pool

SIDE = 96


def candidates(score: list[float], box: list[float]) -> Candidates:
    n = len(score)
    pose = Pose(np.tile(np.float32([0, 0, 0, 1]), (n, 1)), np.tile(np.float32(box[:2]), (n, 1)), np.ones(n, np.float32))
    return Candidates(
        np.float32(score), np.tile(np.float32(box), (n, 1)), pose, np.zeros((n, 50), np.float32),
        np.zeros((n, 46), np.float32),
    )  # fmt: skip


@pytest.fixture
def picture() -> Picture:
    """200 x 100 pixels of a picture that was sent with twice as many each way; 115 is 200 / 1.75, rounded up."""
    return Picture(np.arange(200 * 100 * 3, dtype=np.uint32).reshape(100, 200, 3).astype(np.uint8), 400, 200)


def test_the_whole_picture_comes_first(picture: Picture) -> None:
    assert [view.window for view in View.of(picture, SIDE, 1, SIDE)] == [None]
    whole, left, right = View.of(picture, SIDE, 2, SIDE)
    assert whole.window is None
    assert left.window is not None
    assert right.window is not None
    assert (left.window.x, right.window.x, right.window.width, right.window.height) == (0, 85, 115, 100)


def test_corners_of_a_tile_come_to_lie_where_they_are_in_the_whole_picture(picture: Picture) -> None:
    """The whole picture is 96 x 48 in its square, 24 from the top: 0.48 for each decoded pixel."""
    _, _, right = View.of(picture, SIDE, 2, SIDE)
    x, y = right.letterbox.offset
    w, h = right.letterbox.content
    moved = right.to_whole(candidates([0.9], [x, y, x + w, y + h]))
    np.testing.assert_allclose(moved.box, [[85 * 0.48, 24, 96, 72]], rtol=1e-5)
    np.testing.assert_allclose(moved.pose.origin, [[85 * 0.48, 24]], rtol=1e-5)
    np.testing.assert_allclose(moved.pose.scale, [0.48 * 115 / 96], rtol=1e-5)


def test_only_cuts_through_the_picture_silence_a_tile(picture: Picture) -> None:
    _, left, right = View.of(picture, SIDE, 2, SIDE)
    at_left = [0, 30, 20, 50]
    at_right = [SIDE - EDGE_MARGIN - 20, 30, SIDE - EDGE_MARGIN + 1, 50]
    inside = [EDGE_MARGIN + 1, 0, SIDE - EDGE_MARGIN - 1, 96]  # past the picture's edges, above and below
    boxes = np.float32([at_left, at_right, inside])
    detections = Detections(np.arange(3), np.float32([0.9, 0.8, 0.7]), boxes)
    assert left.own(detections).index.tolist() == [0, 2]
    assert right.own(detections).index.tolist() == [1, 2]


def test_a_larger_square_comes_with_the_usual_one_for_large_faces(picture: Picture) -> None:
    large, usual = View.of(picture, 2 * SIDE, 1, SIDE)
    assert (large.window, large.letterbox.side, large.letterbox) == (None, 2 * SIDE, large.whole)
    assert (usual.window, usual.letterbox.side, usual.whole) == (None, SIDE, large.whole)
    assert usual.square(picture).shape == (SIDE, SIDE, 3)
    assert len(View.of(picture, SIDE // 2, 1, SIDE)) == 1
    assert [view.letterbox.side for view in View.of(picture, 2 * SIDE, 2, SIDE)] == [2 * SIDE, SIDE, 2 * SIDE, 2 * SIDE]


def test_the_usual_square_comes_to_lie_on_the_larger_one(picture: Picture) -> None:
    """The picture is 96 x 48 in the one, 24 from the top, and 192 x 96 in the other, 48 from the top."""
    _, usual = View.of(picture, 2 * SIDE, 1, SIDE)
    moved = usual.to_whole(candidates([0.9], [10, 30, 50, 70]))
    np.testing.assert_allclose(moved.box, [[20, 60, 100, 140]], rtol=1e-6)
    np.testing.assert_allclose(moved.pose.origin, [[20, 60]], rtol=1e-6)
    np.testing.assert_allclose(moved.pose.scale, [2], rtol=1e-6)


def test_each_square_tells_of_faces_whose_size_suits_it(picture: Picture) -> None:
    large, usual = View.of(picture, 2 * SIDE, 1, SIDE)
    heights = np.float32([SMALLEST_FACE - 1, SMALLEST_FACE, LARGEST_FACE - 1, LARGEST_FACE])
    boxes = np.stack([0 * heights, 0 * heights, heights, heights], axis=1)
    detections = Detections(np.arange(4), np.float32([0.9, 0.8, 0.7, 0.6]), boxes)
    assert large.own(detections).index.tolist() == [0, 1, 2]
    assert usual.own(detections).index.tolist() == [1, 2, 3]
    (only,) = View.of(picture, SIDE, 1, SIDE)
    assert only.own(detections).index.tolist() == [0, 1, 2, 3]


def test_the_pool_is_in_descending_score() -> None:
    pooled = pool(
        [candidates([0.9, 0.3], [0, 0, 1, 1]), candidates([0.8, 0.3, 0.2], [2, 2, 3, 3]), candidates([], [0] * 4)]
    )
    np.testing.assert_array_equal(pooled.score, np.float32([0.9, 0.8, 0.3, 0.3, 0.2]))
    assert pooled.box[:, 0].tolist() == [0, 2, 0, 2, 2]


def test_the_pool_is_bounded() -> None:
    many = candidates([0.5] * MAX_CANDIDATES, [0, 0, 1, 1])
    pooled = pool([many, candidates([0.9, 0.4], [0, 0, 1, 1])])
    assert len(pooled.score) == len(pooled.expression) == MAX_CANDIDATES
    assert pooled.score[0] == np.float32(0.9)
    assert pooled.score.min() == 0.5
