"""Time code against numbers of SMPTE ST 12-1, and against the package timecode."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.cli.capture.formats.timecode import timecode_text
from service.cli.capture.take import Timecode

NTSC, NTSC_60 = Fraction(30000, 1001), Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("frames", "rate", "drop_frame", "expected"),
    [
        (0, 30, False, "00:00:00:00.000"),
        (3723 * 25 + 24, 25, False, "01:02:03:24.000"),
        (1799, NTSC, True, "00:00:59:29.000"),
        (1800, NTSC, True, "00:01:00:02.000"),  # 0 and 1 are left out
        (17981, NTSC, True, "00:09:59:29.000"),
        (17982, NTSC, True, "00:10:00:00.000"),  # of a tenth minute they are not
        (107892, NTSC, True, "01:00:00:00.000"),
        (107892, NTSC, False, "00:59:56:12.000"),  # the count runs slow
        (3600, NTSC_60, True, "00:01:00:04.000"),
        (215784, NTSC_60, True, "01:00:00:00.000"),
        (24 * 107892 - 1, NTSC, True, "23:59:59:29.000"),
        (24 * 107892, NTSC, True, "00:00:00:00.000"),
        (24 * 3600 * 24, 24, False, "00:00:00:00.000"),
        (47, Fraction(24000, 1001), False, "00:00:01:23.000"),
        (24, 24, True, "00:00:01:00.000"),  # there is no drop-frame time code of 24
        (5, Fraction(1, 3), False, "00:00:05:00.000"),  # less than one frame a second
    ],
)
def test_by_hand(frames: int, rate: Fraction | int, drop_frame: bool, expected: str) -> None:
    assert timecode_text(Timecode(frames, Fraction(rate), drop_frame), 0) == expected


def test_a_moment_between_frames() -> None:
    timecode = Timecode(0, Fraction(30))
    assert timecode_text(timecode, 1.25) == "00:00:00:01.250"
    assert timecode_text(timecode, 29.9996) == "00:00:01:00.000"


@pytest.fixture(scope="module")
def reference() -> Any:
    return pytest.importorskip("timecode", reason="the package timecode is not installed")


@settings(max_examples=40)
@given(first=st.integers(0, 2_589_407), position=st.integers(0, 10_000), rate=st.sampled_from([NTSC, NTSC_60]))
@example(first=0, position=1800, rate=NTSC)
def test_another_reckoning(reference: Any, first: int, position: int, rate: Fraction) -> None:
    name = {NTSC: "29.97", NTSC_60: "59.94"}[rate]
    expected = str(reference.Timecode(name, frames=first + position + 1)).replace(";", ":")
    assert timecode_text(Timecode(first, rate, True), position) == f"{expected}.000"
