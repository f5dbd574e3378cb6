import struct
import subprocess
import sys
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from service.errors import BAD_PICTURE, TOO_LARGE, ProblemKind, RequestError
from service.vision.image import LazyImage, Picture, decode
from service.vision.letterbox import PAD_GREY
from service.vision.limits import MAX_JPEG_SCANS
from tests.service.tiny_models import encoded

ROOT = Path(__file__).resolve().parents[3]
ALL = 10_000  # a side that no picture here has: decoded whole
BROKEN_EXIF = [
    b"",
    b"Exif\x00\x00",
    b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x09\x00\x00\x00",  # 9 is none
    b"not EXIF at all",
    b"Exif\x00\x00II*\x00\xff\xff\xff\xff",
    b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff",
]


def gradient(width: int, height: int) -> Image.Image:
    """Red grows to the right, green downward."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 60)], axis=-1).astype(np.uint8))


def refused(data: bytes, max_megapixels: float = 25) -> tuple[ProblemKind, str]:
    with pytest.raises(RequestError) as problem:
        decode(data, 288, max_megapixels)
    return problem.value.kind, problem.value.detail


def png_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file of (type, data) chunks."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in chunks:
        parts += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))]
    return b"".join(parts)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_pixels_are_those_that_were_saved(kind: str) -> None:
    image = gradient(64, 48)
    picture = decode(encoded(image, kind, **({"lossless": True} if kind == "WEBP" else {"quality": 95})), ALL, 25)
    assert (picture.width, picture.height) == (64, 48)
    assert picture.pixels.dtype == np.uint8
    np.testing.assert_allclose(picture.pixels, np.asarray(image), atol=8 if kind == "JPEG" else 0)


@pytest.mark.parametrize(
    ("side", "decoded"),
    [(1300, (1280, 720)), (1280, (1280, 720)), (600, (640, 360)), (288, (320, 180)), (1, (160, 90))],
)
def test_large_jpeg_is_decoded_no_larger_than_needed(side: int, decoded: tuple[int, int]) -> None:
    picture = decode(encoded(gradient(1280, 720), "JPEG"), side, 25)
    assert picture.pixels.shape == (decoded[1], decoded[0], 3)
    assert (picture.width, picture.height) == (1280, 720)
    # Still the same picture: its middle column is half red.
    assert abs(int(picture.pixels[:, decoded[0] // 2, 0].mean()) - 128) < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("side", [ALL, 50])
def test_exif_orientation_is_obeyed(orientation: int, kind: str, side: int) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description before it"
    exif[0x0112] = orientation
    data = encoded(gradient(160, 96), kind, exif=exif, quality=95)
    upright = ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB")
    picture = decode(data, side, 25)
    assert (picture.width, picture.height) == upright.size
    expected = np.asarray(upright.resize(picture.pixels.shape[1::-1], Image.Resampling.BOX), int)
    np.testing.assert_allclose(picture.pixels, expected, atol=10)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exif", BROKEN_EXIF)
def test_broken_exif_is_no_orientation(exif: bytes) -> None:
    picture = decode(encoded(gradient(32, 16), "JPEG", exif=exif), ALL, 25)
    assert (picture.width, picture.height) == (32, 16)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_other_modes_become_rgb(mode: str) -> None:
    if mode == "I;16":
        grey = np.full((8, 8), 200 * 256 + 17, np.uint16)
        data, expected = encoded(Image.fromarray(grey), "PNG"), 200
    elif mode == "1":
        data, expected = encoded(Image.new("1", (8, 8), 1), "PNG"), 255
    elif mode == "CMYK":
        data, expected = encoded(Image.new("CMYK", (8, 8), (55, 55, 55, 0)), "JPEG", quality=100), 200
    else:
        image = Image.new("RGB", (8, 8), (200, 200, 200))
        data, expected = encoded(image.quantize(4) if mode == "P" else image.convert(mode), "PNG"), 200
    np.testing.assert_allclose(decode(data, ALL, 25).pixels, np.full((8, 8, 3), expected), atol=2)


def test_sixteen_bit_colour() -> None:
    row = b"\x00" + struct.pack(">3H", 200 * 256, 100 * 256, 50 * 256) * 4
    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    data = png_chunks((b"IHDR", header), (b"IDAT", zlib.compress(row * 4)), (b"IEND", b""))
    np.testing.assert_array_equal(decode(data, ALL, 25).pixels, np.full((4, 4, 3), (200, 100, 50)))


def test_transparent_parts_show_the_grey_of_the_padding() -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0] = (250, 0, 0, 255)
    pixels[0, 1] = (250, 0, 0, 0)
    pixels[1, 0] = (214, 14, 114, 128)
    rgb = decode(encoded(Image.fromarray(pixels), "PNG"), ALL, 25).pixels
    np.testing.assert_array_equal(rgb[0], [[250, 0, 0], [PAD_GREY] * 3])
    np.testing.assert_allclose(rgb[1, 0], [164, 64, 114], atol=1)  # half way to 114


@pytest.mark.parametrize("mode", ["P", "RGB", "L"])
def test_one_colour_made_transparent(mode: str) -> None:
    image = Image.new("RGB", (4, 4), (9, 9, 9))
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    transparent = (9, 9, 9) if mode == "RGB" else image.getpixel((0, 0))
    rgb = decode(encoded(image, "PNG", transparency=transparent), ALL, 25).pixels
    np.testing.assert_array_equal(rgb, np.full((4, 4, 3), PAD_GREY))


def test_one_pixel_is_a_picture() -> None:
    assert decode(encoded(gradient(1, 1), "PNG"), 288, 25).pixels.shape == (1, 1, 3)
    assert decode(encoded(gradient(1, 1), "JPEG"), 288, 25).pixels.shape == (1, 1, 3)


@pytest.mark.parametrize(
    "data", [b"", b"Hello.\n" * 100, b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    kind, detail = refused(data)
    assert kind is BAD_PICTURE
    assert "JPEG, PNG, WebP or AVIF" in detail


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP"])
def test_other_formats_are_refused(kind: str) -> None:
    assert refused(encoded(gradient(8, 8), kind))[0] is BAD_PICTURE


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_truncated_pictures_are_refused(kind: str, part: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8))
    data = encoded(noise, kind)
    kind_of_problem, detail = refused(data[: int(len(data) * part)])
    assert kind_of_problem is BAD_PICTURE
    assert "complete" in detail


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_animations_are_refused(kind: str) -> None:
    frames = [gradient(16, 16), gradient(16, 16).rotate(90)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    kind_of_problem, detail = refused(data)
    assert kind_of_problem is BAD_PICTURE
    assert "single frame" in detail


def test_first_picture_of_a_jpeg_with_previews_is_used() -> None:
    data = encoded(gradient(64, 48), "MPO", save_all=True, append_images=[gradient(32, 24)])
    assert decode(data, ALL, 25).pixels.shape == (48, 64, 3)


def test_limit_counts_pixels_before_they_are_decoded() -> None:
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    data = png_chunks((b"IHDR", header), (b"IDAT", zlib.compress(bytes(5001 * 40_000), 1)), (b"IEND", b""))
    tracemalloc.start()
    kind, detail = refused(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kind is TOO_LARGE
    assert "40000 x 40000 = 1600.0 megapixels" in detail
    assert "25" in detail
    assert peak < 10e6


def test_limit_is_inclusive() -> None:
    data = encoded(gradient(200, 100), "PNG")
    assert decode(data, ALL, 0.02).width == 200
    assert refused(data, 0.0199)[0] is TOO_LARGE


def test_progressive_jpeg_of_any_camera_is_read_but_not_one_with_endless_scans() -> None:
    data = encoded(gradient(64, 64), "JPEG", progressive=True)
    assert decode(data, ALL, 25).width == 64
    start = data.rindex(b"\xff\xda")
    scan = data[start:-2]
    bomb = data[:-2] + scan * (MAX_JPEG_SCANS + 1) + data[-2:]
    kind, detail = refused(bomb)
    assert kind is BAD_PICTURE
    assert "scans" in detail


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "AVIF"]), st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_damaged_files_are_decoded_or_refused_but_nothing_else(kind: str, seed: int, wounds: int) -> None:
    data = bytearray(encoded(gradient(40, 30), kind))
    random = np.random.default_rng(seed)
    for _ in range(wounds):
        data[random.integers(len(data))] = random.integers(256)
    try:
        picture = decode(bytes(data), 288, 1)
    except RequestError as problem:
        problems = {problem.kind}
    else:
        problems = set()
        assert picture.pixels.ndim == 3
    assert problems <= {BAD_PICTURE, TOO_LARGE}


def test_what_pillow_says_about_a_file_stays_off_the_log() -> None:
    """Even where warnings are errors: a Python of its own, since pytest sets filters of its own."""
    data = encoded(gradient(32, 16), "JPEG", exif=BROKEN_EXIF[-1])
    program = "import sys; from service.vision.image import decode; decode(sys.stdin.buffer.read(), 288, 25)"
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, input=data, capture_output=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, b"")


def test_pixels_are_decoded_again_only_where_more_are_asked_for() -> None:
    asked: list[int] = []

    def source(side: int) -> Picture:
        asked.append(side)
        side = min(side, 1000)
        return Picture(np.zeros((side // 2, side, 3), np.uint8), 1000, 500)

    decoded = LazyImage(source)
    for side, longer in ((100, 100), (60, 100), (300, 300), (2048, 1000), (5000, 1000)):
        assert decoded.at_least(side).pixels.shape[1] == longer
        assert (decoded.asked, decoded.picture.pixels.shape[1]) == (side, longer)
    assert asked == [100, 300, 2048]
    assert decoded.milliseconds > 0
    assert LazyImage(source).picture.pixels.shape[1] == 1
