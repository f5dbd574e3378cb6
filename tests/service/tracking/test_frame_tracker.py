"""Which frames are searched for faces, which follow known ones, and that both see the same."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.settings import Settings
from service.tracking.options import StreamOptions
from service.tracking.session import FrameResult, Session
from service.vision.image import LazyImage, Picture
from tests.service.tiny_models import GAZE_LOGIT, SIDE
from tests.service.tracking.blobs import WIDTH, World, draw, process_all

STILL = (100.0, 90.0, 60.0, 200)
FOLLOW = StreamOptions(follow=True, detect_every=10)


@pytest.fixture
def pipeline(world: World) -> Pipeline:
    return Pipeline(world.models, Settings())


@pytest.fixture
def following(pipeline: Pipeline, world: World) -> Session:
    return Session(pipeline, FOLLOW, world.clock)


def detected(results: list[FrameResult]) -> list[int]:
    """The frames in which the Multiple Face Network looked."""
    return [frame for frame, result in enumerate(results) if result.detected]


def test_a_search_every_ten_frames(following: Session, world: World) -> None:
    results = process_all(following, [draw(STILL, (250, 100, 50, 90))] * 25)
    assert detected(results) == [0, 10, 20]
    assert world.asked == (["MFN", 2] + [2] * 9) * 2 + ["MFN", 2] + [2] * 4


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_followed_faces_move_as_they_are_found(following: Session, pipeline: Pipeline, fps: int) -> None:
    """At 120 pixels a second; no box strays from where a search sees it, and ids stay."""
    film = [draw((60 + 120 * frame / fps, 90, 60, 230), (330 - 120 * frame / fps, 150, 40, 80)) for frame in range(fps)]
    results = process_all(following, film, fps)
    assert len(detected(results)) <= len(film) / 5
    for picture, result in zip(film, results, strict=True):
        expected = pipeline.retarget_picture(picture, RetargetOptions()).faces
        order = np.argsort(-expected.identity[:, 0])
        own = np.argsort(-result.faces.identity[:, 0])
        np.testing.assert_allclose(result.faces.box[own], expected.box[order], atol=4)
        assert (
            result.track_id[own].tolist() == results[0].track_id[np.argsort(-results[0].faces.identity[:, 0])].tolist()
        )


def test_followed_faces_have_a_gaze(following: Session) -> None:
    """In frames that are searched as well as in those between."""
    for result in process_all(following, [draw(STILL)] * 12):
        np.testing.assert_allclose(result.faces.gaze, 1 / (1 + np.exp(-GAZE_LOGIT[None])), rtol=1e-6)


def test_who_comes_in_is_seen_at_once(following: Session) -> None:
    film = [draw(STILL)] * 5 + [draw(STILL, (300, 60, 50, 90))] * 3
    results = process_all(following, film)
    assert detected(results) == [0, 5]
    assert [len(result.faces) for result in results] == [1] * 5 + [2] * 3
    assert results[-1].track_id.tolist() == [1, 2]


def test_an_empty_picture_costs_no_network(following: Session, world: World) -> None:
    results = process_all(following, [draw()] * 8 + [draw(STILL)])
    assert world.asked == ["MFN", "MFN", "MFN", 1]  # the first is searched for people upside down, too
    assert [len(result.faces) for result in results] == [0] * 8 + [1]


def test_another_turn_is_searched_for_once_a_second(pipeline: Pipeline, world: World) -> None:
    process_all(Session(pipeline, StreamOptions(), world.clock), [draw()] * 45)
    assert world.asked == ["MFN"] * (45 + 2)


def upper_half(world: World, faint: float = -9.0) -> tuple[Session, list[bool]]:
    """A session whose network sees faces in the upper half of its input only, and whether it saw one in each run.

    faint: logit of the score of everything in an input that is the second without a face.
    """
    network = world.models.mfn
    shown: list[bool] = []

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        raw = network.run(images)
        shown.append(bool((images[0, : SIDE // 2, :, 0] > 200).any()))
        if not shown[-1]:
            raw["detection"][..., 4] = faint if shown.count(False) == 2 else -9
        return raw

    models = replace(world.models, mfn=SimpleNamespace(run=run))  # type: ignore[arg-type]
    return Session(Pipeline(models, Settings()), StreamOptions(), world.clock), shown


ABOVE, BELOW = (100.0, 50.0, 40.0, 200), (100.0, 150.0, 40.0, 200)


def test_a_turn_is_kept_from_frame_to_frame(world: World) -> None:
    """A film of faces that are seen in the turned input only is turned, once."""
    session, shown = upper_half(world)
    results = process_all(session, [draw(BELOW)] * 40)
    assert shown == [False] + [True] * 40
    for result in results:
        np.testing.assert_allclose(result.faces.box, results[0].faces.box)
        assert len(result.faces) == 1


def test_a_turn_that_shows_nobody_any_more_is_given_up(world: World) -> None:
    """As where a phone is turned: who is upright from then on is missed in one frame, not for a second."""
    session, _ = upper_half(world)
    results = process_all(session, [draw(BELOW)] * 5 + [draw(ABOVE)] * 5 + [draw()] * 3 + [draw(BELOW)] * 25)
    assert [len(result.faces) for result in results[:10]] == [1] * 5 + [0] + [1] * 4
    assert len(results[-1].faces) == 1


def test_a_turn_is_not_learned_from_what_is_no_face(world: World) -> None:
    """The turned input of an empty picture shows something, with a score below that of a face."""
    session, _ = upper_half(world, faint=-0.8)
    results = process_all(session, [draw()] * 3 + [draw(ABOVE)] * 3)
    assert [len(result.faces) for result in results] == [0] * 3 + [1] * 3


def test_who_goes_is_missed_at_once(following: Session) -> None:
    film = [draw(STILL, (300, 60, 50, 90))] * 5 + [draw(STILL)] * 2
    results = process_all(following, film)
    assert detected(results)[:2] == [0, 5]
    assert [len(result.faces) for result in results] == [2] * 5 + [1] * 2


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_who_is_hidden_for_half_a_second_comes_back(following: Session, fps: int) -> None:
    """Moved a little; that they are back is seen within the searches' rest."""
    film = [draw(STILL) if t < 1 else draw() if t < 1.5 else draw((110, 95, 60, 200)) for t in np.arange(2 * fps) / fps]
    results = process_all(following, film, fps)
    ids = [result.track_id.tolist() for result in results]
    assert ids[:fps] == [[1]] * fps
    assert [] in ids
    back = ids.index([1], ids.index([]))
    assert 1.5 <= back / fps < 1.5 + 0.1 + 1.5 / fps
    assert ids[back:] == [[1]] * (len(ids) - back)


