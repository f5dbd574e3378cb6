"""Some 600 odd pictures are decoded as Pillow and OpenCV decode what viewers show, or refused for the right reason."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from bench.odd_pictures import all_pictures, others
from bench.odd_pictures.picture import TURNS, OddPicture
from service.errors import RequestError
from service.vision.arrays import Pixels
from service.vision.image import Picture, decode

ALL = 10**6  # a side that no picture has: decoded whole
REDUCED = 16
MAX_MEGAPIXELS = 25
ROUNDING = 1  # that ways of laying one colour over another differ by
FAMILIES = ("jpeg", "png", "webp", "avif", "other")


@pytest.fixture(scope="module")
def pictures() -> list[OddPicture]:
    return all_pictures()


def decoded(picture: OddPicture, side: int = ALL) -> Picture | None:
    """None where it is refused for the reason that is expected."""
    refused, found = None, None
    try:
        found = decode(picture.data, side, MAX_MEGAPIXELS)
    except RequestError as problem:
        refused = problem.kind
    assert refused is picture.refused, picture.name
    return found


def difference(pixels: Pixels, expected: Pixels) -> int:
    if pixels.shape != expected.shape:  # of one grey, at any size
        return max(abs(int(extreme) - int(expected.max())) for extreme in (pixels.min(), pixels.max()))
    return int(np.abs(pixels.astype(np.int16) - expected).max())


def test_there_are_many_and_each_has_its_name(pictures: list[OddPicture]) -> None:
    assert len({picture.name for picture in pictures}) == len(pictures) > 500


@pytest.mark.parametrize("family", FAMILIES)
def test_pixels_are_those_that_pillow_decodes(pictures: list[OddPicture], family: str) -> None:
    members = [picture for picture in pictures if picture.name.startswith(family)]
    assert len(members) > 20
    for picture in members:
        found = decoded(picture)
        if found is None:
            continue
        expected = picture.expected()
        if expected.shape != (1, 1, 3):
            assert found.pixels.shape == expected.shape, picture.name
            assert (found.height, found.width) == expected.shape[:2], picture.name
        assert difference(found.pixels, expected) <= ROUNDING, picture.name


def test_the_answer_does_not_depend_on_the_size_that_is_asked_for(pictures: list[OddPicture]) -> None:
    """What is refused whole is refused reduced, and the other way round."""
    for picture in pictures:
        found = decoded(picture, REDUCED)
        if found is not None:
            assert max(found.pixels.shape[:2]) >= min(REDUCED, max(found.width, found.height)), picture.name


def shown_alike(pictures: list[OddPicture]) -> Iterator[OddPicture]:
    """Those that OpenCV shows as browsers do: it leaves transparency and colour spaces away."""
    for picture in pictures:
        other = any(word in picture.name for word in ("RGBA", "CMYK", "jpeg lossless", "without JFIF"))
        kind = picture.name.startswith(("jpeg", "webp", "avif"))
        if kind and not other and picture.refused is None and picture.expected().shape != (1, 1, 3):
            yield picture


def test_pixels_are_those_that_opencv_decodes(pictures: list[OddPicture]) -> None:
    compared = 0
    for picture in shown_alike(pictures):
        clean = np.frombuffer(picture.clean or picture.data, np.uint8)
        theirs = cv2.imdecode(clean, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        found = decoded(picture)
        assert theirs is not None
        assert found is not None
        expected = TURNS[picture.orientation](theirs[..., ::-1].astype(np.uint8))
        assert difference(found.pixels, expected) <= 2, picture.name
        compared += 1
    assert compared > 100


@pytest.mark.parametrize("name", others.files())
def test_a_format_that_is_not_decoded_is_named(name: str) -> None:
    with pytest.raises(RequestError, match="JPEG, PNG, WebP or AVIF file") as problem:
        decode(others.files()[name], ALL, MAX_MEGAPIXELS)
    assert name in problem.value.detail
