"""Metadata never breaks a picture, nor changes its pixels."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from service.vision.arrays import Pixels
from service.vision.image import decode
from service.vision.metadata import without_metadata
from service.vision.orientation import Metadata
from tests.service.tiny_models import encoded

SIZE = (20, 12)
KEYWORDS = (
    "exif", "transparency", "interlace", "gamma", "icc_profile", "dpi", "background", "loop", "duration", "srgb",
    "chromaticity", "default_image", "aspect", "bbox", "blend", "disposal", "xmp", "Raw profile type exif",
    "XML:com.adobe.xmp",
)  # fmt: skip
BOMB = zlib.compress(bytes(3 * 2**20))  # more than Pillow reads of a text or a profile
ORIENTED = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"


def pixels(data: bytes) -> Pixels:
    return decode(data, 1000, 25).pixels


def pngs() -> dict[str, bytes]:
    """A PNG of every kind."""
    x, y = np.meshgrid(np.linspace(0, 255, SIZE[0]), np.linspace(0, 255, SIZE[1]))
    rgba = Image.fromarray(np.stack([x, y, 255 - x, y], axis=-1).astype(np.uint8))
    rgb = rgba.convert("RGB")
    palette = rgb.quantize(16)
    kinds = {
        "1": encoded(rgb.convert("1"), "PNG"),
        "L": encoded(rgb.convert("L"), "PNG"),
        "LA": encoded(rgba.convert("LA"), "PNG"),
        "RGB": encoded(rgb, "PNG"),
        "RGBA": encoded(rgba, "PNG"),
        "P": encoded(palette, "PNG"),
        "P with one colour transparent": encoded(palette, "PNG", transparency=3),
        "P with alpha": encoded(palette, "PNG", transparency=bytes(range(0, 256, 16))),
        "RGB with a colour transparent": encoded(rgb, "PNG", transparency=rgb.getpixel((3, 3))),
        "16 bits": encoded(Image.fromarray((x * 257).astype(np.uint16)), "PNG"),
    }
    rows = [np.asarray(rgb)[top::down, left::right] for left, top, right, down in ADAM7]
    data = b"".join(b"\x00" + row.tobytes() for part in rows for row in part if row.size)
    header = struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, 1)
    kinds["interlaced"] = png_of(chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b""))
    return kinds


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


PNGS = pngs()


def chunks_of(png: bytes) -> list[bytes]:
    """The chunks of a PNG."""
    found, start = [], 8
    while start < len(png):
        end = start + 12 + int.from_bytes(png[start : start + 4])
        found.append(png[start:end])
        start = end
    return found


TEXTS = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [b"\x00\x00" + BOMB, b"\x00\x01" + BOMB, b"\x00" + zlib.compress(b"1"), b"\x00\x01\x00\x00\x00" + BOMB]
    ),
)
KEYED = st.builds(lambda key, rest: key.encode() + b"\x00" + rest, st.sampled_from(KEYWORDS), TEXTS)
NAMES = st.sampled_from(
    [b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"acTL", b"fcTL", b"fdAT",
     b"bKGD", b"tIME", b"sPLT", b"vpAg", b"crcx", b"a\xff~!"]
)  # fmt: skip


def test_every_kind_of_png_is_what_it_was() -> None:
    assert np.array_equal(pixels(PNGS["interlaced"]), pixels(PNGS["RGB"]))
    for data in PNGS.values():
        assert without_metadata(data, "PNG") == (data, Metadata())
        assert without_metadata(data, "PNG")[0] is data  # not copied


@given(
    st.sampled_from(sorted(PNGS)),
    st.lists(st.tuples(NAMES, st.one_of(TEXTS, KEYED), st.integers(1, 100), st.booleans()), min_size=1, max_size=3),
)
def test_no_chunk_beside_the_pixels_changes_them(kind: str, inserted: list[tuple[bytes, bytes, int, bool]]) -> None:
    chunks = chunks_of(PNGS[kind])
    for name, data, place, intact in inserted:
        assume(name != b"acTL" or len(data) != 8)  # or it may say that this is an animation
        made = chunk(name, data)
        chunks.insert(min(place, len(chunks) - 1), made if intact else made[:-1] + b"!")
    np.testing.assert_array_equal(pixels(png_of(*chunks)), pixels(PNGS[kind]))


@pytest.mark.parametrize("keyword", KEYWORDS)
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("international", [False, True])
def test_text_of_any_keyword(keyword: str, compressed: bool, international: bool) -> None:
    info = PngInfo()
    (info.add_itxt if international else info.add_text)(keyword, "1", zip=compressed)
    image = Image.new("RGB", SIZE, (9, 8, 7))
    assert np.array_equal(pixels(encoded(image, "PNG", pnginfo=info)), np.asarray(image))


def test_a_png_that_ends_in_the_midst_of_its_text_is_whole() -> None:
    chunks = chunks_of(PNGS["RGB"])
    data = png_of(*chunks[:-1], chunk(b"tEXt", b"Comment\x00" + bytes(99))[:50])
    assert np.array_equal(pixels(data), pixels(PNGS["RGB"]))


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


SEGMENTS = [
    segment(0xE0, b"JFIF"),
    segment(0xE1, b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff"),
    segment(0xE1, b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x1a\x01\x05\x00\x01\x00\x00\x00\xff\xff\xff\xff"),
    segment(0xE2, b"ICC_PROFILE\x00"),
    segment(
        0xE2, b"MPF\x00II*\x00\x08\x00\x00\x00\x01\x00\x01\xb0\x04\x00\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"
    ),
    segment(0xE2, b"MPF\x00MM\x00*\xff\xff\xff\xff"),
    segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed"),
    segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\x00\x00\x00\x00\x00\x02\x01\x02"),
    segment(0xEE, b"Adobe"),
    segment(0xFE, bytes(range(256))),
    segment(0xFE, b"") * 9000,
    segment(0xE5, b"\xff\xda" * 100),
    b"\xff\xff\xff" + segment(0xE7, b""),
]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("inserted", SEGMENTS)
def test_no_segment_of_a_jpeg_changes_its_pixels(mode: str, inserted: bytes) -> None:
    data = encoded(Image.effect_noise(SIZE, 90).convert(mode), "JPEG")
    expected = pixels(data)
    assert np.array_equal(pixels(data[:2] + inserted + data[2:]), expected)
    after_jfif = data.index(b"\xff\xdb")
    assert np.array_equal(pixels(data[:after_jfif] + inserted + data[after_jfif:]), expected)


@given(st.integers(0xE1, 0xEF), st.sampled_from([b"Exif\x00\x00", b"MPF\x00", b"Photoshop 3.0\x00", b""]), st.binary())
def test_no_application_segment_breaks_a_jpeg(marker: int, start: bytes, rest: bytes) -> None:
    data = encoded(Image.new("L", SIZE), "JPEG")
    assert decode(data[:2] + segment(marker, start + rest) + data[2:], 1000, 25).pixels.max() == 0


def test_what_phones_append_to_a_jpeg_is_not_looked_at() -> None:
    data = encoded(Image.effect_noise(SIZE, 90), "JPEG")
    assert np.array_equal(pixels(data + b"\xff\xda" * 100), pixels(data))


def test_the_colours_of_a_jpeg_without_jfif_stay() -> None:
    """Adobe's segment says that they are not YCbCr."""
    image = Image.new("RGB", SIZE, (200, 30, 90))
    data = encoded(image, "JPEG", quality=100, keep_rgb=True)
    np.testing.assert_allclose(pixels(data), np.asarray(image), atol=2)


