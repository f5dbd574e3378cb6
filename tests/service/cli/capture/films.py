"""Films of white squares on black, which tests.service.tiny_models takes for faces; written by PyAV."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

SIDE, CELL = 96, 16  # pixels of the films, and of a face


def picture(*cells: tuple[int, int], side: int = SIDE) -> np.ndarray:
    """A picture with a face in each of these cells: column and row."""
    pixels = np.zeros((side, side, 3), np.uint8)
    for column, row in cells:
        pixels[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = 255
    return pixels


def write_film(
    path: Path,
    pictures: Sequence[np.ndarray],
    rate: Fraction | int = 30,
    times: Sequence[int] | None = None,
    rotation: int = 0,
    sounds: int = 0,
    timecode: str | None = None,
) -> Path:
    """times: in units of 1/1000 s in place of even ones. rotation: degrees, counter-clockwise, by metadata. sounds:
    number of sound tracks, silent, first in the file. timecode: of the first frame, where the format has a place."""
    time_base = Fraction(1, 1000) if times else 1 / Fraction(rate)
    options: dict[str, Any] = {"format": "mov"} if timecode else {}
    with av.open(str(path), "w", **options) as container:
        if timecode:
            container.metadata["timecode"] = timecode
        tracks = [container.add_stream("aac" if path.suffix != ".webm" else "libopus", 48000) for _ in range(sounds)]
        stream: Any = container.add_stream("mpeg4" if path.suffix != ".webm" else "libvpx", rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", time_base
        if timecode:
            stream.metadata["timecode"] = timecode
        if rotation:
            stream.set_display_rotation(rotation)
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels)
            frame.pts, frame.time_base = (times[number] if times else number), time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        for track in tracks:
            samples = round(len(pictures) / Fraction(rate) * 48000)
            silence: Any = av.AudioFrame(
                format="fltp" if track.name == "aac" else "s16", layout="stereo", samples=samples
            )
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            silence.sample_rate = 48000
            container.mux(track.encode(silence))
            container.mux(track.encode())
    return path
