"""Odd WebP files."""

import struct
from collections.abc import Iterator

from PIL import Image

from bench.odd_pictures.picture import OddPicture, encoded, exif, scene, xmp
from service.errors import BAD_PICTURE, TOO_LARGE


def chunk(name: bytes, data: bytes) -> bytes:
    """A name, a length, and data of even length."""
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def with_length(data: bytes, length: int | None = None) -> bytes:
    """The file with another length in its header; the right one for None."""
    return data[:4] + struct.pack("<I", len(data) - 8 if length is None else length) + data[8:]


def pictures() -> Iterator[OddPicture]:
    """All of them."""
    for lossless in (True, False):
        word = "lossless" if lossless else "lossy"
        for size in ((1, 1), (1, 50), (50, 1), (17, 33), (64, 48)):
            for mode in ("RGB", "RGBA"):
                yield OddPicture(f"webp {word} {size} {mode}", encoded(scene(*size, mode), "WEBP", lossless=lossless))
        yield from damaged(word, encoded(scene(61, 47), "WEBP", lossless=lossless))
        for value in range(1, 9):
            clean = encoded(scene(60, 40), "WEBP", lossless=lossless)
            turned = encoded(scene(60, 40), "WEBP", lossless=lossless, exif=exif(value))
            yield OddPicture(f"webp {word} EXIF {value}", turned, clean, value)
            turned = encoded(scene(60, 40), "WEBP", lossless=lossless, xmp=xmp(value))
            yield OddPicture(f"webp {word} XMP {value}", turned, clean, value)
    for kind in (1, 4):
        turned = encoded(scene(60, 40), "WEBP", exif=exif(6, kind)[6:])
        yield OddPicture(f"webp EXIF of type {kind}", turned, encoded(scene(60, 40), "WEBP"), 6)
    frames = [scene(30, 20), scene(30, 20).rotate(180)]
    animated = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    yield OddPicture("webp animated", animated, refused=BAD_PICTURE)
    yield from costly()


def damaged(word: str, clean: bytes) -> Iterator[OddPicture]:
    """Lengths, ends and chunks beside the pixels that are wrong."""
    extended = encoded(scene(61, 47), "WEBP", icc_profile=b"none", lossless=word == "lossless")
    yield OddPicture(f"webp {word} profile that is none", extended, clean)
    yield OddPicture(f"webp {word} length too large", with_length(clean, len(clean) + 1000), clean)
    yield OddPicture(f"webp {word} length of 4 GB", with_length(clean, 2**32 - 2), clean)
    yield OddPicture(f"webp {word} with a trailer", clean + bytes(1001), clean)
    yield OddPicture(f"webp {word} unknown chunk", with_length(clean + chunk(b"abcd", b"123")), clean)
    cut = with_length(extended + b"EXIF" + struct.pack("<I", 1000) + b"cut")
    yield OddPicture(f"webp {word} EXIF that is cut", cut, clean)
    for part in (0.1, 0.3, 0.6, 0.95):
        yield OddPicture(f"webp {word} cut at {part}", clean[: int(len(clean) * part)], refused=BAD_PICTURE)
    yield OddPicture(f"webp {word} of its header", clean[:20], refused=BAD_PICTURE)


def costly() -> Iterator[OddPicture]:
    """Little data that would take much time or memory, and the longest sides."""
    for size in ((16383, 1), (1, 16383)):
        yield OddPicture(f"webp {size}", encoded(Image.new("RGB", size, "teal"), "WEBP", lossless=True))
    small = encoded(Image.new("RGB", (8, 8)), "WEBP", lossless=True)
    place = small.index(b"VP8L") + 9
    data = small[:place] + struct.pack("<I", 16382 | 16382 << 14) + small[place + 4 :]
    yield OddPicture("webp of 268 megapixels", data, refused=TOO_LARGE)
    yield OddPicture("webp of 300000 chunks", with_length(small + chunk(b"abcd", b"") * 300_000), refused=BAD_PICTURE)
