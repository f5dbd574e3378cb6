"""Detection measures against cases worked out by hand."""

import numpy as np
import pytest

from training.evaluation.detection import (
    DetectionMetrics,
    average_precision,
    detection_metrics,
    pairwise_iou,
    too_small,
)

SIZE = (288, 288)  # heights below are heights at the network's input
FACE = np.array([[100.0, 100, 140, 140]])
NONE_IGNORED = np.zeros(1, bool)
NOTHING = (np.zeros((0, 4)), np.zeros(0))


def measure(
    detections: list[tuple[list[list[float]], list[float]]],
    faces: list[list[list[float]]],
    ignored: list[list[bool]] | None = None,
) -> DetectionMetrics:
    marks = ignored or [[False] * len(of_picture) for of_picture in faces]
    return detection_metrics(
        [(np.array(boxes, float).reshape(-1, 4), np.array(scores, float)) for boxes, scores in detections],
        [(np.array(boxes, float).reshape(-1, 4), np.array(m, bool)) for boxes, m in zip(faces, marks, strict=True)],
        [SIZE] * len(faces),
    )


def test_iou() -> None:
    a = np.array([[0.0, 0, 2, 2], [10, 10, 11, 11]])
    b = np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 4, 4]])  # the last one is turned inside out
    np.testing.assert_allclose(pairwise_iou(a, b), [[1.0, 1 / 3, 0.0], [0.0, 0.0, 0.0]])


def test_perfect_detections() -> None:
    result = measure([(FACE.tolist(), [0.9])], [FACE.tolist()])
    assert (result.ap, result.ap50, result.ap75) == (100, 100, 100)
    assert (result.pictures, result.faces, result.found, result.recall) == (1, 1, 1, 100)


def test_average_precision_of_right_wrong_right() -> None:
    # Recall 1/2 at precision 1, recall 1 at precision 2/3: recalls 0 to 0.50 (51 of them) count 1, the other 50 2/3.
    assert average_precision(np.array([True, False, True]), 2) == pytest.approx(100 * (51 + 50 * 2 / 3) / 101)


def test_average_precision_of_a_face_never_found() -> None:
    # Recall 1/3 is reached at precision 1: recalls 0 to 0.33 are 34 of 101.
    assert average_precision(np.array([True]), 3) == pytest.approx(100 * 34 / 101)
    assert average_precision(np.zeros(0, bool), 3) == 0
    assert np.isnan(average_precision(np.zeros(0, bool), 0))


def test_thresholds_of_a_loose_box() -> None:
    # A box of 40 x 32 within the face's 40 x 40 has an IoU of 0.8: right at 0.50 to 0.80, seven thresholds of ten.
    result = measure([([[100, 100, 140, 132]], [0.9])], [FACE.tolist()])
    assert result.ap == pytest.approx(70)
    assert result.ap50 == result.ap75 == 100


def test_second_detection_of_a_face_is_a_false_alarm() -> None:
    boxes = [FACE[0].tolist(), [100, 100, 140, 138], [200, 200, 240, 240]]
    faces = [FACE[0].tolist(), [200, 200, 240, 240]]
    result = measure([(boxes, [0.9, 0.8, 0.7])], [faces])
    assert result.ap50 == pytest.approx(100 * (51 + 50 * 2 / 3) / 101)


def test_higher_score_takes_the_face_first_and_the_best_overlap() -> None:
    # The first box overlaps both faces by more than half; it takes the one it fits, the second gets the other.
    faces = [[100.0, 100, 140, 140], [110.0, 100, 150, 140]]
    result = measure([([[108, 100, 148, 140], [96, 100, 136, 140]], [0.9, 0.8])], [faces])
    assert result.ap50 == 100


