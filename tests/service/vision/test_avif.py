"""What an AVIF's bitstream would decode to is known before it is decoded."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.odd_pictures.avif import FRAME, box, file_of, obu, sequence_header
from bench.odd_pictures.picture import exif, scene
from service.errors import BAD_PICTURE, TOO_LARGE, RequestError
from service.vision.avif import MAX_FRAMES, frame_pixels, without_exif
from service.vision.image import decode
from tests.service.tiny_models import encoded


@pytest.mark.parametrize("size", [(1, 1), (64, 48), (130, 7), (400, 300)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_the_largest_frame_is_that_which_was_written(size: tuple[int, int], mode: str) -> None:
    assert frame_pixels(encoded(scene(*size, mode), "AVIF", speed=10)) == size[0] * size[1]


def test_a_frame_larger_than_the_file_says_is_not_decoded() -> None:
    """Its properties are made to name 64 x 64 pixels, as Pillow then tells."""
    data = encoded(Image.new("RGB", (600, 400)), "AVIF", speed=10)
    place = data.index(b"ispe") + 8
    data = data[:place] + struct.pack(">II", 64, 64) + data[place + 8 :]
    assert decode(data, 10_000, 0.24).width == 64
    with pytest.raises(RequestError, match=r"frames of 0.2 megapixels; at most 0.2 ") as problem:
        decode(data, 10_000, 0.2)
    assert problem.value.kind is TOO_LARGE


def test_frames_that_may_choose_their_size_count_with_a_quarter_of_their_bits() -> None:
    """A sequence header that is not reduced: a quarter of 2^10 x 2^9 pixels, where 640 x 400 are told."""
    bits = f"000{0}{0}{0}{0}{0:05b}{0:012b}{5:05b}{9:04b}{8:04b}{639:010b}{399:09b}"
    header = obu(1, int(bits.ljust(64, "0"), 2).to_bytes(8))
    assert frame_pixels(file_of(header + obu(FRAME, bytes(9)))) == max(640 * 400, 2**19 // 4)


def test_layers_are_frames_but_a_video_is_none() -> None:
    header, frame = sequence_header(64, 64), obu(FRAME, bytes(9))
    assert frame_pixels(file_of(header + frame * MAX_FRAMES)) == 64 * 64
    with pytest.raises(RequestError, match="single frame") as problem:
        frame_pixels(file_of(header + frame * (MAX_FRAMES + 1)))
    assert problem.value.kind is BAD_PICTURE


def test_exif_is_hidden_and_pixels_stay() -> None:
    data = encoded(scene(40, 30), "AVIF", exif=exif(6).replace(b"\x12\x01", b"\x11\x01"), speed=10)
    hidden = without_exif(data)
    assert len(hidden) == len(data)
    assert hidden != data
    assert without_exif(hidden) is hidden


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_damaged_boxes_are_told_or_refused(place: int, wound: bytes) -> None:
    data = file_of(sequence_header(64, 64) + obu(FRAME, bytes(9)), items=2, extents=2)
    kinds = set()
    try:
        frame_pixels(data[:place] + wound + data[place + len(wound) :])
    except RequestError as problem:
        kinds = {problem.kind}
    assert kinds <= {BAD_PICTURE}


def test_a_file_without_boxes_has_no_frames() -> None:
    assert without_exif(b"") == b""
    with pytest.raises(RequestError):
        frame_pixels(box(b"ftyp", b"avif") + box(b"meta", bytes(4), box(b"iloc", bytes(4), b"\x44\0\0\1")))
