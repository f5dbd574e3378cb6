import numpy as np

from service.cli.capture.people import Tracks
from service.cli.capture.records import COLUMNS, WIDTH, Record

RATE = 30.0
ANNA, BOB = np.random.default_rng(1).normal(size=(2, 50))  # identities of two people differ by about 1.4


def row(x: float, identity: np.ndarray) -> np.ndarray:
    values = np.zeros(WIDTH, np.float32)
    values[COLUMNS["score"]] = 0.9
    values[COLUMNS["box"]] = [x, 100, x + 100, 220]
    values[COLUMNS["quaternion"]] = [0, 0, 0, 1]
    values[COLUMNS["scale"]] = 10
    values[COLUMNS["identity"]] = identity
    return values


def tracked(frames: list[list[np.ndarray]]) -> Tracks:
    tracks = Tracks()
    for number, rows in enumerate(frames):
        tracks.add(Record(number / RATE, 640, 480, 0, np.array(rows).reshape(-1, WIDTH)))
    return tracks


def test_two_people_have_a_face_each_in_every_frame() -> None:
    frames = [[row(50, ANNA), row(400, BOB)] if i % 2 else [row(400, BOB), row(50, ANNA)] for i in range(40)]
    people = tracked(frames).people(RATE)
    assert len(people) == 2
    bob, anna = people.rows(1), people.rows(2)
    assert (bob + anna == 1).all()
    assert (anna == [0 if i % 2 else 1 for i in range(40)]).all()


def test_who_comes_back_elsewhere_is_the_same_person() -> None:
    away = 60  # frames, two seconds: the track has ended
    frames = [[row(50, ANNA)]] * 30 + [[]] * away + [[row(400, ANNA)]] * 30
    people = tracked(frames).people(RATE)
    assert len(people) == 1
    assert (people.rows(1) == [0] * 30 + [-1] * away + [0] * 30).all()


def test_another_person_in_the_same_place_is_another_person() -> None:
    frames = [[row(50, ANNA)]] * 30 + [[]] * 60 + [[row(50, BOB)]] * 30
    assert len(tracked(frames).people(RATE)) == 2


def test_twins_at_the_same_time_are_two_people() -> None:
    assert len(tracked([[row(50, ANNA), row(400, ANNA)]] * 30).people(RATE)) == 2


def test_who_is_seen_briefly_is_left_out_and_counted() -> None:
    frames = [[row(50, ANNA), row(400, BOB)]] * 14 + [[row(50, ANNA)]] * 60
    people = tracked(frames).people(RATE)
    assert (len(people), people.brief) == (1, 1)


def test_a_film_of_one_frame_has_its_people() -> None:
    people = tracked([[row(50, ANNA), row(400, BOB)]]).people(RATE)
    assert (len(people), people.brief) == (2, 0)
