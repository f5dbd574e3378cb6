"""What a picture may cost: limits on time and memory, told by its size before it is decoded."""

from typing import Final

from service.errors import BAD_PICTURE, TOO_LARGE, RequestError
from service.vision.jpeg import JpegFrame

# Most pixels along a side, four times as many as a JPEG or AVIF can have. Each row takes some time and memory, so a
# picture of 1 x 25,000,000 would cost ten times as much as a square of as many pixels.
MAX_SIDE: Final = 2**18

# A JPEG is decoded at 1/2, 1/4 or 1/8 of its size, which leaves little but reading its bytes. A baseline JPEG of 200
# megapixels, the most of any phone, then takes as long as a PNG of 25, and a tenth of its memory.
JPEG_PIXELS: Final = 8  # times as many as a PNG may have
# A progressive JPEG holds its picture in about 10 scans. Each costs a pass over the whole picture (30 ms at 25
# megapixels) but may have only 20 bytes, so a small file with thousands of them would keep a core busy for minutes.
MAX_JPEG_SCANS: Final = 32
# It is also held in memory as coefficients: of 25 megapixels with full colour, or of 50 with colour at half size.
COEFFICIENT_BYTES: Final = 6  # for each pixel that a PNG may have


def check_size(noun: str, width: int, height: int, max_megapixels: float) -> None:
    """Raises RequestError TOO_LARGE for more pixels than allowed, in all or along a side. noun: picture or frame."""
    size = f"The {noun} is {width} x {height}"
    if width * height > max_megapixels * 1e6:
        raise too_many_pixels(f"{size} = {width * height / 1e6:.1f} megapixels", max_megapixels)
    if max(width, height) > MAX_SIDE:
        raise RequestError(TOO_LARGE, f"{size} pixels; at most {MAX_SIDE} are allowed along a side. Scale it down.")


def check_jpeg(frame: JpegFrame, max_megapixels: float) -> None:
    """Raises RequestError where a JPEG would cost more time or memory than a PNG of max_megapixels: TOO_LARGE, or
    BAD_PICTURE where it has more scans than any picture needs."""
    check_size("picture", frame.width, frame.height, max_megapixels * (1 if frame.lossless else JPEG_PIXELS))
    if frame.scans > MAX_JPEG_SCANS:
        raise RequestError(BAD_PICTURE, f"The JPEG has over {MAX_JPEG_SCANS} scans. Save it again, as a baseline JPEG.")
    size = f"The picture is a progressive JPEG of {frame.width} x {frame.height} pixels"
    cure = "Save it as a baseline JPEG, or scale it down."
    megabytes, most_megabytes = frame.coefficient_bytes / 1e6, COEFFICIENT_BYTES * max_megapixels
    if megabytes > most_megabytes:
        raise RequestError(
            TOO_LARGE,
            f"{size}, which takes {megabytes:.0f} MB to decode; at most {most_megabytes:g} are allowed. {cure}",
        )
    most_scans = MAX_JPEG_SCANS * max_megapixels * 1e6 / (frame.width * frame.height)
    if frame.scans > most_scans:
        raise RequestError(
            TOO_LARGE, f"{size} in {frame.scans} scans; at most {most_scans:.0f} are allowed of that size. {cure}"
        )


def too_many_pixels(what: str, max_megapixels: float) -> RequestError:
    """The error of a picture that is larger than allowed. what: it and its size, the beginning of a sentence."""
    return RequestError(TOO_LARGE, f"{what}; at most {max_megapixels:g} are allowed. Scale it down.")
