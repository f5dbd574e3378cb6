import numpy as np
import pytest

from service.vision.decoding import MAX_CANDIDATES, Candidates, Detections, Pose
from service.vision.image import Picture
from service.vision.tiling import EDGE_MARGIN, MAX_ENLARGED_HEIGHT, MIN_USUAL_HEIGHT, Tile, concat_candidates

SIDE = 96


def candidates(score: list[float], box: list[float]) -> Candidates:
    n = len(score)
    pose = Pose(
        np.tile(np.array([0, 0, 0, 1], np.float32), (n, 1)),
        np.tile(np.array(box[:2], np.float32), (n, 1)),
        np.ones(n, np.float32),
    )
    return Candidates(
        np.array(score, np.float32), np.tile(np.array(box, np.float32), (n, 1)), pose, np.zeros((n, 50), np.float32),
        np.zeros((n, 46), np.float32),
    )  # fmt: skip


@pytest.fixture
def picture() -> Picture:
    """200 x 100 pixels of a picture that was sent with twice as many each way; 115 is 200 / 1.75, rounded up."""
    return Picture(np.arange(200 * 100 * 3, dtype=np.uint32).reshape(100, 200, 3).astype(np.uint8), 400, 200)


def test_the_whole_picture_comes_first(picture: Picture) -> None:
    assert [view.window for view in Tile.of(picture, SIDE, 1, SIDE)] == [None]
    whole, left, right = Tile.of(picture, SIDE, 2, SIDE)
    assert whole.window is None
    assert left.window is not None
    assert right.window is not None
    assert (left.window.x, right.window.x, right.window.width, right.window.height) == (0, 85, 115, 100)


def test_corners_of_a_tile_come_to_lie_where_they_are_in_the_whole_picture(picture: Picture) -> None:
    """The whole picture is 96 x 48 in its square, 24 from the top: 0.48 for each decoded pixel."""
    _, _, right = Tile.of(picture, SIDE, 2, SIDE)
    x, y = right.letterbox.offset
    w, h = right.letterbox.content
    moved = right.to_whole(candidates([0.9], [x, y, x + w, y + h]))
    np.testing.assert_allclose(moved.box, [[85 * 0.48, 24, 96, 72]], rtol=1e-5)
    np.testing.assert_allclose(moved.pose.origin, [[85 * 0.48, 24]], rtol=1e-5)
    np.testing.assert_allclose(moved.pose.scale, [0.48 * 115 / 96], rtol=1e-5)


def test_only_cuts_through_the_picture_silence_a_tile(picture: Picture) -> None:
    _, left, right = Tile.of(picture, SIDE, 2, SIDE)
    at_left = [0, 30, 20, 50]
    at_right = [SIDE - EDGE_MARGIN - 20, 30, SIDE - EDGE_MARGIN + 1, 50]
    inside = [EDGE_MARGIN + 1, 0, SIDE - EDGE_MARGIN - 1, 96]  # past the picture's edges, above and below
    boxes = np.array([at_left, at_right, inside], np.float32)
    detections = Detections(np.arange(3), np.array([0.9, 0.8, 0.7], np.float32), boxes)
    assert left.drop_cut_boxes(detections).index.tolist() == [0, 2]
    assert right.drop_cut_boxes(detections).index.tolist() == [1, 2]


def heights(view: Tile, *boxes: float) -> list[int]:
    """Which boxes of these heights, in the middle of the view's square, count in it."""
    middle = view.letterbox.side / 2
    rows = [[middle - 1, middle - h / 2, middle + 1, middle + h / 2] for h in boxes]
    detections = Detections(np.arange(len(rows)), np.ones(len(rows), np.float32), np.array(rows, np.float32))
    index: list[int] = view.drop_cut_boxes(detections).index.tolist()
    return index


@pytest.mark.parametrize("tiles", [1, 2])
def test_one_size_shows_faces_of_all_sizes(picture: Picture, tiles: int) -> None:
    """So does a size that is smaller than the usual one."""
    for side in (576, 288):
        views = Tile.of(picture, side, tiles, 576)
        assert {view.letterbox.side for view in views} == {side}
        assert all(heights(view, 1, 10, 300) == [0, 1, 2] for view in views if view.window is None)


def test_a_larger_size_shows_small_faces_and_the_usual_one_large_ones(picture: Picture) -> None:
    large, usual = Tile.of(picture, 576, 1, 288)
    assert (large.letterbox.side, usual.letterbox.side) == (576, 288)
    assert heights(large, 1, MAX_ENLARGED_HEIGHT - 1, MAX_ENLARGED_HEIGHT + 1) == [0, 1]
    assert heights(usual, MIN_USUAL_HEIGHT - 1, MIN_USUAL_HEIGHT + 1, 288) == [1, 2]
    *tiles, whole = Tile.of(picture, 576, 2, 288)[1:]
    assert [tile.letterbox.side for tile in tiles] == [576, 576]
    assert heights(tiles[0], MAX_ENLARGED_HEIGHT - 1, MAX_ENLARGED_HEIGHT + 1) == [0]
    assert whole == usual


def test_what_the_usual_size_shows_lies_in_the_square_of_the_larger_one(picture: Picture) -> None:
    """Sent with 400 x 200 pixels, the picture is 288 x 144 at 288, 72 from the top, and twice that at 576."""
    large, usual = Tile.of(picture, 576, 1, 288)
    corners = [20, 164, 80, 264]
    moved = usual.to_whole(candidates([0.9], [10, 82, 40, 132]))
    np.testing.assert_allclose(moved.box, [corners], rtol=1e-5)
    np.testing.assert_allclose(moved.pose.origin, [corners[:2]], rtol=1e-5)
    np.testing.assert_allclose(moved.pose.scale, [2], rtol=1e-5)
    untouched = candidates([0.9], [1, 2, 3, 4])
    assert large.to_whole(untouched) is untouched


def test_the_usual_size_cuts_no_face(picture: Picture) -> None:
    *_, usual = Tile.of(picture, 576, 1, 288)
    past_the_edges = np.array([[-5, 60, 40, 100], [250, 60, 300, 230]], np.float32)
    detections = Detections(np.arange(2), np.array([0.9, 0.8], np.float32), past_the_edges)
    assert usual.drop_cut_boxes(detections).index.tolist() == [0, 1]


def test_the_pool_is_in_descending_score() -> None:
    pooled = concat_candidates(
        [candidates([0.9, 0.3], [0, 0, 1, 1]), candidates([0.8, 0.3, 0.2], [2, 2, 3, 3]), candidates([], [0] * 4)]
    )
    np.testing.assert_array_equal(pooled.score, np.array([0.9, 0.8, 0.3, 0.3, 0.2], np.float32))
    assert pooled.box[:, 0].tolist() == [0, 2, 0, 2, 2]


def test_the_pool_is_bounded() -> None:
    many = candidates([0.5] * MAX_CANDIDATES, [0, 0, 1, 1])
    pooled = concat_candidates([many, candidates([0.9, 0.4], [0, 0, 1, 1])])
    assert len(pooled.score) == len(pooled.expression) == MAX_CANDIDATES
    assert pooled.score[0] == np.float32(0.9)
    assert pooled.score.min() == 0.5
