"""Videos of plain colours, written and read through OpenCV."""

from pathlib import Path

import numpy as np

from service.cli.video.opencv import VideoFile
from service.cli.video.sources import open_frames

RED, GREEN, BLUE = (220, 20, 20), (20, 220, 20), (20, 20, 220)


def plain(colour: tuple[int, int, int], width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def colours_in(path: Path) -> list[str]:
    """The strongest channel of each frame of a video."""
    with_frames = open_frames(str(path))
    found = ["rgb"[int(frame.pixels.mean((0, 1)).argmax())] for frame in with_frames]
    with_frames.close()
    return found


def write(path: Path, rate: float, *frames: tuple[tuple[int, int, int], float]) -> None:
    file = VideoFile(path, rate)
    for colour, timestamp in frames:
        file.show(plain(colour), timestamp)
    file.close()
