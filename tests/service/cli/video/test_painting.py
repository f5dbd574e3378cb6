import numpy as np
import pytest

from service.cli.draw import COLOURS, Surface
from service.cli.video.loop import Command
from service.cli.video.painting import MIN_LONGER_SIDE, Painter, colour_of, paint
from service.inference.models import Models
from service.tracking.neutral import NeutralState
from service.vision.arrays import Pixels
from service.vision.face_model import FaceModel
from tests.service.cli.video.results import HEIGHT, WIDTH, pixels_of, processed_frame

SCALE = MIN_LONGER_SIDE / WIDTH
LEFT, RIGHT = (60.0, 160.0, 200.0, 320.0), (400.0, 160.0, 540.0, 320.0)


@pytest.fixture
def face_model(models: Models) -> FaceModel:
    return models.face_model


def amount(picture: Pixels, colour: tuple[int, int, int], box: tuple[float, ...]) -> int:
    """Pixels of exactly this colour within a box of the frame."""
    x1, y1, x2, y2 = (round(edge * SCALE) for edge in box)
    return int((picture[y1:y2, x1:x2] == colour).all(-1).sum())


def test_people_have_colours_of_their_own_that_stay() -> None:
    assert len({colour_of(track_id) for track_id in range(1, len(COLOURS) + 1)}) == len(COLOURS)
    assert colour_of(1) == colour_of(1 + len(COLOURS))


@pytest.mark.parametrize("surface", ["mesh", "landmarks"])
def test_a_face_s_colour_follows_its_track_and_not_its_place(surface: Surface, face_model: FaceModel) -> None:
    pictures = [
        paint(pixels_of(), processed_frame(boxes).result, face_model, surface)
        for boxes in ({1: LEFT, 2: RIGHT}, {2: RIGHT, 1: LEFT}, {2: LEFT, 1: RIGHT})
    ]
    for picture, left, right in zip(pictures, (1, 1, 2), (2, 2, 1), strict=True):
        assert amount(picture, colour_of(left), LEFT) > 100
        assert amount(picture, colour_of(right), RIGHT) > 100
        assert amount(picture, colour_of(right), LEFT) == amount(picture, colour_of(left), RIGHT) == 0


def test_small_frames_are_enlarged_and_others_stay(face_model: FaceModel) -> None:
    small = paint(pixels_of(), processed_frame({1: LEFT}).result, face_model, "landmarks")
    assert small.shape == (round(HEIGHT * SCALE), MIN_LONGER_SIDE, 3)
    without = np.random.default_rng(0).integers(0, 255, (90, 1200, 3), np.uint8)
    np.testing.assert_array_equal(paint(without, processed_frame({}).result, face_model, "mesh"), without)


def test_who_shall_hold_still_is_told(face_model: FaceModel) -> None:
    plain, asked = (
        amount(
            paint(pixels_of(), processed_frame({1: LEFT}, neutral=state).result, face_model, "landmarks"),
            colour_of(1),
            LEFT,
        )
        for state in (NeutralState.OFF, NeutralState.COLLECTING)
    )
    assert asked > plain  # the tag is longer


def test_a_face_beyond_the_edge_has_its_tag_inside(face_model: FaceModel) -> None:
    boxes = {1: (-50.0, -50.0, 100.0, 100.0)}
    picture = paint(pixels_of(), processed_frame(boxes).result, face_model, "landmarks")
    assert amount(picture, colour_of(1), (0, 0, 15, 15)) > 50


class Wall:
    """A canvas that keeps what it is shown, and says what it wants."""

    def __init__(self, command: Command | None) -> None:
        self.command = command
        self.shown: list[tuple[Pixels, float]] = []

    def show(self, picture: Pixels, timestamp: float) -> Command | None:
        self.shown.append((picture, timestamp))
        return self.command


def test_every_canvas_gets_the_same_picture_and_any_may_give_a_command(face_model: FaceModel) -> None:
    walls = [Wall(None), Wall(Command.QUIT)]
    assert Painter(face_model, "landmarks", walls).consume(processed_frame({1: LEFT}, timestamp=0.5)) is Command.QUIT
    assert walls[0].shown[0][0] is walls[1].shown[0][0]
    assert walls[0].shown[0][1] == 0.5
