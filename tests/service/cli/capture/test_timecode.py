"""Timecodes against numbers of SMPTE ST 12-1, against the package timecode, and as they are read back."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.cli.capture.take import Timecode
from service.cli.capture.timecode import (
    SECONDS_A_DAY,
    STANDARD,
    at_rate,
    has_drop_frame,
    nearest_standard,
    parse_timecode,
    timecode_text,
)

NTSC, NTSC_60 = Fraction(30000, 1001), Fraction(60000, 1001)
DROP_FRAME = [rate for rate in STANDARD if has_drop_frame(rate)]
A_DAY = 24 * 107_892  # frames at NTSC in drop-frame: 107,892 an hour


def told(timecode: Timecode) -> str:
    """As a film's file tells it: HH:MM:SS:FF, with a semicolon before the frames in drop-frame."""
    whole, _, part = timecode_text(timecode, 0).partition(".")
    assert part == "000"
    numbers, _, frames = whole.rpartition(":")
    return f"{numbers}{';' if timecode.drop_frame else ':'}{frames}"


def test_rates_with_drop_frame() -> None:
    assert DROP_FRAME == [NTSC, NTSC_60, 3 * NTSC, 4 * NTSC, 8 * NTSC]
    assert not any(map(has_drop_frame, [Fraction(30), Fraction(60), Fraction(24000, 1001), Fraction(1, 3)]))


@pytest.mark.parametrize(
    ("text", "rate", "first", "drop_frame"),
    [
        ("00:00:00:00", Fraction(30), 0, False),
        ("01:00:00:12", Fraction(25), 90012, False),
        ("00:00:59;29", NTSC, 1799, True),
        ("00:01:00;02", NTSC, 1800, True),  # after 29 comes 02: the numbers 00 and 01 are left out
        ("00:10:00;00", NTSC, 17982, True),
        ("01:00:00;00", NTSC, 107892, True),  # 3600 s at 29.97 a second
        ("01:00:00;00", NTSC_60, 215784, True),
        ("00:01:00:00", NTSC, 1800, False),
        ("00:01:00;00", Fraction(30), 1800, False),  # no drop-frame at a whole rate
        ("00:00:00:119", Fraction(120), 119, False),
    ],
)
def test_a_timecode_counts_frames_since_midnight(text: str, rate: Fraction, first: int, drop_frame: bool) -> None:
    assert parse_timecode(text, rate) == Timecode(first, rate, drop_frame)


@pytest.mark.parametrize("text", ["", "noon", "24:00:00:00", "00:60:00:00", "00:00:60:00", "00:00:00:30", "1:2:3:4"])
def test_what_is_no_timecode_is_none(text: str) -> None:
    assert parse_timecode(text, Fraction(30)) is None


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
        (A_DAY - 1, NTSC, True, "23:59:59:29.000"),
        (A_DAY, NTSC, True, "00:00:00:00.000"),
        (24 * SECONDS_A_DAY, 24, False, "00:00:00:00.000"),
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


@given(st.sampled_from(DROP_FRAME), st.integers(0, A_DAY - 1), st.booleans())
@example(NTSC, 0, True)
@example(NTSC, A_DAY - 1, True)
@example(NTSC_60, A_DAY - 1, True)
def test_what_is_written_is_read_back(rate: Fraction, first: int, drop_frame: bool) -> None:
    """Of every frame of a day; at multiples of NTSC of so many frames in each."""
    first = first * round(rate / NTSC)
    timecode = Timecode(first, rate, drop_frame)
    assert parse_timecode(told(timecode), rate) == timecode


