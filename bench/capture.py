"""How fast `mfn capture` is: times real time of a film of 1080p with one person, and with two.

The film is Studio's, enlarged. Run it on a machine that does nothing else:

    python -m bench.capture
"""

import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

FACES = Path(__file__).resolve().parents[1] / "studio/film/faces.webm"
WIDTH, HEIGHT, RATE = 1920, 1080, 30
GREY = 114
FILMS = {"two persons": (0, 640), "one person": (0, 320)}  # columns of Studio's film that are shown


def main() -> None:
    """Prints a line a film."""
    with tempfile.TemporaryDirectory() as folder:
        for name, columns in FILMS.items():
            film = Path(folder) / "film.mp4"
            frames = write_film(film, columns)
            seconds = capture(film, Path(folder) / "take")
            print(f"{name}: {frames} frames in {seconds:.1f} s, {frames / RATE / seconds:.2f} x real time")


def write_film(path: Path, columns: tuple[int, int]) -> int:
    """Writes some columns of Studio's film, enlarged, in the middle of grey. Returns the number of frames."""
    first, last = columns
    count = 0
    with av.open(str(FACES)) as source, av.open(str(path), "w") as film:
        stream: Any = film.add_stream("libx264", RATE, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in source.decode(video=0):
            enlarged = frame.reformat(HEIGHT * 4 // 3, HEIGHT, "rgb24", interpolation="BICUBIC").to_ndarray()
            scale = enlarged.shape[1] / frame.width
            part = enlarged[:, round(first * scale) : round(last * scale)]
            pixels = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
            left = (WIDTH - part.shape[1]) // 2
            pixels[:, left : left + part.shape[1]] = part
            picture = av.VideoFrame.from_ndarray(pixels)
            picture.pts, picture.time_base = count, Fraction(1, RATE)
            film.mux(stream.encode(picture))
            count += 1
        film.mux(stream.encode())
    return count


def capture(film: Path, out: Path) -> float:
    """Captures a film, all of the program included. Returns the seconds that it took."""
    program = "import sys; from service.cli.main import main; sys.exit(main(sys.argv[1:]))"
    start = time.perf_counter()
    command = [sys.executable, "-c", program, "capture", str(film), "--out", str(out), "--format", "npz", "--force"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