def test_ghosts_are_not_followed(following: Session) -> None:
    """Somebody jumps across the picture: no face is reported where they were."""
    film = [draw(STILL)] * 4 + [draw((280, 90, 60, 200))] * 4
    for result in process_all(following, film)[4:]:
        assert result.faces.box[:, 0].min() > 200


def test_a_pause_or_another_size_is_searched(following: Session) -> None:
    session = following
    picture = draw(STILL)
    half = Picture(picture.pixels, WIDTH // 2, picture.height // 2)  # the same, sent at half the size
    times = ((0.0, picture), (0.03, picture), (0.4, picture), (0.43, picture), (0.46, half), (0.49, half))
    assert [session.process_picture(shown, timestamp).detected for timestamp, shown in times] == [True, False] * 3


@pytest.mark.parametrize(("face_seconds", "way"), [(0.002, [0, 10]), (0.007, list(range(12)))])
def test_the_cheaper_way_is_taken(following: Session, world: World, face_seconds: float, way: list[int]) -> None:
    """Two faces, and searches of 10 ms."""
    world.face_seconds = face_seconds
    assert detected(process_all(following, [draw(STILL, (250, 100, 50, 90))] * 12)) == way
    assert world.asked[:3] == ["MFN", 2, "MFN" if len(way) > 2 else 2]


def test_many_faces_are_searched_and_few_followed(following: Session, world: World) -> None:
    """4 ms a face: two of three go, and following pays again."""
    world.face_seconds = 0.004
    film = [draw(STILL, (250, 100, 50, 90), (340, 100, 50, 160))] * 5 + [draw(STILL)] * 3
    assert detected(process_all(following, film)) == [0, 1, 2, 3, 4, 5]


def test_refined_faces_are_followed_whatever_they_cost(pipeline: Pipeline, world: World) -> None:
    """Each frame pays for them in either way."""
    world.face_seconds = 1.0
    session = Session(pipeline, replace(FOLLOW, refine=True), world.clock)
    assert detected(process_all(session, [draw(STILL, (250, 100, 50, 90))] * 6)) == [0]


@pytest.mark.parametrize("follow", [False, True])
def test_a_search_answers_both_looks_unless_its_faces_are_followed(
    pipeline: Pipeline, world: World, follow: bool
) -> None:
    """Followed ones have but the second look, in the frame of the search as in those after it."""
    picture = draw(STILL, (250, 100, 50, 90))
    (result,) = process_all(Session(pipeline, StreamOptions(refine=True, follow=follow), world.clock), [picture])
    first = pipeline.retarget_picture(picture, RetargetOptions()).faces
    see = pipeline.refine_faces if follow else pipeline.refine
    expected, _ = see(first, LazyImage.of(picture))
    for name, array in vars(expected).items():
        np.testing.assert_array_equal(getattr(result.uncalibrated, name), array, err_msg=name)
