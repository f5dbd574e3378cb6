"""Looks into an AVIF file before it is decoded: what it would cost, and that no EXIF block breaks it.

The decoder trusts the size in the file's properties when it is asked, and that in the AV1 bitstream when it decodes. A
file of a kilobyte may name 64 x 64 pixels in the first and 16384 x 16384 in the second, or hide a thousand frames that
are never shown. So both are read here: boxes of ISO/IEC 14496-12 and 23008-12, OBUs of the AV1 specification.
"""

from collections.abc import Iterator
from typing import Final

from service.errors import BAD_PICTURE, RequestError

# A photo has one item, with metadata, alpha and thumbnail four or five; one made of tiles has one for each. An item
# takes at least 21 bytes of the box iinf, so this is for 3000 of them.
MAX_TABLE: Final = 64 * 1024  # bytes of a box that lists items
MAX_BOXES: Final = 4096  # in the file, or in a box
MAX_OBUS: Final = 4096 + 64  # in an item: its tile groups, which are as many as its tiles at most, and few others
MAX_FRAMES: Final = 4  # in an item: its layers (AV1 Image File Format, 2.1)
MAX_SEQUENCE_HEADER: Final = 512  # bytes up to the size: 32 operating points of 89 bits at most, 20 before them
VERSION: Final = 4  # bytes that many boxes begin with: a version and flags
EXTENSION, HAS_SIZE = 4, 2  # bits of an OBU's header
SEQUENCE_HEADER, FRAME_HEADER, FRAME = 1, 3, 6  # types of OBUs

Box = tuple[bytes, int, int]  # type; where its content starts and ends


class MalformedError(Exception):
    """A file that does not have the form of an AVIF."""


def without_exif(data: bytes) -> bytes:
    """The file with its EXIF items renamed, so that decoders pass them over; unchanged where it has none."""
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"meta":
            meta = data[start:end]
            renamed = meta.replace(b"Exif", b"skip")
            return data if renamed == meta else b"".join((data[:start], renamed, data[end:]))
    return data


def frame_pixels(data: bytes) -> int:
    """Number of pixels of the largest frame that the AV1 bitstream of any item may decode to.

    Raises RequestError BAD_PICTURE where the file has several frames, more items than any picture needs, or no form
    that can be told.
    """
    if any(kind == b"moov" for kind, _, _ in _boxes(data, 0, len(data))):
        raise several_frames()
    try:
        return max((_frame_pixels(item) for item in _coded_items(data)), default=0)
    except (IndexError, MalformedError) as error:
        raise RequestError(
            BAD_PICTURE, "The AVIF file is truncated or corrupt. Send the complete file, or save it again."
        ) from error


def several_frames() -> RequestError:
    """The error of an animation."""
    return RequestError(
        BAD_PICTURE, "The file is animated or has several frames; one was expected. Send a single frame."
    )


def _boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    for _ in range(MAX_BOXES):
        size, content = int.from_bytes(data[start : start + 4]), start + 8
        if size == 1:  # a longer number tells it
            size, content = int.from_bytes(data[content : content + 8]), content + 8
        if size == 0:  # the last box
            size = end - start
        if content > end or start + size < content:
            return
        yield data[start + 4 : start + 8], content, min(start + size, end)
        start += size


