"""Frame rates and timecodes of films (SMPTE ST 12-1)."""

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


def nearest_standard(rate: float | Fraction) -> Fraction:
    """A standard frame rate where one is near, as 30000/1001 of 29.97; otherwise the rate to three decimals."""
    nearest = min(STANDARD, key=lambda standard: abs(float(standard - rate)))
    return nearest if abs(float(nearest - rate)) <= NEAR * nearest else Fraction(round(rate * 1000), 1000)


def parse_timecode(text: str, rate: Fraction) -> Timecode | None:
    """A timecode such as 01:02:03:04, or 01:02:03;04 in drop-frame, of a film of `rate` frames a second; None where
    that is none."""
    match = TEXT.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    nominal = round(rate)
    if hours >= 24 or minutes >= 60 or seconds >= 60 or frames >= nominal:
        return None
    count = (hours * 3600 + minutes * 60 + seconds) * nominal + frames
    drop_frame = match[4] in DROP_FRAME and nominal % 30 == 0 and rate.denominator == 1001
    if drop_frame:  # two numbers of each minute but every tenth are left out, at 60 a second four
        minute = hours * 60 + minutes
        count -= nominal // 15 * (minute - minute // 10)
    return Timecode(count, rate, drop_frame)
