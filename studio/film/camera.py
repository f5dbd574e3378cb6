"""The film as a camera's: each frame tells its number in a strip of blocks along its lower edge.

A program that watches the camera's picture then knows which frame it sees, and so what the faces do in it, however late
and uneven the frames come.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS, CHECK_BITS = 9, 3
BLOCKS = BITS + CHECK_BITS  # along the picture's width, the highest bit first; white is 1
STRIP = 16  # pixels of height
CHECK_OFFSET = 5  # makes the code of a black picture a wrong one
PIXELS = "yuvj420p"
QUALITY = 3  # of the JPEGs, FFmpeg's qscale: 2 is the best


def code_of(number: int) -> list[int]:
    """The BLOCKS bits of a frame's number: its own, then their sum plus CHECK_OFFSET."""
    check = (number.bit_count() + CHECK_OFFSET) % 2**CHECK_BITS
    return [int(bit) for bit in f"{number:0{BITS}b}{check:0{CHECK_BITS}b}"]


def numbered(picture: np.ndarray, number: int) -> np.ndarray:
    """A picture (H, W, 3) uint8 with its number at its lower edge."""
    width = picture.shape[1]
    block = np.arange(width) * BLOCKS // width
    marked = picture.copy()
    marked[-STRIP:] = 255 * np.array(code_of(number), np.uint8)[block, None]
    return marked


def number_of(picture: np.ndarray) -> int | None:
    """The number that a picture shows; None where it shows none."""
    strip = picture[-STRIP:].mean((0, 2))
    bits = [int(part.mean() > 127.5) for part in np.array_split(strip, BLOCKS)]
    number = int("".join(map(str, bits[:BITS])), 2)
    return number if bits == code_of(number) else None


def write_camera_film(film: Path, out: Path, slower: int = 1) -> None:
    """Writes a film as numbered JPEGs, one after the other, which Chromium's fake camera plays in a loop.

    slower: how often each is shown; 2 is slow motion at half the speed.
    """
    encoder: av.VideoCodecContext | None = None
    with out.open("wb") as camera:
        for number, picture in enumerate(pictures(film)):
            encoder = encoder or _encoder(picture)
            frame = av.VideoFrame.from_ndarray(numbered(picture, number), format="rgb24").reformat(format=PIXELS)
            for jpeg in encoder.encode(frame):
                camera.write(bytes(jpeg) * slower)


def _encoder(picture: np.ndarray) -> av.VideoCodecContext:
    """What makes JPEGs of pictures of this one's size."""
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.height, encoder.width = picture.shape[:2]
    encoder.pix_fmt, encoder.time_base = PIXELS, Fraction(1, 30)
    encoder.qmin = encoder.qmax = QUALITY
    return encoder


def pictures(film: Path) -> Iterator[np.ndarray]:
    """The pictures of a film, each (H, W, 3) uint8."""
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")
