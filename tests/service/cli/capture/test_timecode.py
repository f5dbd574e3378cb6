from fractions import Fraction

import pytest

from service.cli.capture.take import Timecode
from service.cli.capture.timecode import nearest_standard, parse_timecode

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("text", "rate", "first", "drop_frame"),
    [
        ("00:00:00:00", Fraction(30), 0, False),
        ("01:00:00:12", Fraction(25), 90012, False),
        ("00:00:59;29", NTSC, 1799, True),
        ("00:01:00;02", NTSC, 1800, True),  # after 29 comes 02: the numbers 00 and 01 are left out
        ("00:10:00;00", NTSC, 17982, True),
        ("01:00:00;00", NTSC, 107892, True),  # 3600 s at 29.97 a second
        ("01:00:00;00", 2 * NTSC, 215784, True),
        ("00:01:00:00", NTSC, 1800, False),
        ("00:01:00;00", Fraction(30), 1800, False),  # no drop-frame at a whole rate
    ],
)
def test_a_timecode_counts_frames_since_midnight(text: str, rate: Fraction, first: int, drop_frame: bool) -> None:
    assert parse_timecode(text, rate) == Timecode(first, rate, drop_frame)


@pytest.mark.parametrize("text", ["", "noon", "24:00:00:00", "00:60:00:00", "00:00:00:30", "1:2:3:4"])
def test_what_is_no_timecode_is_none(text: str) -> None:
    assert parse_timecode(text, Fraction(30)) is None


@pytest.mark.parametrize(
    ("rate", "standard"),
    [(29.97, NTSC), (30.0, 30), (23.976, Fraction(24000, 1001)), (59.94, 2 * NTSC), (25, 25), (17.5, Fraction(35, 2))],
)
def test_a_rate_near_a_standard_one_is_that(rate: float, standard: Fraction) -> None:
    assert nearest_standard(rate) == standard
