"""Calibration pictures: how a file holds them, and what they must be, since ranges of 8 bits are taken from what a
network makes of them.

A set is a strip, its pictures one below the other, as the bytes of one WebP picture: a tenth of what zip makes of the
pixels. Lossy, since what networks see was compressed so, too. How WebP's pixels are decoded is defined to the last bit,
so that the same pictures come out everywhere.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

FILE = "calibration.npz"  # beside the manifest
LEAST_CONTRAST = 100  # grey levels between the darkest and the brightest value of a set; of any photo it is above 200
QUALITY, SLOWEST = 90, 6  # WebP's: an error of 2.6 grey levels, root mean square
MOST_ROWS = 16383  # of a WebP picture


def write_pictures(path: Path, sets: Mapping[str, np.ndarray]) -> None:
    """Writes pictures (N, S, S, 3) uint8 by the networks' names, N * S at most MOST_ROWS, into an .npz file."""
    strips: dict[str, Any] = {}
    for kind, pictures in sets.items():
        strip = pictures.reshape(-1, *pictures.shape[2:])
        if len(strip) > MOST_ROWS:
            raise ValueError(f"{kind}: {len(pictures)} pictures make {len(strip)} rows; a strip holds {MOST_ROWS}")
        file = io.BytesIO()
        Image.fromarray(strip).save(file, "WEBP", quality=QUALITY, method=SLOWEST)
        strips[kind] = np.frombuffer(file.getvalue(), np.uint8)
    np.savez(path, **strips)


def read_pictures(path: Path, kind: str, side: int) -> np.ndarray:
    """(N, side, side, 3) uint8 of the file's set `kind`. Raises ValueError where they cannot calibrate."""
    with np.load(path) as arrays:
        if kind not in arrays:
            raise ValueError(f"{path} holds {', '.join(arrays)}; pictures named {kind} were expected")
        held = arrays[kind]
    try:
        if held.dtype != np.uint8 or held.ndim != 1:
            raise ValueError(f"the bytes of a WebP strip were expected, not {held.dtype} {held.shape}")
        pictures = cut(decoded(held.tobytes()))
        check_pictures(pictures, side)
    except ValueError as error:
        raise ValueError(f"{path}, {kind}: {error}") from error
    return pictures


def decoded(content: bytes) -> np.ndarray:
    """(H, W, 3) uint8 of an encoded picture."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return np.array(picture.convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(
            "the bytes of a WebP strip were expected, but they are no picture or cut off. "
            "Restore the file, or draw it anew with python -m training.render.calibration"
        ) from error


def cut(strip: np.ndarray) -> np.ndarray:
    """(N, S, S, 3) of a strip (N * S, S, 3)."""
    rows, side, _ = strip.shape
    if rows % side:
        raise ValueError(f"a strip {side} pixels wide holds square pictures, but its {rows} rows are no multiple of it")
    return strip.reshape(-1, side, side, 3)


def mosaics(pictures: np.ndarray, side: int) -> np.ndarray:
    """(N, side, side, 3) uint8, each filled from its top left with pictures (N, S, S, 3) uint8 side by side, for a
    network that is used at several input sizes: at each it sees heads of as many pixels as at the one it was trained
    at. Picture i begins with pictures[i]; what reaches over the edge is cut off."""
    count = -(-side // pictures.shape[1])
    cells = (np.arange(len(pictures))[:, None] + np.arange(count**2)) % len(pictures)
    tiled = pictures[cells.reshape(-1, count, count)]  # (N, row, column, S, S, 3)
    joined = tiled.transpose(0, 1, 3, 2, 4, 5).reshape(len(pictures), count * pictures.shape[1], -1, 3)
    return np.ascontiguousarray(joined[:, :side, :side])


def check_pictures(pictures: np.ndarray, side: int) -> None:
    """Checks calibration pictures. Raises ValueError where they cannot calibrate a network of square inputs of `side`
    pixels.

    pictures: (N, side, side, 3) uint8, N at least 1. Single ones may be blank, but not all of them.
    """
    wanted = f"calibration needs uint8 pictures (N, {side}, {side}, 3)"
    if not isinstance(pictures, np.ndarray):
        raise ValueError(f"{wanted}, not {type(pictures).__name__}")
    if pictures.dtype != np.uint8:
        raise ValueError(f"{wanted}; these are {pictures.dtype}. Give grey levels 0 to 255, not normalised ones")
    if pictures.ndim != 4 or pictures.shape[1:] != (side, side, 3):
        raise ValueError(f"{wanted}; these are {pictures.shape}. Give RGB pictures, cut or scaled to that size")
    if not len(pictures):
        raise ValueError(f"{wanted}, but there is none. Give some dozens that look like what the network will see")
    darkest, brightest = int(pictures.min()), int(pictures.max())
    if brightest - darkest < LEAST_CONTRAST:
        kind = "every pixel is" if darkest == brightest else "all values lie within"
        values = f"{darkest}" if darkest == brightest else f"{darkest} to {brightest}"
        raise ValueError(
            f"calibration needs pictures that show something: on the {len(pictures)} given {kind} {values}. The ranges "
            f"of a network's activations cannot be learned from them; give photos or drawings of faces, of at least "
            f"{LEAST_CONTRAST} grey levels of contrast"
        )
