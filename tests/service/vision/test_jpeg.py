"""What the markers tell is what Pillow decodes; files without an end are told from those that are cut."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.odd_pictures.jpeg import one_scan_for_each, segment, with_segments
from bench.odd_pictures.picture import scene
from service.errors import BAD_PICTURE, RequestError
from service.vision.image import decode
from service.vision.jpeg import MAX_SEGMENTS, frame_of, segments
from tests.service.tiny_models import encoded

ALL = 10_000


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(
    ("subsampling", "samples"), [("4:4:4", 3 * 64 * 48), ("4:2:2", 2 * 64 * 48), ("4:2:0", 1.5 * 64 * 48)]
)
def test_what_a_decoder_holds_follows_from_the_sampling(subsampling: str, samples: float, progressive: bool) -> None:
    data = encoded(scene(64, 48), "JPEG", subsampling=subsampling, progressive=progressive)
    frame = frame_of(data)
    assert frame is not None
    assert (frame.width, frame.height, frame.lossless) == (64, 48, False)
    assert frame.coefficient_bytes == (2 * samples if progressive else 0)  # 16 bits for each


def test_scans_are_counted_up_to_the_end_of_the_first_picture() -> None:
    data = encoded(scene(64, 48), "JPEG", progressive=True)
    frame = frame_of(with_segments(data, segment(0xFE, b"\xff\xda" * 100)) + data + b"\xff\xda" * 100)
    assert frame is not None
    assert frame.scans == len(re.findall(b"\xff\xda", data))  # it has no comment, and a scan has no such bytes
    assert frame.complete
    assert frame.ended


def test_a_file_of_one_scan_for_each_component_is_complete_with_the_last() -> None:
    data = one_scan_for_each(scene(64, 48))
    for cut, complete in ((len(data), True), (len(data) - 2, True), (data.rindex(b"\xff\xda"), False)):
        frame = frame_of(data[:cut])
        assert frame is not None
        assert (frame.complete, frame.ended) == (complete, cut == len(data))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_blocks": 3}])
def test_every_byte_of_the_data_counts_but_the_last_few(options: dict[str, int]) -> None:
    """Of a file cut anywhere the picture is whole, as far as can be seen, or refused."""
    data = encoded(scene(96, 80), "JPEG", quality=90, **options)
    whole = decode(data, ALL, 25).pixels.astype(int)
    accepted, kinds = [], set()
    for cut in range(len(data) - 1, len(data) - 200, -1):
        try:
            pixels = decode(data[:cut], ALL, 25).pixels
        except RequestError as problem:
            kinds.add(problem.kind)
        else:
            accepted.append(cut)
            assert np.count_nonzero(np.abs(pixels - whole).max(axis=-1) > 2) <= 2 * 16**2  # in the last two blocks
    assert kinds == {BAD_PICTURE}
    assert len(data) - 2 in accepted  # without an end marker
    assert min(accepted) > len(data) - 20


def test_many_segments_are_refused() -> None:
    data = encoded(scene(64, 48), "JPEG")
    with pytest.raises(RequestError, match=f"over {MAX_SEGMENTS} segments"):
        decode(with_segments(data, segment(0xFE, b"") * MAX_SEGMENTS), ALL, 25)


@given(st.binary(max_size=60), st.integers(0, 700))
def test_any_bytes_end_the_walk(inserted: bytes, place: int) -> None:
    data = encoded(Image.new("L", (8, 8)), "JPEG", progressive=True)
    damaged = data[:place] + inserted + data[place:]
    ends = [end for _, _, end in segments(damaged)]
    assert ends == sorted(ends)
    frame_of(damaged)