def test_ignored_faces_are_neither_missed_nor_false() -> None:
    faces = [FACE[0].tolist(), [200, 200, 240, 240]]
    result = measure([(faces[::-1], [0.9, 0.8])], [faces], [[False, True]])
    assert (result.faces, result.ignored, result.ap, result.found) == (1, 1, 100, 1)
    assert measure([([faces[0]], [0.9])], [faces], [[False, True]]).ap == 100


def test_faces_under_two_percent_are_ignored_in_either_dimension() -> None:
    boxes = np.array([[0, 0, 10, 1.9], [0, 0, 3.9, 10], [0, 0, 4, 2]])
    np.testing.assert_array_equal(too_small(boxes, (200, 100)), [True, True, False])


def test_pictures_with_over_twenty_faces_are_left_out() -> None:
    crowd = [[10.0 * i, 0, 10.0 * i + 9, 9] for i in range(21)]
    result = measure([([], []), (FACE.tolist(), [0.9])], [crowd, FACE.tolist()])
    assert (result.pictures, result.faces, result.ap50) == (1, 1, 100)
    assert measure([([], [])], [crowd[:20]]).pictures == 1


def test_recall_at_one_false_alarm_in_ten_pictures() -> None:
    wrong = [[200.0, 200, 240, 240]]
    # Twenty pictures allow two false alarms. Descending scores: wrong, right, wrong, right, wrong, right.
    detections = [
        (wrong, [0.9]), (FACE.tolist(), [0.8]), (wrong, [0.7]), (FACE.tolist(), [0.6]), (wrong, [0.5]),
        (FACE.tolist(), [0.4]), *[([], [])] * 14,
    ]  # fmt: skip
    result = measure(detections, [FACE.tolist()] * 20)
    assert (result.found, result.score, result.recall) == (2, 0.6, 10)


def test_equal_scores_cannot_be_told_apart() -> None:
    wrong = [[200.0, 200, 240, 240]]
    result = measure([(FACE.tolist(), [1.0]), (wrong, [1.0])], [FACE.tolist()] * 2)
    assert (result.found, result.score) == (0, float("inf"))


def test_recall_by_height_at_the_network_input() -> None:
    # A picture of 576 pixels: heights halve. 20 -> 10, 30 -> 15, 100 -> 50.
    faces = np.array([[0.0, 0, 20, 20], [100, 0, 130, 30], [200, 200, 300, 300]])
    found = (np.concatenate([faces[1:], [[400, 400, 500, 500], [0, 300, 90, 390]]]), np.array([0.9, 0.3, 0.5, 0.4]))
    result = detection_metrics(
        [found] + [NOTHING] * 9, [(faces, np.zeros(3, bool))] + [(np.zeros((0, 4)), np.zeros(0, bool))] * 9,
        [(576, 576)] * 10,
    )  # fmt: skip
    assert result.score == 0.5  # the second wrong one, at 0.4, is one too many
    rows = {(row.low, row.faces, row.found, row.found_at_any_score) for row in result.by_height}
    assert rows == {(0, 1, 0, 0), (12, 1, 1, 1), (18, 0, 0, 0), (26, 0, 0, 0), (42, 1, 0, 1)}


def test_lengths_that_differ_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        detection_metrics([NOTHING], [], [SIZE])


def test_order_of_pictures_and_detections_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    detections, annotations = [], []
    for _ in range(12):
        corner = rng.uniform(0, 240, (4, 2))
        faces = np.concatenate([corner, corner + rng.uniform(10, 50, (4, 2))], axis=1)
        boxes = np.concatenate([faces + rng.normal(0, 4, (4, 4)), faces + rng.normal(0, 20, (4, 4))])
        detections.append((boxes, rng.uniform(size=8)))
        annotations.append((faces, rng.uniform(size=4) < 0.2))
    result = detection_metrics(detections, annotations, [SIZE] * 12)
    shuffled = [(boxes[::-1], scores[::-1]) for boxes, scores in detections]
    assert detection_metrics(shuffled[::-1], annotations[::-1], [SIZE] * 12) == result
    assert 0 < result.ap75 < result.ap50 < 100
