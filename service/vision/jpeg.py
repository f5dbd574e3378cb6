"""What the markers of a JPEG file tell (ITU-T T.81, annex B): its size, its scans, and whether they are complete."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from service.errors import BAD_PICTURE, RequestError

# A marker that a length follows, or the end: all but stuffed bytes, fill bytes, TEM and RST.
MARKER: Final = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")
END_OF_IMAGE: Final = b"\xff\xd9"
EOI, SOS = END_OF_IMAGE[1], 0xDA
FRAMES: Final = {0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA}  # SOF markers of the processes that libjpeg-turbo decodes
PROGRESSIVE: Final = {0xC2, 0xCA}
LOSSLESS: Final = 0xC3
BLOCK: Final = 8  # samples along the side of a block
ALL_COEFFICIENTS: Final = (1 << BLOCK**2) - 1
COEFFICIENT_BYTES: Final = 2
# Photos have some 20, and some 200 with profiles and previews. Each costs time, but may have only 4 bytes.
MAX_SEGMENTS: Final = 10_000


@dataclass(frozen=True)
class JpegFrame:
    """The frame of a JPEG.

    width, height: pixels. lossless: coded without the DCT, so that it cannot be decoded at a reduced size.
    coefficient_bytes: that the decoder holds of the whole picture, 0 where it needs none; it does where several scans
    make up the pixels. scans: their number. complete: whether they hold all coefficients. ended: whether an end marker
    follows them. The last three are counted only where several scans make up the pixels.
    """

    width: int
    height: int
    lossless: bool
    coefficient_bytes: int = 0
    scans: int = 1
    complete: bool = True
    ended: bool = True


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Walks the markers of a JPEG up to its end: the code of each, where it starts, and where its data end.

    A scan's entropy-coded bytes follow its data. The end marker is the last that is found, or there is none where the
    file is cut. What follows the picture is not looked at.
    Raises RequestError BAD_PICTURE where there are more than MAX_SEGMENTS.
    """
    start = 2
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(data, start)
        if found is None:
            return
        length = found.end()
        marker = data[length - 1]
        if marker == EOI:
            yield EOI, length - 2, length
            return
        start = length + int.from_bytes(data[length : length + 2])
        yield marker, length - 2, start
    raise RequestError(BAD_PICTURE, f"The JPEG has over {MAX_SEGMENTS} segments. Save it again, without metadata.")


def frame_of(data: bytes) -> JpegFrame | None:
    """Reads the frame of a JPEG; None where the file has none that can be decoded, or ends before its first scan."""
    walk = segments(data)
    frame = b""
    process = 0
    for marker, start, end in walk:
        if marker in FRAMES:
            process, frame = marker, data[start + 4 : end]
        if marker == SOS:
            break
    else:
        return None
    count = frame[5] if len(frame) > 5 else 0
    components = [(frame[6 + 3 * i], frame[7 + 3 * i]) for i in range(count) if 8 + 3 * i < len(frame)]
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    if not components or not width or not height:
        return None
    scan = data[start + 4 : end]
    if process not in PROGRESSIVE and scan[:1] == frame[5:6]:  # one scan holds all of it
        return JpegFrame(width, height, process == LOSSLESS)
    scans, ended = [scan], False
    for marker, start, end in walk:
        ended = marker == EOI
        if marker == SOS:
            scans.append(data[start + 4 : end])
    return JpegFrame(
        width,
        height,
        process == LOSSLESS,
        _coefficient_bytes(width, height, components),
        len(scans),
        end <= len(data) and _hold_all(scans, [name for name, _ in components]),
        ended,
    )


def _hold_all(scans: list[bytes], components: list[int]) -> bool:
    """Whether scans hold every coefficient of the components to its last bit. scans: the data of their headers."""
    found = dict.fromkeys(components, 0)  # a bit for each coefficient
    for scan in scans:
        first, last, approximation = scan[-3:].rjust(3, b"\0")
        if not approximation & 15:
            for name in scan[1:-3:2]:
                found[name] = found.get(name, 0) | (2 << min(last, BLOCK**2 - 1)) - (1 << min(first, BLOCK**2 - 1))
    return all(found[name] == ALL_COEFFICIENTS for name in components)


def _coefficient_bytes(width: int, height: int, components: list[tuple[int, int]]) -> int:
    """Bytes of all coefficients, without those that fill blocks up. components: name, and sampling factors in four bits
    each."""
    sampling = [(factors >> 4, factors & 15) for _, factors in components]
    most = max(across for across, _ in sampling) * max(down for _, down in sampling)
    return COEFFICIENT_BYTES * width * height * sum(across * down for across, down in sampling) // max(1, most)
