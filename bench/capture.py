"""How fast `mfn capture` is: times real time of films of 1080p with one to three persons, start and files included.

The films are Studio's, enlarged and played several times. Run it on a machine that does nothing else:

    python -m bench.capture
    python -m bench.capture --seconds 120 --format csv,glb
"""

import argparse
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np

FACES = Path(__file__).resolve().parents[1] / "studio/film/faces.webm"
WIDTH, HEIGHT, RATE = 1920, 1080, 30
GREY = 114
LEFT, RIGHT = slice(0, 320), slice(320, 640)  # columns of Studio's film, each of which shows a person
FILMS = {"one person": (LEFT,), "two persons": (LEFT, RIGHT), "three persons": (LEFT, RIGHT, LEFT)}


def main() -> None:
    """Prints a line a film."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="length of the films")
    parser.add_argument("--format", default="npz", help="as of `mfn capture`")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film, empty = Path(folder) / "film.mp4", Path(folder) / "start.mp4"
        write_film(empty, (LEFT,), 1)
        start = capture(empty, Path(folder) / "take", chosen.format)
        print(f"start, and a film of one frame: {start:.1f} s")
        for name, persons in FILMS.items():
            frames = chosen.seconds * RATE
            write_film(film, persons, frames)
            seconds = capture(film, Path(folder) / "take", chosen.format)
            print(
                f"{name}: {frames} frames in {seconds:.1f} s, {frames / RATE / seconds:.2f} x real time; "
                f"{frames / RATE / (seconds - start):.2f} x without the start"
            )


def write_film(path: Path, persons: tuple[slice, ...], frames: int) -> None:
    """Writes the columns of Studio's film that show some persons side by side, enlarged, in the middle of grey."""
    height = min(HEIGHT, WIDTH * 3 // 2 // len(persons))  # a person's part of the film is 2 wide and 3 high
    numbers = count()
    with av.open(str(path), "w") as film:
        stream: Any = film.add_stream("libx264", RATE, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        while True:
            with av.open(str(FACES)) as source:
                for number, frame in zip(numbers, source.decode(video=0), strict=False):
                    if number >= frames:
                        film.mux(stream.encode())
                        return
                    pixels = frame.reformat(height * 4 // 3, height, "rgb24", interpolation="BICUBIC").to_ndarray()
                    scale = pixels.shape[1] / frame.width
                    parts = [pixels[:, round(part.start * scale) : round(part.stop * scale)] for part in persons]
                    shown = np.concatenate(parts, axis=1)[:, :WIDTH]
                    canvas = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
                    left, top = (WIDTH - shown.shape[1]) // 2, (HEIGHT - height) // 2
                    canvas[top : top + height, left : left + shown.shape[1]] = shown
                    picture = av.VideoFrame.from_ndarray(canvas)
                    picture.pts, picture.time_base = number, Fraction(1, RATE)
                    film.mux(stream.encode(picture))


def capture(film: Path, out: Path, formats: str) -> float:
    """Captures a film, all of the program included. Returns the seconds that it took."""
    program = "import sys; from service.cli.main import main; sys.exit(main(sys.argv[1:]))"
    start = time.perf_counter()
    command = [sys.executable, "-c", program, "capture", str(film), "--out", str(out), "--format", formats, "--force"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
