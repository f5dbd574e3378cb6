"""Sets of archives, and boxes of pictures whose annotation is written here."""

import pytest

from training.data.archives import ARCHIVES, SETS, VALIDATION, Picture, faces_of, sets_of


def test_every_archive_is_in_one_set_and_the_validation_photos_in_none() -> None:
    assert len(set(ARCHIVES)) == len(ARCHIVES)
    assert {"faces_unlabelled_1", "multi_train_3"} < set(ARCHIVES)
    assert VALIDATION not in ARCHIVES
    assert "multi_val" not in ARCHIVES


def test_only_sets_with_a_wanted_archive_are_taken() -> None:
    sets = sets_of(["multi_train_3", "faces_approx", "landmarks_train"])
    assert {name: photos.archives for name, photos in sets.items()} == {
        "singles": ("landmarks_train", "faces_approx"),
        "detected": ("multi_train_3",),
    }
    assert sets["detected"].detected
    assert sets["singles"].side == SETS["singles"].side


@pytest.mark.parametrize(("given", "expected"), [({}, [False, False]), ({"invalid": [0, 1]}, [False, True])])
def test_boxes_that_may_be_no_face_are_told(given: dict[str, list[int]], expected: list[bool]) -> None:
    picture = Picture("a.jpg", {"boxes": [[1, 2, 3, 4], [5, 6, 7, 8]], "size": [9, 9], **given}, b"")
    faces = faces_of(picture)
    assert [face.invalid for face in faces] == expected
    assert faces[1].box.tolist() == [5, 6, 7, 8]