class _Fields:
    """Reads whole numbers, one after the other, out of bytes. Raises MalformedError at their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._bit = 0

    def bits(self, count: int) -> int:
        end = self._bit + count
        if end > 8 * len(self._data):
            raise MalformedError
        value = int.from_bytes(self._data[self._bit // 8 : (end + 7) // 8]) >> -end % 8
        self._bit = end
        return value & ((1 << count) - 1)

    def bytes(self, count: int) -> int:
        return self.bits(8 * count)


def _coded_items(data: bytes) -> Iterator[bytes]:
    """The AV1 bitstreams of a file: of the picture, or each of its tiles, of its alpha and thumbnails."""
    children: dict[bytes, bytes] = {}
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"meta":
            children = {name: data[first:last] for name, first, last in _boxes(data, start + VERSION, end)}
            break
    properties = children.get(b"iprp", b"")
    tables = [children.get(name, b"") for name in (b"iinf", b"iloc", b"iref")]
    tables += [properties[start:end] for kind, start, end in _boxes(properties, 0, len(properties)) if kind == b"ipma"]
    if any(len(table) > MAX_TABLE for table in tables):
        raise MalformedError
    coded = _coded_ids(tables[0])
    left = len(data)
    for item, in_idat, extents in _locations(tables[1]):
        source = children.get(b"idat", b"") if in_idat else data
        parts = [memoryview(source)[offset:][: length or None] for offset, length in extents]
        left -= sum(map(len, parts))
        if left < 0:  # what decoders copy for each item may be many times the file
            raise MalformedError
        if item in coded:
            yield b"".join(parts)


def _coded_ids(iinf: bytes) -> set[int]:
    """The numbers of the items that are AV1 bitstreams, by the box iinf."""
    start = VERSION + (4 if iinf[:1] > b"\0" else 2)
    found = set()
    for _, first, last in _boxes(iinf, start, len(iinf)):
        infe = iinf[first:last]
        digits = 4 if infe[:1] > b"\x02" else 2
        if infe[VERSION + digits + 2 :][:4] == b"av01":
            found.add(int.from_bytes(infe[VERSION : VERSION + digits]))
    return found


def _locations(iloc: bytes) -> Iterator[tuple[int, bool, list[tuple[int, int]]]]:
    """Each item's number, whether it lies in the box idat, and its extents, by the box iloc."""
    fields = _Fields(iloc)
    version = fields.bytes(1)
    fields.bytes(3)
    offset_size, length_size, base_size, index_size = (fields.bits(4) for _ in range(4))
    for _ in range(fields.bytes(2 if version < 2 else 4)):
        item = fields.bytes(2 if version < 2 else 4)
        method = fields.bytes(2) & 15 if version else 0
        fields.bytes(2)
        base = fields.bytes(base_size)
        extents = []
        count = fields.bytes(2)
        if count > MAX_BOXES:
            raise MalformedError
        for _ in range(count):
            fields.bytes(index_size if version else 0)
            extents.append((base + fields.bytes(offset_size), fields.bytes(length_size)))
        if method > 1:
            raise MalformedError
        yield item, method == 1, extents


def _frame_pixels(item: bytes) -> int:
    """Number of pixels of the largest frame in an AV1 bitstream (section 5.3)."""
    largest = frames = start = 0
    for _ in range(MAX_OBUS):
        if start >= len(item):
            return largest
        header = item[start]
        start += 2 if header & EXTENSION else 1
        size = len(item) - start
        if header & HAS_SIZE:
            size = shift = 0
            while True:  # leb128
                size |= (item[start] & 127) << shift
                shift += 7
                start += 1
                if item[start - 1] < 128 or shift == 56:
                    break
        kind = header >> 3 & 15
        if kind == SEQUENCE_HEADER:
            largest = max(largest, _sequence_pixels(item[start : start + MAX_SEQUENCE_HEADER]))
        frames += kind in (FRAME_HEADER, FRAME)
        if frames > MAX_FRAMES:
            raise several_frames()
        start += size
    raise MalformedError


def _sequence_pixels(header: bytes) -> int:
    """Number of pixels of the frames that follow a sequence header (section 5.5).

    A header of a video lets each frame choose its size, in as many bits as the header gives. The numbers of bits that
    the largest size takes let it have four times the pixels at most, so a quarter of what the bits allow is told.
    """
    fields = _Fields(header)
    fields.bits(4)  # profile, still picture
    reduced = fields.bits(1)
    if reduced:
        fields.bits(5)
    else:
        delay_bits = 0
        if fields.bits(1):  # timing
            fields.bits(64)
            if fields.bits(1):
                _skip_uvlc(fields)
            if fields.bits(1):  # decoder model
                delay_bits = fields.bits(5) + 1
                fields.bits(42)
        display_delays = fields.bits(1)
        for _ in range(fields.bits(5) + 1):  # operating points
            fields.bits(12)
            if fields.bits(5) > 7:
                fields.bits(1)
            if delay_bits and fields.bits(1):
                fields.bits(2 * delay_bits + 1)
            if display_delays and fields.bits(1):
                fields.bits(4)
    across, down = fields.bits(4) + 1, fields.bits(4) + 1
    width, height = fields.bits(across) + 1, fields.bits(down) + 1
    return width * height if reduced else max(width * height, 1 << across + down - 2)


def _skip_uvlc(fields: _Fields) -> None:
    zeros = 0
    while not fields.bits(1):
        zeros += 1
    fields.bits(zeros)
