"""Encodes pictures as a film in VP9, which all browsers play."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

KILOBITS = 210  # a second


def encode(path: Path, pictures: Iterable[np.ndarray], fps: int) -> None:
    """Writes pictures (H, W, 3) uint8 of one size to a WebM file. The same pictures give the same bytes."""
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as film:
        stream = None
        for index, picture in enumerate(pictures):
            if stream is None:
                stream = _stream(film, picture, fps)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            film.mux(stream.encode(frame))
        if stream is None:
            raise ValueError("expected at least one picture")
        film.mux(stream.encode())


def _stream(film: av.container.OutputContainer, picture: np.ndarray, fps: int) -> av.VideoStream:
    stream = film.add_stream("libvpx-vp9", rate=fps)
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.bit_rate = KILOBITS * 1000
    stream.options = {"threads": "1", "deadline": "good", "cpu-used": "1", "lag-in-frames": "25", "g": "120"}
    return stream
