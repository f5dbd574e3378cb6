"""In a world in which both networks are perfect and count what they are asked, see tests.service.tracking.blobs."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from service.cli.capture.inference import infer
from service.cli.capture.keyframes import interpolated
from service.cli.capture.records import COLUMNS, Record
from service.cli.capture.sources.source import SourceFrame
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.faces import Faces
from service.vision.image import Picture
from service.vision.rotation import quaternion_to_rotation_vector, rotation_vector_to_quaternion
from tests.service.tracking.blobs import HEIGHT, WIDTH, World, draw

SPACING = 4
Blob = tuple[float, float, float, int]


@pytest.fixture
def world(models: Models) -> World:
    return World.of(models)


def captured(
    world: World,
    pictures: Sequence[Picture],
    refine: bool = True,
    fps: float = 30,
    times: Sequence[float] | None = None,
) -> list[Record]:
    def load(picture: Picture) -> Callable[[int], Picture]:
        return lambda _: picture

    times = times or [number / fps for number in range(len(pictures))]
    frames = (SourceFrame(time, load(picture)) for time, picture in zip(times, pictures, strict=True))
    options = RetargetOptions(refine=refine)
    return list(infer(frames, Pipeline(world.models), options, threads=1, key_every=SPACING, search_every=8))


def faces(record: Record) -> list[float]:
    """Columns of the pixels where the middles of the faces are."""
    box = record.rows[:, COLUMNS["box"]]
    return sorted(((box[:, 0] + box[:, 2]) / 2).tolist())


def moving(start: float, frame: int) -> Blob:
    """A blob that slows down: 3 pixels in the first frame, 1 after twenty."""
    return (start + 3 * frame - 0.05 * frame**2, 90, 60, 200)


def test_only_keyframes_are_searched_and_faces_are_right_between_them(world: World) -> None:
    records = captured(world, [draw(moving(60, frame), (330, 100, 50, 90)) for frame in range(18)])
    assert world.asked.count("MFN") == 6  # 0, 4, 8, 12, 16 and the last
    assert world.asked.count(2) == 18
    for frame, record in enumerate(records):
        assert (record.timestamp, record.width, record.height) == (frame / 30, WIDTH, HEIGHT)
        np.testing.assert_allclose(faces(record), [moving(60, frame)[0], 330], atol=1.5)
        assert not np.isnan(record.rows).any()


def test_a_face_that_moves_too_fast_to_be_followed_is_searched_in_every_frame(world: World) -> None:
    records = captured(world, [draw((60 + 8 * frame, 90, 60, 200)) for frame in range(9)])
    assert world.asked.count("MFN") == 9
    np.testing.assert_allclose([faces(record)[0] for record in records], 60 + 8 * np.arange(9), atol=1.5)


def test_every_frame_is_searched_where_the_second_network_is_not_asked_for(world: World) -> None:
    captured(world, [draw((60, 90, 60, 200))] * 9, refine=False)
    assert world.asked == ["MFN"] * 9


def test_where_nobody_is_seen_only_keyframes_are_looked_at(world: World) -> None:
    records = captured(world, [draw()] * 9)
    assert world.asked == ["MFN"] * (3 + 2)  # of frames 0, 4, 8; 0 and 8 also in another turn of the picture
    assert [len(record.rows) for record in records] == [0] * 9
    assert [record.timestamp for record in records] == [frame / 30 for frame in range(9)]


@pytest.mark.parametrize("change", [1, 2, 3, 4, 5])
def test_who_comes_or_goes_does_so_in_the_right_frame(world: World, change: int) -> None:
    one, two = draw((60, 90, 60, 200)), draw((60, 90, 60, 200), (250, 100, 50, 90))
    came = captured(world, [one] * change + [two] * (9 - change))
    assert [len(record.rows) for record in came] == [1] * change + [2] * (9 - change)
    went = captured(world, [two] * change + [one] * (9 - change))
    assert [len(record.rows) for record in went] == [2] * change + [1] * (9 - change)


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_cut_to_another_person_in_the_same_place_is_seen_in_its_frame(world: World, cut: int) -> None:
    a, b = draw((100, 90, 60, 200)), draw((100, 90, 60, 20), ground=80)
    records = captured(world, [a] * cut + [b] * (9 - cut))
    identity = [record.rows[0, COLUMNS["identity"]][0] for record in records]
    np.testing.assert_allclose(identity, [200 / 127.5 - 1] * cut + [20 / 127.5 - 1] * (9 - cut), atol=0.01)


def test_a_face_that_is_hidden_for_a_frame_is_not_made_up(world: World) -> None:
    there, hidden = draw((100, 90, 60, 200)), draw()
    records = captured(world, [there, there, hidden, there, there])
    assert [len(record.rows) for record in records] == [1, 1, 0, 1, 1]


def test_two_that_change_places_in_an_interval_keep_their_own(world: World) -> None:
    """Each is searched for: how they went there cannot be said."""
    a, b = (100, 90, 60, 200), (160, 90, 60, 90)
    swapped = (100, 90, 60, 90), (160, 90, 60, 200)
    records = captured(world, [draw(a, b), draw(a, b), draw(*swapped), draw(*swapped), draw(*swapped)])
    left = [min(record.rows.tolist(), key=lambda row: row[1])[COLUMNS["identity"]][0] for record in records]
    np.testing.assert_allclose(left, [200 / 127.5 - 1] * 2 + [90 / 127.5 - 1] * 3, atol=0.01)


def test_every_frame_is_searched_where_they_are_far_apart_in_time(world: World) -> None:
    captured(world, [draw((100, 90, 60, 200))] * 5, fps=10)
    assert world.asked.count("MFN") == 5


def test_uneven_times_count_as_they_are(world: World) -> None:
    times = [0.0, 0.01, 0.05, 0.06, 0.1]
    pictures = [draw((100 + 100 * time, 90, 60, 200)) for time in times]
    records = captured(world, pictures, times=times)
    assert world.asked.count("MFN") == 2
    np.testing.assert_allclose([faces(record)[0] for record in records], [100 + 100 * time for time in times], atol=0.6)


def test_a_film_whose_size_changes_is_searched_at_the_change(world: World) -> None:
    small = draw((100, 90, 60, 200))
    large = Picture(np.kron(small.pixels, np.ones((2, 2, 1), np.uint8)), 2 * WIDTH, 2 * HEIGHT)
    records = captured(world, [small] * 3 + [large] * 6)
    assert [record.width for record in records] == [WIDTH] * 3 + [2 * WIDTH] * 6
    np.testing.assert_allclose([faces(record)[0] for record in records], [100] * 3 + [200] * 6, atol=1.5)


def test_interpolation() -> None:
    def turned(degrees: float, shift: float) -> Faces:
        none = Faces.none()
        values = {name: np.full((1, *value.shape[1:]), shift, np.float32) for name, value in vars(none).items()}
        turn = rotation_vector_to_quaternion(np.array([[0, np.radians(degrees), 0]])).astype(np.float32)
        return Faces(**values | {"quaternion": turn})

    between = interpolated(turned(-170, 1), turned(170, 3), 0.25)  # 20 degrees apart, across the back
    axis_angle = np.degrees(quaternion_to_rotation_vector(between.quaternion[0]))
    np.testing.assert_allclose(np.linalg.norm(between.quaternion), 1, atol=1e-6)
    np.testing.assert_allclose(axis_angle, [0, 185 - 360, 0], atol=0.1)
    for name, value in vars(between).items():
        if name != "quaternion":
            np.testing.assert_allclose(value, 1.5)
