"""Odd AVIF files, and HEIC ones, which have the same boxes."""

import struct
from collections.abc import Iterator

import cv2
import numpy as np
from PIL import AvifImagePlugin

from bench.odd_pictures.picture import OddPicture, encoded, exif, scene, xmp
from service.errors import BAD_PICTURE, TOO_LARGE

SEQUENCE_HEADER, FRAME = 1, 6  # types of OBUs


def box(kind: bytes, *parts: bytes) -> bytes:
    """A length, a type and content."""
    content = b"".join(parts)
    return struct.pack(">I", len(content) + 8) + kind + content


def obu(kind: int, data: bytes) -> bytes:
    """An OBU of fewer than 128 bytes, with its size."""
    return bytes([kind << 3 | 2, len(data)]) + data


def sequence_header(width: int, height: int) -> bytes:
    """Of a still picture of 8 bits: profile, still, reduced, level, bits of both sides, both sides."""
    bits = f"000{1}{1}{31:05b}{15:04b}{15:04b}{width - 1:016b}{height - 1:016b}"
    return obu(SEQUENCE_HEADER, int(bits.ljust(56, "0"), 2).to_bytes(7))


def file_of(item: bytes, extents: int = 1, items: int = 1) -> bytes:
    """A file that names 64 x 64 pixels, whose items all lie in the same place."""
    start = box(b"ftyp", b"avif", bytes(4), b"avifmif1miaf")

    def meta(offset: int) -> bytes:
        infe = [
            box(b"infe", b"\2\0\0\0", struct.pack(">HH", number, 0), b"av01", b"\0") for number in range(1, items + 1)
        ]
        extent = struct.pack(">II", offset, len(item)) * extents
        places = [struct.pack(">HHH", number, 0, extents) + extent for number in range(1, items + 1)]
        properties = box(b"ipco", box(b"ispe", bytes(4), struct.pack(">II", 64, 64)), box(b"av1C", b"\x81\0\x0c\0"))
        return box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", bytes(4), b"\0\1"),
            box(b"iloc", bytes(4), b"\x44\0", struct.pack(">H", items), *places),
            box(b"iinf", bytes(4), struct.pack(">H", items), *infe),
            box(b"iprp", properties, box(b"ipma", bytes(4), struct.pack(">IHB", 1, 1, 2), b"\x01\x82")),
        )

    return start + meta(len(start) + len(meta(0)) + 8) + box(b"mdat", item)


def pictures() -> Iterator[OddPicture]:
    """All of them."""
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    for size in ((1, 1), (1, 40), (40, 1), (17, 33), (64, 48)):
        for mode in ("RGB", "RGBA"):
            yield OddPicture(f"avif {size} {mode}", encoded(scene(*size, mode), "AVIF", speed=10))
    for subsampling in ("4:2:0", "4:2:2", "4:4:4", "4:0:0"):
        yield OddPicture(f"avif {subsampling}", encoded(scene(50, 30), "AVIF", subsampling=subsampling, speed=10))
    yield OddPicture("avif lossless", encoded(scene(50, 30), "AVIF", quality=100, subsampling="4:4:4", speed=10))
    for depth in (10, 12):
        deep = np.asarray(scene(50, 30)).astype(np.uint16)[..., ::-1] << (depth - 8)
        done, data = cv2.imencode(".avif", deep, [cv2.IMWRITE_AVIF_DEPTH, depth, cv2.IMWRITE_AVIF_SPEED, 10])
        assert done
        yield OddPicture(f"avif of {depth} bits", data.tobytes())
    clean = encoded(scene(60, 40), "AVIF", speed=10)
    for value in range(1, 9):
        turned = encoded(scene(60, 40), "AVIF", exif=exif(value), speed=10)  # Pillow writes irot and imir
        yield OddPicture(f"avif irot and imir of {value}", turned, clean, value)
    yield from damaged(clean)
    yield from costly()


def damaged(clean: bytes) -> Iterator[OddPicture]:
    """Metadata that are broken, and files that are cut."""
    other_tag = exif(6).replace(b"\x12\x01", b"\x11\x01")  # Pillow would make irot of Orientation
    with_exif = encoded(scene(60, 40), "AVIF", exif=other_tag, speed=10)
    turned = with_exif.replace(b"\x11\x01\x03\0", b"\x12\x01\x03\0")
    yield OddPicture("avif EXIF without irot is not obeyed", turned, clean)
    yield OddPicture("avif EXIF that is none", with_exif.replace(b"II*\0", b"none"), clean)
    yield OddPicture("avif EXIF that points outside", with_exif.replace(b"II*\0\x08", b"II*\0\xff"), clean)
    yield OddPicture("avif XMP is not obeyed", encoded(scene(60, 40), "AVIF", xmp=xmp(6), speed=10), clean)
    profile = encoded(scene(60, 40), "AVIF", icc_profile=b"none" * 9, speed=10)
    yield OddPicture("avif profile that is none", profile, clean)
    yield OddPicture("avif with a trailer", clean + box(b"free", bytes(1000)), clean)
    for part in (0.1, 0.3, 0.6, 0.95):
        yield OddPicture(f"avif cut at {part}", clean[: int(len(clean) * part)], refused=BAD_PICTURE)
    frames = [scene(30, 20), scene(30, 20).rotate(180)]
    animated = encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:], speed=10)
    yield OddPicture("avif animated", animated, refused=BAD_PICTURE)


def costly() -> Iterator[OddPicture]:
    """Little data that would take much time or memory."""
    frame = obu(FRAME, bytes(20))
    big = sequence_header(16384, 16384)
    yield OddPicture("avif 64x64 with a frame of 268 megapixels", file_of(big + frame), refused=TOO_LARGE)
    later = sequence_header(64, 64) + frame + big + frame
    yield OddPicture("avif with a second frame of 268 megapixels", file_of(later), refused=TOO_LARGE)
    small = sequence_header(64, 64)
    yield OddPicture("avif of 1000 frames in one", file_of(small + frame * 1000), refused=BAD_PICTURE)
    yield OddPicture("avif of 2000 items in one place", file_of(small + frame, items=2000), refused=BAD_PICTURE)
    yield OddPicture("avif of 4000 extents in one place", file_of(small + frame, extents=4000), refused=BAD_PICTURE)
    yield OddPicture("avif of nothing", box(b"ftyp", b"avif", bytes(4), b"avifmif1miaf"), refused=BAD_PICTURE)
    clean = encoded(scene(60, 40), "AVIF", speed=10)
    place = clean.index(b"ispe") + 8
    large = clean[:place] + struct.pack(">II", 20_000, 16_000) + clean[place + 8 :]
    yield OddPicture("avif that names 320 megapixels", large, refused=BAD_PICTURE)
