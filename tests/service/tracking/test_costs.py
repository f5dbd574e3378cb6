import pytest

from service.tracking.costs import Costs


def costs(search_ms: float, face_ms: float) -> Costs:
    costs = Costs()
    costs.add_detection(search_ms)
    costs.add_refinement(face_ms * 3, 3)
    return costs


def test_faces_are_followed_until_both_costs_are_known() -> None:
    unknown = Costs()
    assert unknown.following_pays(100, 10)
    unknown.add_detection(1.0)
    unknown.add_refinement(0.0, 0)  # no faces, no measurement
    assert unknown.following_pays(100, 10)


@pytest.mark.parametrize(("faces", "pays"), [(0, True), (1, True), (8, True), (12, False), (100, False)])
def test_few_faces_are_cheaper_to_follow(faces: int, pays: bool) -> None:
    """Searches of 10 ms and faces of 1 ms: with one search in ten frames, 9 faces cost the same in both ways."""
    assert costs(10, 1).following_pays(faces, 10) is pays


def test_a_search_in_every_frame_leaves_nothing_to_save() -> None:
    assert not costs(10, 1).following_pays(1, 1)


def test_a_way_is_left_only_for_a_clear_advantage() -> None:
    measured = costs(10, 1)
    assert measured.following_pays(10, 10)  # 10 + 1 ms, against 10: not worth a change
    assert not measured.following_pays(11, 10)
    assert not measured.following_pays(8, 10)  # 8 + 1 ms, against 10: not worth the way back
    assert measured.following_pays(7, 10)


def test_a_hiccup_sways_nothing_and_a_change_does() -> None:
    measured = costs(10, 1)
    for _ in range(14):
        measured.add_detection(10)
        measured.add_refinement(1, 1)
    measured.add_refinement(500, 1)
    assert measured.following_pays(5, 10)
    for _ in range(10):
        measured.add_refinement(5, 1)
    assert not measured.following_pays(5, 10)
