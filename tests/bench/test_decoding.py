"""What the measurement of decoding tells of a picture."""

import sys

import pytest

from bench.decoding import MOST_SIDE, cost
from bench.odd_pictures.jpeg import flat
from service.inference.models import Models
from service.settings import Settings
from service.vision.tile_layout import MAX_TILES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is accounted for in /proc on Linux only")


def test_the_largest_side_is_the_largest_that_a_request_can_ask_for() -> None:
    assert MAX_TILES * max(Models.load(Settings().models_dir).priors) == MOST_SIDE


def test_the_outcome_is_a_size_or_a_problem() -> None:
    assert cost((flat(2000, 1000, 1), 500)).outcome == "500 x 250"
    assert cost((b"", 500)).outcome == "bad-picture"


def test_memory_is_that_of_the_pixels_at_least() -> None:
    """2000 x 1000 pixels of 3 bytes, which no picture before it had."""
    assert cost((flat(4000, 3000, 1), 4000)).mb > 30
