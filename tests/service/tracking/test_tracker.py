from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.tracker import MAX_TRACKS, Tracker
from service.vision.faces import Faces
from tests.service.tracking.people import Person, faces_of, film, identity_noise, identity_of

Place = tuple[float, float] | None
at_any_rate = pytest.mark.parametrize("fps", [15, 30, 60])
SEEDS = range(2)


def ids_of(people: list[Person], seconds: float, fps: float, seed: int = 0) -> list[list[int]]:
    """The ids that each person had, frame by frame."""
    tracker = Tracker()
    had: list[list[int]] = [[] for _ in people]
    for timestamp, faces, who in film(people, seconds, fps, seed):
        for person, track in zip(who, tracker.update(faces, timestamp).tolist(), strict=True):
            had[person].append(track)
    return had


def keep_their_ids(had: list[list[int]]) -> bool:
    return all(len(set(ids)) == 1 for ids in had) and len({ids[0] for ids in had}) == len(had)


def absent(start: float, end: float, place: Callable[[float], Place]) -> Callable[[float], Place]:
    return lambda t: None if start <= t < end else place(t)


def moving(x: float, y: float, speed: float) -> Callable[[float], Place]:
    return lambda t: (x + speed * t, y)


@at_any_rate
@pytest.mark.parametrize("speed", [80, 200, 400])
def test_people_cross(fps: float, speed: float) -> None:
    """Faces of 100 pixels; who is behind is hidden for a while."""
    for seed in SEEDS:
        people = [
            Person(identity_of(2 * seed), lambda t: (500 + speed * (t - 1.5), 300)),
            Person(identity_of(2 * seed + 1), lambda t: (500 - speed * (t - 1.5), 310), distance=2),
        ]
        assert keep_their_ids(ids_of(people, 3, fps, seed))


@at_any_rate
def test_people_meet_and_turn_back(fps: float) -> None:
    """By motion alone they would have crossed."""
    for seed in SEEDS:
        people = [
            Person(identity_of(2 * seed), lambda t: (480 - 200 * abs(t - 1.5), 300)),
            Person(identity_of(2 * seed + 1), lambda t: (520 + 200 * abs(t - 1.5), 310), distance=2),
        ]
        assert keep_their_ids(ids_of(people, 3, fps, seed))


@at_any_rate
@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda _: (300, 300), id="still"),
        pytest.param(lambda t: (100 + 200 * t, 300), id="walking"),
        pytest.param(lambda t: (100 + 200 * min(t, 1.1), 300), id="stopping"),
        pytest.param(lambda t: (500 - 150 * abs(t - 1.2), 300), id="turning back"),
    ],
)
def test_half_a_second_of_occlusion(fps: float, place: Callable[[float], Place]) -> None:
    for seed in SEEDS:
        assert keep_their_ids(ids_of([Person(identity_of(seed), absent(1, 1.5, place))], 2, fps, seed))


@at_any_rate
def test_a_row_of_people_is_occluded_and_comes_back_moved(fps: float) -> None:
    for seed in SEEDS:
        people = [Person(identity_of(9 * seed + k), absent(1, 1.5, moving(200 + 130 * k, 300, 60))) for k in range(4)]
        assert keep_their_ids(ids_of(people, 2, fps, seed))


@at_any_rate
def test_after_more_than_a_second_nobody_is_remembered(fps: float) -> None:
    (had,) = ids_of([Person(identity_of(0), absent(1, 2.2, lambda _: (300, 300)))], 3, fps)
    assert sorted(set(had)) == [1, 2]


@at_any_rate
def test_lookalikes_far_apart_keep_their_ids(fps: float) -> None:
    twins = [Person(identity_of(0), moving(200 + 600 * k, 300, 50)) for k in range(2)]
    assert keep_their_ids(ids_of(twins, 2, fps))


def test_a_lookalike_elsewhere_is_somebody_else() -> None:
    """One leaves on the left while the other comes in on the right."""
    twins = [
        Person(identity_of(0), lambda t: (100, 300) if t < 1 else None),
        Person(identity_of(0), lambda t: (900, 300) if t >= 1.2 else None),
    ]
    assert [set(ids) for ids in ids_of(twins, 2, 30)] == [{1}, {2}]


def test_who_takes_a_hidden_ones_place_is_somebody_else() -> None:
    """Whose identity is clearly another: twice as far off as people are on average."""
    people = [
        Person(identity_of(0), lambda t: (300, 300) if t < 1 else None),
        Person(identity_of(0) + 2 * (identity_of(1) - identity_of(0)), lambda t: (300, 300) if t >= 1.3 else None),
    ]
    assert [set(ids) for ids in ids_of(people, 2, 30)] == [{1}, {2}]


def test_one_strange_look_does_not_end_a_track() -> None:
    tracker = Tracker()
    for frame in range(30):
        strange = 3 * identity_of(5) if frame == 20 else identity_of(0)
        assert tracker.update(faces_of([[0, 0, 100, 100]], strange), frame / 30).tolist() == [1]


