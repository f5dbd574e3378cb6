"""Orientation as Pillow reads it, and in the types that Pillow passes over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.odd_pictures.picture import exif, xmp
from service.vision.orientation import EXIF_START, Metadata


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [1, 3, 4, 6, 8, 9])
def test_whole_numbers_of_every_type(value: int, order: str, kind: int) -> None:
    block = exif(value, kind, order)
    assert Metadata(exif=block).orientation == value
    assert Metadata(exif=block.removeprefix(EXIF_START)).orientation == value
    if kind in (3, 4, 8, 9):  # of bytes Pillow makes no number
        theirs = Image.Exif()
        theirs.load(block)
        assert theirs[0x0112] == value


@pytest.mark.parametrize("value", [0, 9, 255])
def test_other_numbers_are_no_orientation(value: int) -> None:
    assert Metadata(exif=exif(value)).orientation == 1
    assert Metadata(exif=exif(value), xmp=xmp(6)).orientation == 6


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("form", ["attribute", "element"])
def test_xmp_counts_where_exif_tells_none(value: int, form: str) -> None:
    assert Metadata(xmp=xmp(value, form)).orientation == value
    assert Metadata(exif=exif(3), xmp=xmp(value, form)).orientation == 3


def test_xmp_in_single_quotes_and_with_spaces() -> None:
    assert Metadata(xmp=b"<a tiff:Orientation = '8'/>").orientation == 8
    assert Metadata(xmp=b"<tiff:Orientation>\n6\n</tiff:Orientation>").orientation == 6


@given(st.binary(max_size=80), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"Exif\0\0II*\0"]))
def test_any_bytes_have_an_orientation(rest: bytes, start: bytes) -> None:
    assert 1 <= Metadata(exif=start + rest, xmp=rest).orientation <= 8
