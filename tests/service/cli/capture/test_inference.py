from collections.abc import Iterator

import numpy as np
import pytest

from service.cli.capture.inference import AHEAD, infer
from service.cli.capture.records import COLUMNS, Record
from service.cli.capture.sources.source import SourceFrame
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.image import Picture
from tests.service.cli.capture.films import CELL, SIDE, picture

THREADS, KEY_EVERY = 3, 2


def frames(count: int, loaded: list[int] | None = None) -> Iterator[SourceFrame]:
    """A face that moves from cell to cell; the first frames are the largest, and take the longest."""

    def load(number: int) -> Picture:
        side = 4 * SIDE if number < THREADS else SIDE
        pixels = np.kron(picture((number % 6, 2)), np.ones((side // SIDE, side // SIDE, 1), np.uint8))
        return Picture(pixels, SIDE, SIDE)

    for number in range(count):
        if loaded is not None:
            loaded.append(number)
        yield SourceFrame(number / 30, lambda _, number=number: load(number))  # type: ignore[misc]


def found(pipeline: Pipeline, source: Iterator[SourceFrame], first: int = 0) -> Iterator[Record]:
    return infer(source, pipeline, RetargetOptions(refine=True), THREADS, KEY_EVERY, search_every=10, first=first)


def test_results_come_in_the_order_of_the_frames(pipeline: Pipeline) -> None:
    records = list(found(pipeline, frames(20)))
    assert [record.timestamp for record in records] == [number / 30 for number in range(20)]
    for number, record in enumerate(records):
        assert (record.width, record.height, len(record.rows)) == (SIDE, SIDE, 1)
        box = record.rows[0, COLUMNS["box"]]
        np.testing.assert_allclose((box[0] + box[2]) / 2, (number % 6 + 0.5) * CELL, atol=1)


def test_what_is_found_does_not_depend_on_the_keyframe_where_it_begins(pipeline: Pipeline) -> None:
    whole = list(found(pipeline, frames(25)))
    rest = list(found(pipeline, (frame for frame in frames(25) if frame.timestamp >= 14 / 30), first=14))
    for a, b in zip(whole[14:], rest, strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)


def test_only_a_few_frames_are_decoded_ahead(pipeline: Pipeline) -> None:
    loaded: list[int] = []
    records = found(pipeline, frames(100, loaded))
    next(records)
    assert len(loaded) <= (THREADS + AHEAD + 1) * KEY_EVERY
    for _ in range(10):
        next(records)
    assert len(loaded) <= (THREADS + AHEAD + 1) * KEY_EVERY + 10


def test_what_loading_raises_comes_out(pipeline: Pipeline) -> None:
    def broken(_: int) -> Picture:
        raise OSError("gone")

    records = found(pipeline, iter([*frames(3), SourceFrame(1.0, broken)]))
    assert [next(records).timestamp for _ in range(3)] == [0.0, 1 / 30, 2 / 30]
    with pytest.raises(OSError, match="gone"):
        next(records)


def test_what_the_source_raises_comes_after_what_it_has_shown(pipeline: Pipeline) -> None:
    def source() -> Iterator[SourceFrame]:
        yield from frames(4)
        raise OSError("unplugged")

    records = found(pipeline, source())
    assert [next(records).timestamp for _ in range(4)] == [0.0, 1 / 30, 2 / 30, 3 / 30]
    with pytest.raises(OSError, match="unplugged"):
        next(records)


def test_an_error_ends_it_however_many_threads_are_ahead(pipeline: Pipeline) -> None:
    """Every second part waits for the turn that the broken one before it would have found."""

    def broken(_: int) -> Picture:
        raise OSError("gone")

    source = (SourceFrame(number / 30, broken) for number in range(100))
    with pytest.raises(OSError, match="gone"):
        list(infer(source, pipeline, RetargetOptions(), threads=8, key_every=1, search_every=2))