def test_a_face_long_at_rest_may_come_back_turned() -> None:
    """All but free of noise for five seconds, then hidden, then 0.3 deviations off, as a turned head is."""
    tracker, random = Tracker(), np.random.default_rng(0)
    for frame in range(180):
        identity = identity_of(0) + random.normal(0, 0.02, 50) + (0.3 * (-1) ** np.arange(50) if frame >= 165 else 0)
        shown = faces_of([[0, 0, 100, 100]], identity) if not 150 <= frame < 165 else Faces.none()
        assert tracker.update(shown, frame / 30).tolist() == [1] * len(shown)


def test_newcomers_get_new_ids_in_their_order() -> None:
    people = [Person(identity_of(k), absent(0, 0.3 * k, moving(200 * k, 100, 0))) for k in range(5)]
    assert [set(ids) for ids in ids_of(people, 2, 30)] == [{1}, {2}, {3}, {4}, {5}]


def test_known_faces_need_no_matching() -> None:
    tracker = Tracker()
    boxes, identities = np.array([[0, 0, 100, 100], [300, 0, 400, 100]]), np.zeros((2, 50))
    ids = tracker.update(faces_of(boxes, identities), 0.0)
    for frame in range(1, 30):  # at 12 face sizes a second, far beyond what boxes alone would tell
        tracker.follow(faces_of(boxes + 40 * frame, identities), ids, frame / 30)
    assert tracker.alive.tolist() == [1, 2]
    assert not tracker.has_lost_tracks
    again = faces_of(boxes[::-1] + 40 * 30, identities)
    assert tracker.update(again, 1.0).tolist() == [2, 1]


def test_hidden_ones_are_told_until_they_are_forgotten() -> None:
    tracker = Tracker()
    tracker.update(faces_of([[0, 0, 100, 100]], np.zeros(50)), 10.0)
    hidden = []
    for tenths in range(1, 13):
        tracker.update(Faces.none(), 10 + tenths / 10)
        hidden.append(tracker.has_lost_tracks)
    assert hidden == [True] * 10 + [False] * 2
    assert len(tracker.alive) == 0


def test_identity_distance_is_in_deviations_of_a_frame() -> None:
    """After ten seconds of noise as large as in no other stream, twice that noise is 2 deviations."""
    tracker, random = Tracker(), np.random.default_rng(0)
    for frame in range(900):
        noise = random.normal(0, 0.3, 50)
        tracker.update(faces_of([[0, 0, 100, 100]], identity_of(0) + noise), frame / 30)
    identity_distance = tracker.identity_distance(identity_of(0)[None] + 0.6, tracker.alive)
    assert identity_distance[0] == pytest.approx(2, rel=0.1)


def test_faces_that_overlap_teach_nothing_about_each_other() -> None:
    """Two share one place for a second and are described as one: their means stay apart."""
    tracker = Tracker()
    own = np.stack([np.full(50, 0.5), np.full(50, -0.5)])
    for frame in range(60):
        apart = max(0, 30 - frame) * 10
        boxes = np.array([[0, 0, 100, 100], [apart, 0, apart + 100, 100]])
        tracker.update(faces_of(boxes, own if apart >= 100 else np.zeros((2, 50))), frame / 30)
    identity_distance = tracker.identity_distance(own, np.array([1, 2]))
    assert (identity_distance < 1).all()


def test_memory_is_bounded() -> None:
    """A hundred new faces in each frame, 60 times a second."""
    tracker, random = Tracker(), np.random.default_rng(0)
    for frame in range(10):
        corners = random.uniform(0, 1e6, (100, 2))
        ids = tracker.update(faces_of(np.concatenate([corners, corners + 50], axis=1), np.zeros((100, 50))), frame / 60)
        assert len(set(ids.tolist())) == 100
    assert len(tracker.alive) <= MAX_TRACKS + 100


boxes = st.lists(st.tuples(st.floats(-50, 300), st.floats(-50, 300), st.floats(1, 200), st.floats(1, 200)), max_size=6)


@given(st.lists(st.tuples(st.floats(0.001, 0.6), boxes), max_size=12), st.integers(0, 100))
def test_ids_are_unique_and_never_come_back(frames: list[tuple[float, list[tuple[float, ...]]]], seed: int) -> None:
    tracker, random = Tracker(), np.random.default_rng(seed)
    timestamp, highest = 0.0, 0
    for step, found in frames:
        timestamp += step
        corners = np.array([(x, y, x + w, y + h) for x, y, w, h in found]).reshape(-1, 4)
        identity = random.normal(size=(1, 50)) * 0.2 + identity_noise(random, len(found))
        alive = set(tracker.alive.tolist())
        ids = tracker.update(faces_of(corners, identity), timestamp).tolist()
        assert len(ids) == len(found)
        assert len(set(ids)) == len(ids)
        new = sorted(set(ids) - alive)
        assert new == list(range(highest + 1, highest + 1 + len(new)))
        highest += len(new)
        assert (np.diff(tracker.alive) > 0).all()