@given(st.sampled_from(STANDARD), st.integers(0, SECONDS_A_DAY - 1), st.integers(0, 239), st.sampled_from(":;"))
@example(NTSC, SECONDS_A_DAY - 1, 29, ";")
@example(NTSC_60, SECONDS_A_DAY - 1, 59, ";")
@example(NTSC, 60, 2, ";")
@example(NTSC_60, 600, 0, ";")
def test_what_is_read_is_written_back(rate: Fraction, second: int, frame: int, mark: str) -> None:
    """Every timecode up to 23:59:59; the others are those that drop-frame leaves out."""
    minutes, seconds = divmod(second, 60)
    frame %= round(rate)
    mark = mark if has_drop_frame(rate) else ":"
    text = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{mark}{frame:02}"
    timecode = parse_timecode(text, rate)
    if timecode is None:
        assert (mark, seconds) == (";", 0)
        assert minutes % 10
        assert frame < 2 * rate / NTSC
    else:
        assert told(timecode) == text


@pytest.mark.parametrize(("rate", "left_out"), [(NTSC, 2), (NTSC_60, 4)])
def test_numbers_are_left_out_of_each_minute_but_the_tenth(rate: Fraction, left_out: int) -> None:
    nominal = round(rate)
    first = 60 * nominal  # frame of the next minute
    for minute in range(1, 11):
        missing = left_out if minute < 10 else 0
        around = [told(Timecode(frame, rate, True)) for frame in (first - 1, first)]
        assert around == [f"00:{minute - 1:02}:59;{nominal - 1}", f"00:{minute:02}:00;{missing:02}"]
        assert [parse_timecode(f"00:{minute:02}:00;{number:02}", rate) for number in range(missing)] == [None] * missing
        first += 60 * nominal - missing
    assert first - 60 * nominal == round(600 * rate)  # as by the clock


@pytest.fixture(scope="module")
def reference() -> Any:
    return pytest.importorskip("timecode", reason="the package timecode is not installed")


@settings(max_examples=40)
@given(first=st.integers(0, A_DAY - 1), position=st.integers(0, 10_000), rate=st.sampled_from([NTSC, NTSC_60]))
@example(first=0, position=1800, rate=NTSC)
def test_another_reckoning(reference: Any, first: int, position: int, rate: Fraction) -> None:
    name = {NTSC: "29.97", NTSC_60: "59.94"}[rate]
    expected = str(reference.Timecode(name, frames=first + position + 1)).replace(";", ":")
    assert timecode_text(Timecode(first, rate, True), position) == f"{expected}.000"


@pytest.mark.parametrize(
    ("rate", "standard"),
    [
        (29.97, NTSC),
        (30.0, 30),
        (23.976, Fraction(24000, 1001)),
        (59.94, NTSC_60),
        (25, 25),
        (17.5, Fraction(35, 2)),
        (0.2, Fraction(1, 5)),
        (1 / 3600, Fraction(1, 1000)),
    ],
)
def test_a_rate_near_a_standard_one_is_that(rate: float, standard: Fraction) -> None:
    assert nearest_standard(rate) == standard


@pytest.mark.parametrize(
    ("text", "rate", "other", "expected"),
    [
        ("01:02:03:15", Fraction(30), Fraction(60), "01:02:03:30.000"),
        ("01:02:03:29", Fraction(30), Fraction(24), "01:02:03:23.000"),
        ("21:00:00:00", Fraction(30000, 1001), Fraction(25), "21:00:00:00.000"),  # a minute behind the clock
        ("01:00:00;10", Fraction(30000, 1001), Fraction(30), "01:00:00:10.000"),
        ("01:01:00;04", Fraction(60000, 1001), Fraction(30000, 1001), "01:01:00:02.000"),
        ("01:01:00:00", Fraction(25), Fraction(30000, 1001), "01:01:00:00.000"),
        ("10:20:30:04", Fraction(24), Fraction(24, 5), "10:20:30:00.000"),
        ("10:20:30:23", Fraction(24), Fraction(1, 3), "10:20:30:00.000"),
    ],
)
def test_another_rate_keeps_hour_minute_and_second(text: str, rate: Fraction, other: Fraction, expected: str) -> None:
    timecode = parse_timecode(text, rate)
    assert timecode is not None
    assert timecode_text(at_rate(timecode, other), 0) == expected
