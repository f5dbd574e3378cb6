"""Frame rates and timecodes of films, by SMPTE ST 12-1.

A timecode numbers a frame HH:MM:SS:FF, with FF up to the whole frames a second: to 29 at 29.97, where the numbers fall
behind the clock. Drop-frame makes up for it: in every minute but each tenth the numbers 0 and 1 are left out, though no
frame is; at 59.94 the numbers 0 to 3.
"""

import re
from fractions import Fraction
from typing import Final

from service.cli.capture.take import Timecode

TEXT: Final = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d{2,3})")
DROP_FRAME: Final = ";.,"  # before the frames, where the numbers of some are left out
STANDARD: Final = tuple(
    Fraction(rate) * factor
    for rate in (24, 25, 30, 48, 50, 60, 90, 100, 120, 240)
    for factor in (Fraction(1), Fraction(1000, 1001))
)
NEAR: Final = 5e-4  # of a rate, within which it is a standard one: half the difference between 30 and 30000/1001
SECONDS_A_DAY: Final = 86400
PARTS: Final = 1000  # of a frame


def nearest_standard(rate: float | Fraction) -> Fraction:
    """A standard frame rate where one is near, as 30000/1001 of 29.97; otherwise the rate to three decimals, 0.001 at
    least."""
    nearest = min(STANDARD, key=lambda standard: abs(float(standard - rate)))
    return nearest if abs(float(nearest - rate)) <= NEAR * nearest else Fraction(max(1, round(rate * 1000)), 1000)


def has_drop_frame(rate: Fraction) -> bool:
    """Whether there is drop-frame at a rate: at 29.97 and its multiples."""
    return rate.denominator == 1001 and round(rate) % 30 == 0


def parse_timecode(text: str, rate: Fraction) -> Timecode | None:
    """The timecode of a text such as 01:02:03:04, or 01:02:03;04 in drop-frame, at `rate` frames a second.

    None where there is no such timecode, also for a number that drop-frame leaves out.
    """
    match = TEXT.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    nominal = _nominal(rate)
    if hours >= 24 or minutes >= 60 or seconds >= 60 or frames >= nominal:
        return None
    drop_frame = match[4] in DROP_FRAME and has_drop_frame(rate)
    dropped = _dropped(rate) if drop_frame else 0
    if minutes % 10 and not seconds and frames < dropped:
        return None
    minute = hours * 60 + minutes
    number = (minute * 60 + seconds) * nominal + frames
    return Timecode(number - dropped * (minute - minute // 10), rate, drop_frame)


def timecode_text(timecode: Timecode, position: float) -> str:
    """HH:MM:SS:FF.fff of a moment, fff being thousandths of a frame; it starts again at midnight.

    position: frames from the film's first one.
    """
    frame, part = divmod(round((timecode.first + position) * PARTS), PARTS)
    nominal = _nominal(timecode.rate)
    dropped = _dropped(timecode.rate) if timecode.drop_frame and has_drop_frame(timecode.rate) else 0
    first_minute, ten_minutes = nominal * 60, nominal * 600 - 9 * dropped  # frames
    tens, rest = divmod(frame % (SECONDS_A_DAY // 600 * ten_minutes), ten_minutes)
    minutes = 0 if rest < first_minute else 1 + (rest - first_minute) // (first_minute - dropped)
    number = tens * nominal * 600 + rest + dropped * minutes
    seconds, number = divmod(number, nominal)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{number:02}.{part:03}"


def at_rate(timecode: Timecode, rate: Fraction) -> Timecode:
    """The timecode of the same hour, minute and second at another rate, and the frame of that rate at its place in the
    second; drop-frame where that rate has it. It is what is read on a clapperboard, and not the time since midnight,
    from which the numbers of 29.97 frames a second differ."""
    clock, _, frame = timecode_text(timecode, 0).rpartition(":")
    number = int(float(frame) * _nominal(rate) / _nominal(timecode.rate))
    drop_frame = timecode.drop_frame and has_drop_frame(rate)
    colon = ";" if drop_frame else ":"
    there = parse_timecode(f"{clock}{colon}{number:02}", rate)
    # Drop-frame may leave that number out: the next one is there.
    return there or parse_timecode(f"{clock}{colon}{_dropped(rate):02}", rate) or Timecode(0, rate)


def _nominal(rate: Fraction) -> int:
    """Numbers of frames in a second."""
    return max(round(rate), 1)


def _dropped(rate: Fraction) -> int:
    """Numbers that drop-frame leaves out of a minute, so that ten minutes have as many frames as by the clock."""
    return round(rate) // 15
