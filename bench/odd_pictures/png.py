"""Odd PNG files."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.odd_pictures.picture import OddPicture, encoded, exif, scene, xmp
from service.errors import BAD_PICTURE, TOO_LARGE

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6  # colour types
SAMPLES: Final = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
DEPTHS: Final = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}
PASSES: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
END: Final = (b"IEND", b"")


def chunk(name: bytes, data: bytes, intact: bool = True) -> bytes:
    """A length, a name, data and a CRC, which is wrong where it is not intact."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ (not intact))


def header(width: int, height: int, depth: int, colour: int, interlaced: bool = False) -> bytes:
    """The chunk IHDR."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def rows(samples: NDArray[np.int64], depth: int) -> bytes:
    """Rows (h, w, n) as a PNG stores them, each after a filter type, 0."""
    stored = b""
    for row in samples.reshape(len(samples), -1):
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        else:  # samples from the highest bits on
            packed = np.packbits((row[:, None] >> np.arange(depth - 1, -1, -1) & 1).astype(np.uint8)).tobytes()
        stored += b"\0" + packed
    return stored


def of_type(colour: int, depth: int, interlaced: bool, *extra: bytes, size: tuple[int, int] = (21, 13)) -> bytes:
    """A PNG of a colour type and depth, with chunks before its pixels."""
    width, height = size
    samples = np.asarray(scene(width, height, "RGBA")).astype(np.int64)[..., : SAMPLES[colour]]
    samples = samples * 257 >> (16 - depth)
    if interlaced:
        reduced = [samples[y::down, x::across] for x, y, across, down in PASSES]
        stored = b"".join(rows(part, depth) for part in reduced if part.size)
    else:
        stored = rows(samples, depth)
    palette = np.asarray(scene(1 << min(depth, 8), 1))[0].tobytes() if colour == PALETTE else b""
    tables = [chunk(b"PLTE", palette)] if palette else []
    parts = [header(width, height, depth, colour, interlaced), *tables, *extra, chunk(b"IDAT", zlib.compress(stored))]
    return SIGNATURE + b"".join(parts) + chunk(*END)


def with_chunks(data: bytes, *chunks: bytes, at_end: bool = False) -> bytes:
    """The file with more chunks after its header, or before its end."""
    place = len(data) - 12 if at_end else len(SIGNATURE) + 25
    return data[:place] + b"".join(chunks) + data[place:]


def raw_profile(block: bytes) -> bytes:
    """An EXIF block as ImageMagick writes it into a text."""
    digits = block.hex()
    lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    return f"\nexif\n{len(block):8}\n{lines}\n".encode()


def pictures() -> Iterator[OddPicture]:
    """All of them."""
    yield from colours()
    yield from orientations()
    yield from beside_the_pixels()
    yield from ends()
    yield from costly()


def colours() -> Iterator[OddPicture]:
    """Every colour type and depth, interlaced too, and what is transparent."""
    for colour, depths in DEPTHS.items():
        for depth in depths:
            for interlaced in (False, True):
                data = of_type(colour, depth, interlaced)
                yield OddPicture(f"png type {colour} depth {depth} {'interlaced' * interlaced}", data)
    for size in ((1, 1), (1, 40), (40, 1), (2, 2), (9, 5)):
        yield OddPicture(f"png {size}", of_type(RGB, 8, False, size=size))
        yield OddPicture(f"png {size} interlaced", of_type(RGB, 8, True, size=size))
    yield OddPicture("png grey with a transparent level", of_type(GREY, 8, False, chunk(b"tRNS", b"\0\x60")))
    yield OddPicture("png colour with a transparent one", of_type(RGB, 8, False, chunk(b"tRNS", bytes(6))))
    yield OddPicture("png palette with alpha", of_type(PALETTE, 4, False, chunk(b"tRNS", bytes(range(0, 240, 20)))))
    for mode in ("1", "P", "LA", "RGBA", "I;16"):
        image = (
            Image.fromarray(np.arange(0, 60_000, 100).astype(np.uint16).reshape(20, 30))
            if mode == "I;16"
            else scene(30, 20, mode)
        )
        yield OddPicture(f"png {mode} as Pillow writes it", encoded(image, "PNG", optimize=True))


def orientations() -> Iterator[OddPicture]:
    """Orientation in eXIf, in texts of every form, and in XMP."""
    clean = of_type(RGB, 8, False)
    for value in range(1, 9):
        block, profile = exif(value), raw_profile(exif(value))
        key = b"Raw profile type exif\0"
        places = {
            "eXIf": chunk(b"eXIf", block[6:]),
            "eXIf after the pixels": chunk(b"eXIf", block[6:]),
            "tEXt": chunk(b"tEXt", key + profile),
            "zTXt": chunk(b"zTXt", key + b"\0" + zlib.compress(profile)),
            "iTXt": chunk(b"iTXt", key + b"\1\0\0\0" + zlib.compress(profile)),
            "XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(value)),
        }
        for name, part in places.items():
            data = with_chunks(clean, part, at_end="after" in name)
            yield OddPicture(f"png orientation {value} in {name}", data, clean, value)
    for kind in (1, 4, 9):
        data = with_chunks(clean, chunk(b"eXIf", exif(8, kind, ">")[6:]))
        yield OddPicture(f"png EXIF of type {kind}", data, clean, 8)


def beside_the_pixels() -> Iterator[OddPicture]:
    """Ancillary chunks that are large, damaged, doubled or bombs."""
    clean = of_type(RGB, 8, False)
    bomb = zlib.compress(bytes(50 * 2**20), 9)
    parts = {
        "text of 2 MB": chunk(b"tEXt", b"Comment\0" + b"x" * 2**21),
        "compressed text of 50 MB": chunk(b"zTXt", b"Comment\0\0" + bomb),
        "EXIF profile of 50 MB": chunk(b"zTXt", b"Raw profile type exif\0\0" + bomb),
        "XMP of 50 MB": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb),
        "ICC profile of 50 MB": chunk(b"iCCP", b"x\0\0" + bomb),
        "many EXIF profiles of 50 MB": chunk(b"zTXt", b"Raw profile type exif\0\0" + bomb) * 20,
        "ICC profile of 2 MB": chunk(b"iCCP", b"x\0\0" + zlib.compress(np.random.default_rng(0).bytes(2**21))),
        "ICC profile that is none": chunk(b"iCCP", b"x\0\0none"),
        "profile that is none": chunk(b"tEXt", b"Raw profile type exif\0\nexif\n  9\nzz"),
        "unknown chunk": chunk(b"abCd", b"1234"),
        "50000 empty texts": chunk(b"tEXt", b"") * 50_000,
    }
    for name, part in parts.items():
        yield OddPicture(f"png {name}", with_chunks(clean, part), clean)
        yield OddPicture(f"png {name} after the pixels", with_chunks(clean, part, at_end=True), clean)
    kinds = "gAMA cHRM sRGB pHYs tIME tEXt zTXt iTXt iCCP eXIf tRNS bKGD"
    for kind in kinds.split():
        yield OddPicture(f"png {kind} wrong CRC", with_chunks(clean, chunk(kind.encode(), bytes(8), False)), clean)
        yield OddPicture(f"png {kind} wrong length", with_chunks(clean, chunk(kind.encode(), b"\0")), clean)
    palette = of_type(PALETTE, 2, False)
    longer = of_type(PALETTE, 2, False, chunk(b"tRNS", bytes(5)))
    yield OddPicture("png more alphas than colours", longer, palette)


def ends() -> Iterator[OddPicture]:
    """Without an end, with more after it, and cut in their data."""
    for name, clean in {
        "plain": encoded(scene(120, 80), "PNG"),
        "interlaced": of_type(RGB, 8, True, size=(120, 80)),
        "16 bits": of_type(RGBA, 16, False, size=(60, 40)),
    }.items():
        yield OddPicture(f"png {name} without IEND", clean[:-12], clean)
        yield OddPicture(f"png {name} cut in IEND", clean[:-5], clean)
        yield OddPicture(f"png {name} without the last CRC", clean[:-16], clean)
        yield OddPicture(f"png {name} with a trailer", clean + b"\xff\xda" * 500, clean)
        yield OddPicture(f"png {name} with a wrong CRC at its end", clean[:-4] + b"none", clean)
        for part in (0.2, 0.5, 0.8, 0.95):
            yield OddPicture(f"png {name} cut at {part}", clean[: int(len(clean) * part)], refused=BAD_PICTURE)
    clean = encoded(scene(120, 80), "PNG")
    start = clean.index(b"IDAT")
    yield OddPicture("png with a wrong CRC of its header", clean[:29] + b"none" + clean[33:], refused=BAD_PICTURE)
    yield OddPicture("png without pixels", clean[: start - 4] + chunk(*END), refused=BAD_PICTURE)
    yield OddPicture("png of its signature", SIGNATURE, refused=BAD_PICTURE)
    data = clean[start + 4 : -16]
    parts = b"".join(chunk(b"IDAT", data[place : place + 3]) for place in range(0, len(data), 3))
    yield OddPicture("png in chunks of 3 bytes", clean[: start - 4] + parts + chunk(*END), clean)
    frames = [scene(30, 20), scene(30, 20).rotate(180)]
    animated = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    yield OddPicture("png animated", animated, refused=BAD_PICTURE)
    single = with_chunks(clean, chunk(b"acTL", struct.pack(">II", 1, 0)))
    yield OddPicture("png animated with one frame", single, clean)


def costly() -> Iterator[OddPicture]:
    """Little data that would take much time or memory."""
    for width, height in ((1, 25_000_000), (25_000_000, 1), (300_000, 80), (40_000, 40_000), (2**31 - 1, 2**31 - 1)):
        data = SIGNATURE + header(width, height, 1, GREY) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(*END)
        yield OddPicture(f"png {width}x{height}", data, refused=TOO_LARGE)
    for width, height in ((2**18, 25), (25, 2**18)):
        stored = zlib.compress(bytes((1 + width * 3) * height), 1)
        data = SIGNATURE + header(width, height, 8, RGB) + chunk(b"IDAT", stored) + chunk(*END)
        yield OddPicture(f"png {width}x{height}", data, encoded(Image.new("L", (1, 1)), "PNG"))
    clean = of_type(RGB, 8, False)
    yield OddPicture("png of 300000 chunks", with_chunks(clean, chunk(b"tEXt", b"") * 300_000), refused=BAD_PICTURE)
