from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="films are decoded with PyAV, which the group test brings")

from studio.film.camera import BITS, code_of, number_of, numbered, pictures, write_camera_film
from studio.film.video import encode

GREY = np.full((48, 120, 3), 90, np.uint8)


@pytest.mark.parametrize("number", [0, 1, 359, 2**BITS - 1])
def test_a_picture_tells_its_number(number: int) -> None:
    assert number_of(numbered(GREY, number)) == number


def test_the_code_is_the_number_and_the_sum_of_its_bits_plus_5() -> None:
    assert code_of(0b101000011) == [1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1]  # 4 + 5 = 9, modulo 8: 1


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_picture_without_code_has_no_number(level: int) -> None:
    assert number_of(np.full_like(GREY, level)) is None


def test_the_cameras_film_counts_the_frames_of_the_film(tmp_path: Path) -> None:
    steps = [np.full((96, 160, 3), level, np.uint8) for level in (30, 120, 210)]
    encode(tmp_path / "film.webm", steps, 30)
    write_camera_film(tmp_path / "film.webm", tmp_path / "camera.mjpeg")
    shown = list(pictures(tmp_path / "camera.mjpeg"))
    assert [number_of(picture) for picture in shown] == [0, 1, 2]
    for picture, level in zip(shown, (30, 120, 210), strict=True):
        assert abs(picture[:60].mean() - level) < 6


def test_the_same_pictures_give_the_same_film(tmp_path: Path) -> None:
    steps = [np.full((96, 160, 3), level, np.uint8) for level in (30, 120, 210)]
    for name in ("one.webm", "two.webm"):
        encode(tmp_path / name, steps, 30)
    assert (tmp_path / "one.webm").read_bytes() == (tmp_path / "two.webm").read_bytes()
