"""The published vectors of the tracking are what the service does now, and hold what they are for."""

from itertools import zip_longest
from pathlib import Path

import pytest

from service.tracking.neutral import NeutralState
from service.tracking.session import FrameResult
from service.vision.face_model import FaceModel
from tests.models.mobile.test_vectors import alike, tokens
from training.scripts.stream_vectors import StreamFrame, scenes, streamed
from training.scripts.tracking_vectors import tracking_vectors
from training.scripts.vectors import MODELS, read_published

ROOT = Path(__file__).resolve().parents[3]


def test_vectors_are_what_the_service_does_now(mobile: Path) -> None:
    published = tokens((mobile / "tracking.txt").read_text(encoding="ascii"))
    now = tokens(tracking_vectors(ROOT / MODELS))
    differ = [pair for pair in zip_longest(published, now, fillvalue="") if not alike(*pair)]
    assert not differ, "run `python -m training.scripts.tracking_vectors`"


def test_the_file_stays_small(mobile: Path) -> None:
    assert (mobile / "tracking.txt").stat().st_size < 200_000


@pytest.fixture(scope="module")
def films() -> list[list[tuple[StreamFrame, FrameResult]]]:
    published, face_model = read_published(ROOT / MODELS), FaceModel.load(ROOT / MODELS / "face_model.npz")
    return [
        list(zip(scene, streamed(scene, published, face_model), strict=True)) for scene in scenes(published, face_model)
    ]


def test_faces_are_followed_lost_and_detected_in_turn(films: list[list[tuple[StreamFrame, FrameResult]]]) -> None:
    results = [result for _, result in films[0]]
    detected = [i for i, result in enumerate(results) if result.detected]
    assert detected == [0, 5, 15, 25, 27]  # at first, lost, after ten frames twice, after a pause
    assert [i for i, result in enumerate(results) if result.restarted] == [27]
    assert [result.track_id.tolist() for result in results] == [[1, 2]] * 27 + [[3, 4]] * 3
    assert {state for result in results for state in result.neutral} == set(NeutralState)


def test_a_changed_picture_is_searched(films: list[list[tuple[StreamFrame, FrameResult]]]) -> None:
    assert [(result.detected, len(result.faces)) for _, result in films[1]] == [
        (True, 0),
        (False, 0),
        (True, 1),  # a rectangle where nobody was known
        (False, 1),
        (True, 1),  # too long after the frame before
        (False, 1),
    ]
