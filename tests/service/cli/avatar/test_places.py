from service.cli.avatar.places import Places
from tests.service.cli.video.results import processed_frame

BOX = (100.0, 100.0, 150.0, 150.0)


def held(places: Places, *frames: tuple[float, tuple[int, ...]]) -> list[list[int | None]]:
    """The track in each place, in each of some frames: a time, and its tracks in the order of its faces."""
    holders = []
    for time, tracks in frames:
        rows = places.rows_in(processed_frame(dict.fromkeys(tracks, BOX)).result, time)
        holders.append([None if row is None else tracks[row] for row in rows])
    return holders


def test_who_comes_takes_the_first_free_place_and_keeps_it() -> None:
    assert held(Places(9), (0.0, ()), (0.1, (2,)), (0.2, (1, 2)), (0.3, (2, 1, 3)), (0.4, (3,))) == [
        [None], [2], [2, 1], [2, 1, 3], [None, None, 3],
    ]  # fmt: skip


def test_a_place_is_free_after_a_second_out_of_sight() -> None:
    assert held(
        Places(9), (0.0, (1, 2)), (0.5, (2,)), (0.9, (1, 2)), (1.5, (2, 3)), (2.0, (2, 3)), (2.1, (2, 3, 4)),
    ) == [[1, 2], [None, 2], [1, 2], [None, 2, 3], [None, 2, 3], [4, 2, 3]]  # fmt: skip


def test_who_finds_no_place_waits_for_one() -> None:
    assert held(Places(2), (0.0, (1, 2, 3)), (0.5, (3, 2)), (1.1, (3, 2)), (1.2, (3, 1))) == [
        [1, 2], [None, 2], [3, 2], [3, None],
    ]  # fmt: skip


def test_a_clock_that_jumps_back_frees_places() -> None:
    assert held(Places(9), (100.0, (1,)), (5.0, (2,))) == [[1], [2]]
