from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from service.cli.capture.sources.folder import PictureFolder
from service.cli.capture.sources.source import Position
from service.cli.video.frames import VideoError


def fill(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        Image.new("RGB", (64, 48), (10 * number,) * 3).save(folder / name)
    return folder


START, RATE = Position(), Fraction(30)


def read(folder: Path, after: Position = START, rate: Fraction = RATE) -> list[tuple[float, int]]:
    """Time and grey level of each frame."""
    with PictureFolder(folder, rate).frames(after) as frames:
        return [(round(frame.timestamp, 3), int(frame.load(64).pixels[0, 0, 0])) for frame in frames]


def test_pictures_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    fill(tmp_path, "shot2.png", "shot10.png", "shot1.png")
    (tmp_path / "notes.txt").write_text("no picture")
    assert read(tmp_path, rate=Fraction(25)) == [(0.0, 20), (0.04, 0), (0.08, 10)]


def test_reading_goes_on_after_any_picture(tmp_path: Path) -> None:
    fill(tmp_path, "1.png", "2.png", "3.png")
    assert read(tmp_path, Position(1, 0.0)) == [(0.033, 10), (0.067, 20)]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="holds no pictures"):
        PictureFolder(tmp_path)


def test_pictures_of_two_sizes_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "1.png")
    Image.new("RGB", (48, 64)).save(tmp_path / "2.png")
    with pytest.raises(VideoError, match=r"2\.png has 48 x 64 pixels, the first picture 64 x 48"):
        read(tmp_path)


def test_a_picture_that_is_damaged_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "1.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    with pytest.raises(VideoError, match=r"2\.png: The"):
        read(tmp_path)
