"""Odd JPEG files."""

import struct
from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image

from bench.odd_pictures.picture import OddPicture, encoded, exif, scene, xmp
from service.errors import BAD_PICTURE, TOO_LARGE

SOI, EOI, SOS = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"
SIZES: Final = ((1, 1), (1, 9), (9, 1), (8, 8), (16, 16), (17, 33), (33, 17), (64, 48), (3, 200), (200, 3))
XMP_NAME: Final = b"http://ns.adobe.com/xap/1.0/\0"
ICC_NAME: Final = b"ICC_PROFILE\0\1\1"


def segment(marker: int, data: bytes) -> bytes:
    """A marker, a length and data."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segments(data: bytes, *parts: bytes) -> bytes:
    """The file with more segments at its beginning."""
    return SOI + b"".join(parts) + data[2:]


def pictures() -> Iterator[OddPicture]:
    """All of them."""
    yield from colours()
    yield from orientations()
    yield from trailers()
    yield from ends()
    yield from damaged_metadata()
    yield from costly()


def colours() -> Iterator[OddPicture]:
    """Colour modes, sampling, sizes, ways of coding."""
    for width, height in SIZES:
        for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
            for progressive in (False, True):
                data = encoded(scene(width, height), "JPEG", subsampling=subsampling, progressive=progressive)
                yield OddPicture(f"jpeg {width}x{height} {subsampling} {'progressive' * progressive}", data)
    for mode in ("L", "CMYK"):
        for progressive in (False, True):
            data = encoded(scene(50, 30, mode), "JPEG", progressive=progressive)
            yield OddPicture(f"jpeg {mode} {'progressive' * progressive}", data)
            yield OddPicture(
                f"jpeg {mode} {'progressive' * progressive} without JFIF", data.replace(b"JFIF", b"none", 1)
            )
    cmyk = encoded(scene(50, 30, "CMYK"), "JPEG")
    for transform in (0, 1, 2):
        adobe = cmyk.index(b"Adobe")
        yield OddPicture(
            f"jpeg CMYK Adobe transform {transform}", cmyk[: adobe + 11] + bytes([transform]) + cmyk[adobe + 12 :]
        )
    rgb = encoded(scene(50, 30), "JPEG", keep_rgb=True)
    yield OddPicture("jpeg stored as RGB", rgb)
    for options in ({"restart_marker_blocks": 1}, {"restart_marker_blocks": 5}, {"restart_marker_rows": 1}):
        for progressive in (False, True):
            data = encoded(scene(90, 70), "JPEG", progressive=progressive, **options)
            yield OddPicture(f"jpeg {options} {'progressive' * progressive}", data)
    for quality in (1, 10, 50, 100):
        yield OddPicture(f"jpeg quality {quality}", encoded(scene(70, 50), "JPEG", quality=quality))
    yield OddPicture("jpeg optimised", encoded(scene(70, 50), "JPEG", optimize=True))
    yield OddPicture("jpeg one scan for each component", one_scan_for_each(scene(70, 50)))
    yield OddPicture("jpeg lossless", lossless(40, 30))


def one_scan_for_each(image: Image.Image) -> bytes:
    """A baseline JPEG of three scans, made of three grey ones, which have the same tables."""
    planes = [encoded(plane, "JPEG", quality=90) for plane in image.convert("YCbCr").split()]
    tables = planes[0].index(b"\xff\xdb")
    frame = planes[0].index(b"\xff\xc0")
    rest = planes[0].index(b"\xff\xc4")
    scan = planes[0].index(SOS)
    header = planes[0][frame + 4 : frame + 9] + bytes([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    scans = b"".join(
        segment(0xDA, bytes([1, number, 0, 0, 63, 0])) + plane[plane.index(SOS) + 10 : -2]
        for number, plane in enumerate(planes, 1)
    )
    return planes[0][:tables] + planes[0][tables:frame] + segment(0xC0, header) + planes[0][rest:scan] + scans + EOI


def lossless(width: int, height: int) -> bytes:
    """A lossless JPEG (process 14) of one grey: every difference to the sample before is coded as one bit, 0."""
    return b"".join(
        [
            SOI,
            segment(0xC3, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"),
            segment(0xC4, b"\0\1" + bytes(16)),
            segment(0xDA, b"\1\1\0\1\0\0"),
            bytes(width * height // 8 + 1),
            EOI,
        ]
    )


def flat(width: int, height: int, components: int) -> bytes:
    """A baseline JPEG of grey, colour at half size: both codes of every block are one bit, 0."""
    names = range(1, components + 1)
    colour = components > 1
    frame = b"".join(bytes([name, 0x22 if colour and name == 1 else 0x11, 0]) for name in names)
    side = 16 if colour else 8
    units = -(-width // side) * -(-height // side)
    return b"".join(
        [
            SOI,
            segment(0xDB, bytes(1) + b"\1" * 64),
            segment(0xC0, struct.pack(">BHHB", 8, height, width, components) + frame),
            segment(0xC4, b"\0\1" + bytes(16)),
            segment(0xC4, b"\x10\1" + bytes(16)),
            segment(0xDA, bytes([components, *(part for name in names for part in (name, 0)), 0, 63, 0])),
            bytes(units * (6 if colour else 1) * 2 // 8 + 1),
            EOI,
        ]
    )


def orientations() -> Iterator[OddPicture]:
    """Orientation, wherever and however it is stored."""
    clean = encoded(scene(60, 40), "JPEG")
    for value in range(1, 9):
        block = segment(0xE1, exif(value))
        yield OddPicture(f"jpeg EXIF {value}", with_segments(clean, block), clean, value)
        for form in ("attribute", "element"):
            packet = segment(0xE1, XMP_NAME + xmp(value, form))
            yield OddPicture(f"jpeg XMP {form} {value}", with_segments(clean, packet), clean, value)
    for kind in (1, 3, 4, 6, 8, 9):
        for order in "<>":
            block = segment(0xE1, exif(6, kind, order))
            yield OddPicture(f"jpeg EXIF of type {kind} {order}", with_segments(clean, block), clean, 6)
    both = with_segments(clean, segment(0xE1, XMP_NAME + xmp(3)), segment(0xE1, exif(8)))
    yield OddPicture("jpeg EXIF goes before XMP", both, clean, 8)
    none = with_segments(clean, segment(0xE1, exif(0)), segment(0xE1, XMP_NAME + xmp(6)))
    yield OddPicture("jpeg XMP where EXIF has 0", none, clean, 6)


def trailers() -> Iterator[OddPicture]:
    """What phones append, and previews inside."""
    other = encoded(scene(20, 10), "JPEG")
    video = b"\0\0\0\x18ftypmp42\0\0\0\0" + np.random.default_rng(1).bytes(100_000) + SOS * 50 + EOI
    for progressive in (False, True):
        clean = encoded(scene(64, 48), "JPEG", progressive=progressive)
        word = "progressive" * progressive
        yield OddPicture(f"jpeg with a video {word}", clean + video, clean)
        yield OddPicture(f"jpeg with zeros {word}", clean + bytes(5000), clean)
        yield OddPicture(f"jpeg with another {word}", clean + other, clean)
        yield OddPicture(f"jpeg with text {word}", clean + b"\r\n--boundary\r\n", clean)
        preview = segment(0xE1, exif(6) + other + SOS * 100)
        yield OddPicture(f"jpeg with a preview in its EXIF {word}", with_segments(clean, preview), clean, 6)
        yield OddPicture(
            f"jpeg with scans in a comment {word}", with_segments(clean, segment(0xFE, SOS * 99 + EOI)), clean
        )
    first, second = scene(64, 48), scene(32, 24)
    yield OddPicture("jpeg of several pictures", encoded(first, "MPO", save_all=True, append_images=[second]))


def ends() -> Iterator[OddPicture]:
    """Without an end marker, and cut in their data."""
    kinds = {
        "baseline": encoded(scene(200, 150), "JPEG"),
        "grey": encoded(scene(200, 150, "L"), "JPEG"),
        "4:4:4": encoded(scene(201, 151), "JPEG", subsampling="4:4:4"),
        "CMYK": encoded(scene(200, 150, "CMYK"), "JPEG"),
        "restarts": encoded(scene(200, 150), "JPEG", restart_marker_rows=1),
        "progressive": encoded(scene(200, 150), "JPEG", progressive=True),
        "progressive restarts": encoded(scene(200, 150), "JPEG", progressive=True, restart_marker_rows=1),
        "three scans": one_scan_for_each(scene(200, 150)),
    }
    for kind, clean in kinds.items():
        whole = clean[:-2]
        for name, data in {
            "no end": whole,
            "half an end": clean[:-1],
            "zeros for an end": whole + bytes(100),
            "fill bytes for an end": whole + b"\xff" * 16,
            "a line for an end": whole + b"\r\n",
        }.items():
            yield OddPicture(f"jpeg {kind} {name}", data, clean)
        for part in (0.2, 0.5, 0.8, 0.95):
            yield OddPicture(f"jpeg {kind} cut at {part}", clean[: int(len(clean) * part)], refused=BAD_PICTURE)
    progressive = kinds["progressive"]
    yield OddPicture(
        "jpeg progressive without its last scan", progressive[: progressive.rindex(SOS)], refused=BAD_PICTURE
    )
    yield OddPicture("jpeg without a scan", progressive[: progressive.index(SOS)], refused=BAD_PICTURE)
    yield OddPicture("jpeg of three bytes", progressive[:3], refused=BAD_PICTURE)


def damaged_metadata() -> Iterator[OddPicture]:
    """Segments beside the pixels that are broken, large or many."""
    clean = encoded(scene(60, 40), "JPEG")
    parts = {
        "short JFIF": segment(0xE0, b"JFIF"),
        "short Adobe": segment(0xEE, b"Adobe"),
        "EXIF that points outside": segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "EXIF that is none": segment(0xE1, b"Exif\0\0nothing"),
        "EXIF with a broken date": segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x32\0\2\xff\xff\xff\xff\0\0\0\0"),
        "EXIF orientation 9": segment(0xE1, exif(9)),
        "XMP that is cut": segment(0xE1, XMP_NAME + xmp(6)[:60]),
        "ICC profile that is none": segment(0xE2, ICC_NAME + b"none"),
        "ICC profile of 4 MB": segment(0xE2, ICC_NAME + bytes(65000)) * 64,
        "MPF that points outside": segment(0xE2, b"MPF\0MM\0*\xff\xff\xff\xff"),
        "Photoshop that is cut": segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed"),
        "fill bytes": b"\xff" * 1000,
        "a comment of all bytes": segment(0xFE, bytes(range(256))),
        "9000 comments": segment(0xFE, b"") * 9000,
    }
    for name, part in parts.items():
        yield OddPicture(f"jpeg {name}", with_segments(clean, part), clean)


def costly() -> Iterator[OddPicture]:
    """Little data that would take much time or memory, and photos as phones take them, which do not."""
    grey = encoded(Image.new("L", (1, 1), 128), "PNG")
    for width, height in ((8000, 6000), (6000, 8000), (16320, 12240), (65500, 1), (1, 65500), (65500, 3000)):
        for components in (1, 3):
            yield OddPicture(f"jpeg {width}x{height} {components}", flat(width, height, components), grey)
    small = encoded(scene(64, 48), "JPEG", progressive=True)
    last = small[small.rindex(SOS) : -2]
    yield OddPicture("jpeg of 100 scans", small[:-2] + last * 100 + EOI, refused=BAD_PICTURE)
    frame = small.index(b"\xff\xc2")
    for name, width, height in (("progressive of 4000 megapixels", 65500, 65500), ("progressive of 81", 9000, 9000)):
        data = small[: frame + 5] + struct.pack(">HH", height, width) + small[frame + 9 :]
        yield OddPicture(f"jpeg {name}", data, refused=TOO_LARGE)
    baseline = encoded(scene(64, 48), "JPEG")
    frame = baseline.index(b"\xff\xc0")
    data = baseline[: frame + 5] + struct.pack(">HH", 20_000, 20_000) + baseline[frame + 9 :]
    yield OddPicture("jpeg of 400 megapixels", data, refused=TOO_LARGE)
    many = with_segments(baseline, segment(0xFE, b"") * 100_000)
    yield OddPicture("jpeg of 100000 comments", many, refused=BAD_PICTURE)
