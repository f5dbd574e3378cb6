"""Sets that cannot calibrate are refused with the reason; a blank picture among others is fine. Files give back what
was put in, nearly, and on every machine the same."""

import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.export.calibration import check_pictures, mosaics, read_pictures, write_pictures

SIDE = 8
# of the pixels of models/calibration.npz, which int8 is made from: to be set anew when it is drawn anew
PUBLISHED = {
    ("mfn", 288, 32): "40a6d87d623a5db9e9bbed943e1f6b9e0177704f17183e495f568804adb064e3",
    ("sfn", 128, 64): "74a7ec6e4e91b69673c628f7f67b023aba47e5d839e38d1a2d3fcd5c7254525d",
}


def photos(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def test_pictures_that_show_something_pass() -> None:
    check_pictures(photos(), SIDE)
    check_pictures(photos(1), SIDE)
    check_pictures(np.concatenate([photos(), np.zeros((2, SIDE, SIDE, 3), np.uint8)]), SIDE)


@pytest.mark.parametrize(
    ("pictures", "reason"),
    [
        (photos().tolist(), "not list"),
        (photos().astype(np.float32) / 255, "these are float32. Give grey levels 0 to 255"),
        (photos()[0], "these are (8, 8, 3)"),
        (photos()[:, :4], "these are (3, 4, 8, 3)"),
        (photos().transpose(0, 3, 1, 2), "these are (3, 3, 8, 8)"),
        (photos()[:0], "there is none"),
        (np.zeros((1, SIDE, SIDE, 3), np.uint8), "on the 1 given every pixel is 0"),
        (np.full((5, SIDE, SIDE, 3), 114, np.uint8), "on the 5 given every pixel is 114"),
        (photos() // 8 + 100, "all values lie within 100 to 131"),
    ],
)
def test_the_others_are_refused_with_the_reason(pictures: np.ndarray, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^calibration needs .*{re.escape(reason)}"):
        check_pictures(pictures, SIDE)


@pytest.mark.parametrize(("kind", "side", "count"), PUBLISHED)
def test_the_published_file_is_decoded_to_the_same_pixels_everywhere(kind: str, side: int, count: int) -> None:
    pictures = read_pictures(Path("models/calibration.npz"), kind, side)
    assert pictures.shape == (count, side, side, 3)
    assert hashlib.sha256(pictures.tobytes()).hexdigest() == PUBLISHED[kind, side, count]


def test_pictures_come_back_in_order_and_nearly_as_they_were(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 32).astype(np.uint8)
    drawn = np.stack([np.broadcast_to(ramp[:, None, None], (32, 32, 3)), np.broadcast_to(ramp[:, None], (32, 32, 3))])
    blank = np.full((1, 32, 32, 3), 114, np.uint8)
    write_pictures(tmp_path / "x.npz", {"a": np.concatenate([drawn, blank]), "b": drawn[:1]})
    found = read_pictures(tmp_path / "x.npz", "a", 32)
    assert found.shape == (3, 32, 32, 3)
    assert np.abs(found[:2].astype(int) - drawn).max() < 12
    assert np.abs(found[2].astype(int) - 114).max() < 3
    assert read_pictures(tmp_path / "x.npz", "b", 32).shape == (1, 32, 32, 3)


def test_a_set_higher_than_a_strip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a: 2048 pictures make 16384 rows; a strip holds 16383"):
        write_pictures(tmp_path / "x.npz", {"a": np.zeros((2048, 8, 8, 3), np.uint8)})
    assert not (tmp_path / "x.npz").exists()


def webp(height: int, width: int) -> np.ndarray:
    file = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "WEBP")
    return np.frombuffer(file.getvalue(), np.uint8)


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (photos(), "the bytes of a WebP strip were expected, not uint8 (3, 8, 8, 3)"),
        (webp(16, 8).astype(np.float32), "the bytes of a WebP strip were expected, not float32"),
        (webp(16, 8)[:-40], "no picture or cut off. Restore the file"),
        (np.arange(100, dtype=np.uint8), "no picture or cut off. Restore the file"),
        (webp(20, 8), "its 20 rows are no multiple"),
        (webp(32, 16), "calibration needs uint8 pictures (N, 8, 8, 3); these are (2, 16, 16, 3)"),
    ],
    ids=["pixels", "float", "cut off", "noise", "rows", "side"],
)
def test_files_of_something_else_are_refused(held: np.ndarray, reason: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=held)
    with pytest.raises(ValueError, match=f"x.npz, a: .*{re.escape(reason)}"):
        read_pictures(tmp_path / "x.npz", "a", SIDE)


def test_mosaics_are_filled_with_whole_pictures_and_cut_at_their_edge() -> None:
    pictures = np.broadcast_to(np.array([10, 20, 30, 40], np.uint8)[:, None, None, None], (4, 4, 4, 3))
    assert (mosaics(pictures, 4) == pictures).all()
    large = mosaics(pictures, 6)
    assert (large.shape, large.dtype.name) == ((4, 6, 6, 3), "uint8")
    quarters = large[:, [0, 0, 5, 5], [0, 5, 0, 5], 0]  # the corners: across, then down
    assert quarters.tolist() == [[10, 20, 30, 40], [20, 30, 40, 10], [30, 40, 10, 20], [40, 10, 20, 30]]
    assert (large[0, :4, :4] == 10).all()
    assert (large[0, :4, 4:] == 20).all()
    assert (large[0, 4:, :4] == 30).all()