def riff(data: bytes, inserted: bytes, place: int | None = None) -> bytes:
    place = len(data) if place is None else place
    data = data[:place] + inserted + data[place:]
    return b"RIFF" + struct.pack("<I", len(data) - 8) + data[8:]


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize(
    "inserted",
    [
        b"EXIF" + struct.pack("<I", 9) + b"Exif\x00\x00MM\x00",
        b"EXIF" + struct.pack("<I", 3) + b"\x00\x00\x00",
        b"EXIF" + struct.pack("<I", 1000) + b"cut off",
        b"XMP " + struct.pack("<I", 2**32 - 1) + b"<",
    ],
)
def test_no_chunk_of_a_webp_changes_its_pixels(lossless: bool, inserted: bytes) -> None:
    image = Image.effect_noise(SIZE, 90).convert("RGB")
    data = encoded(image, "WEBP", lossless=lossless, icc_profile=b"no profile", exif=ORIENTED, xmp=b"<")
    expected = pixels(encoded(image, "WEBP", lossless=lossless, exif=ORIENTED))
    assert expected.shape == (SIZE[0], SIZE[1], 3)  # turned
    assert np.array_equal(pixels(data), expected)
    assert np.array_equal(pixels(riff(data, inserted)), expected)


def test_other_bytes_come_back_as_they_are() -> None:
    for name, data in (
        ("JPEG", b"\xff\xd8"),
        ("JPEG", b"\xff\xd8\xff"),
        ("WebP", b"RIFF\x00\x00\x00\x00WEBP"),
        ("PNG", b"\x89PNG\r\n\x1a\n"),
        ("PNG", b"\x89PNG\r\n\x1a\n\x00"),
        ("AVIF", b"\x00\x00\x00\x18ftypavif"),
    ):
        assert without_metadata(data, name) == (data, Metadata())
