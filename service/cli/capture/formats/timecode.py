"""Time code as text, by SMPTE ST 12-1."""

from typing import Final

from service.cli.capture.take import Timecode

SECONDS_A_DAY: Final = 86400
PARTS: Final = 1000  # of a frame


def timecode_text(timecode: Timecode, position: float) -> str:
    """HH:MM:SS:FF.fff of a moment, fff being thousandths of a frame; it starts again at midnight.

    position: frames from the film's first one. Frames are counted in whole ones a second: 30 at 29.97 frames a second.
    With drop-frame time code the numbers 0 and 1 (0 to 3 at 59.94) are left out of every minute but each tenth.
    """
    number, part = divmod(round((timecode.first + position) * PARTS), PARTS)
    rate = max(round(timecode.rate), 1)
    dropped = rate // 15 if timecode.drop_frame and rate % 30 == 0 else 0  # numbers a minute
    first_minute, ten_minutes = rate * 60, rate * 600 - 9 * dropped  # frames
    number %= SECONDS_A_DAY // 600 * ten_minutes
    tens, rest = divmod(number, ten_minutes)
    minutes = 0 if rest < first_minute else 1 + (rest - first_minute) // (first_minute - dropped)
    seconds, frame = divmod(number + dropped * (9 * tens + minutes), rate)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frame:02}.{part:03}"
