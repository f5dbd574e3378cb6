"""What decoding costs is limited, whatever a file says of its size."""

import re
from dataclasses import fields

import pytest
from PIL import Image

from bench.odd_pictures.jpeg import flat
from bench.odd_pictures.picture import scene
from service.errors import TOO_LARGE, RequestError
from service.settings import Settings
from service.vision.image import decode
from service.vision.jpeg import JpegFrame
from service.vision.limits import JPEG_PIXELS, MAX_JPEG_SCANS, MAX_SIDE, check_jpeg, check_size
from tests.service.tiny_models import encoded


def refused(frame: JpegFrame) -> str:
    with pytest.raises(RequestError) as problem:
        check_jpeg(frame, 25)
    assert problem.value.kind is TOO_LARGE
    return problem.value.detail


def of_size(width: int, height: int, bytes_each: float = 0, scans: int = 1) -> JpegFrame:
    """bytes_each: of coefficients, for each pixel: 3 with colour at half size."""
    return JpegFrame(width, height, False, int(width * height * bytes_each), scans)


@pytest.mark.parametrize(("width", "height"), [(8000, 6000), (12000, 9000), (16320, 12240)])
def test_photos_of_48_108_and_200_megapixels_are_baseline_jpegs(width: int, height: int) -> None:
    check_jpeg(of_size(width, height), 25)


def test_a_progressive_jpeg_is_limited_by_what_it_takes_in_memory() -> None:
    """8000 x 6000 with colour at half size: 72 million coefficients of 2 bytes."""
    check_jpeg(of_size(8000, 6000, 3, 12), 25)
    assert "takes 288 MB to decode; at most 150 are" in refused(of_size(8000, 6000, 6, 12))


def test_scans_are_limited_by_the_pixels_that_each_passes_over() -> None:
    check_jpeg(of_size(5000, 5000, 2, MAX_JPEG_SCANS), 25)
    assert "in 17 scans; at most 16 are" in refused(of_size(5000, 10_000, 2, 17))


@pytest.mark.parametrize("noun", ["picture", "frame"])
def test_sides_are_limited(noun: str) -> None:
    check_size(noun, 1, MAX_SIDE, 25)
    with pytest.raises(RequestError, match=f"The {noun} is 262145 x 1 pixels; at most 262144 are allowed along a side"):
        check_size(noun, MAX_SIDE + 1, 1, 25)


@pytest.mark.parametrize("side", [16, 288, 1000, 100_000])
def test_a_jpeg_above_the_limit_is_decoded_below_it(side: int) -> None:
    """Of 640 x 480 pixels, 0.3 megapixels, at most 0.1 are decoded: a quarter, or as few as are enough."""
    data = encoded(scene(640, 480), "JPEG")
    picture = decode(data, side, 0.1)
    assert (picture.width, picture.height) == (640, 480)
    assert picture.pixels.shape[1] == {16: 80, 288: 320}.get(side, 320)


def test_the_most_pixels_of_a_jpeg_are_those_of_a_png_times_what_the_setting_says() -> None:
    (setting,) = [field for field in fields(Settings) if field.name == "max_megapixels"]
    (times,) = re.findall(r"of a JPEG (\d+) times", setting.metadata["description"])
    assert int(times) == JPEG_PIXELS
    data = flat(800, 100, 3)  # 0.08 megapixels
    assert decode(data, 10_000, 0.08 / JPEG_PIXELS).width == 800
    with pytest.raises(RequestError, match=r"The picture is 800 x 100 = 0.1 megapixels; at most 0.072 are allowed"):
        decode(data, 10_000, 0.009)
    with pytest.raises(RequestError, match=r"at most 0.072 are allowed"):
        decode(encoded(Image.new("RGB", (800, 100)), "PNG"), 10_000, 0.072)
