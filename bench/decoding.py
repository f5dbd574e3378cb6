"""What decoding costs: `python -m bench.decoding [--results]`.

CPU time, and memory at its peak beyond what the process held before, each in a process of its own: of photos as phones
and cameras take them, at the size that a request asks for by default and at the largest that it can; and of the odd
pictures (bench/odd_pictures). --results writes the tables into bench/RESULTS.md.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from bench.odd_pictures import all_pictures
from bench.odd_pictures.picture import encoded, scene
from bench.results import machine, table, write_figures
from service.errors import RequestError
from service.settings import Settings
from service.vision.image import decode
from service.vision.tile_layout import MAX_TILES

USUAL_SIDE: Final = 288  # pixels that a request asks for by default
MOST_SIDE: Final = MAX_TILES * 576  # with all tiles at the largest input size
SIZES: Final = {12: (4000, 3000), 25: (5772, 4329), 48: (8000, 6000), 100: (11547, 8660), 200: (16320, 12240)}
MOST_SECONDS, MOST_MB = 1.0, 200.0
RESET_PEAK: Final = "5"  # proc(5), clear_refs
OPENING = """## Decoding

`python -m bench.decoding --results`: CPU time of one picture, and memory at its peak beyond what the process held."""


@dataclass(frozen=True)
class Cost:
    """What decoding a picture cost. mb: of memory, at its peak. outcome: its decoded size, or the problem's name."""

    seconds: float
    mb: float
    outcome: str


def photo(megapixels: int, mode: str = "RGB") -> Image.Image:
    """A picture with as much detail as a photo."""
    width, height = SIZES[megapixels]
    tile = np.asarray(scene(1000, 1000, mode))
    rows = np.tile(tile, (1, -(-width // 1000), 1))[:, :width]
    image = Image.new(mode, (width, height))
    for top in range(0, height, 1000):
        image.paste(Image.fromarray(rows), (0, top))
    return image


def photo_file(megapixels: int, mode: str, form: str, options: dict[str, Any]) -> bytes:
    """A file of that picture. form, options: of Pillow's encoder."""
    return encoded(photo(megapixels, mode), form, **options)


def kinds() -> Iterable[tuple[str, Callable[[], bytes]]]:
    """Name and maker of each kind of photo."""

    def kind(name: str, megapixels: int, form: str, mode: str = "RGB", **options: Any) -> Any:
        return f"{name}, {megapixels} megapixels", partial(photo_file, megapixels, mode, form, options)

    for megapixels in SIZES:
        yield kind("baseline JPEG", megapixels, "JPEG")
    for megapixels in (12, 25, 48):
        yield kind("progressive JPEG", megapixels, "JPEG", progressive=True)
    yield kind("progressive JPEG, full colour", 25, "JPEG", progressive=True, subsampling=0)
    for megapixels in (12, 25):
        yield kind("PNG", megapixels, "PNG", compress_level=1)
        yield kind("PNG with alpha", megapixels, "PNG", "RGBA", compress_level=1)
        yield kind("WebP", megapixels, "WEBP", method=0)
        yield kind("lossless WebP", megapixels, "WEBP", lossless=True, quality=0, method=0)
        yield kind("AVIF", megapixels, "AVIF", speed=10)


def cost(job: tuple[bytes, int]) -> Cost:
    """Decodes a picture, given with the side that is asked for, in a process in which every decoder has run before."""
    data, side = job
    for form in ("JPEG", "PNG", "WEBP", "AVIF"):
        decode(encoded(scene(8, 8), form), USUAL_SIDE, 1)
    before = resident_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text(RESET_PEAK)
    start = time.process_time()
    try:
        picture = decode(data, side, Settings().max_megapixels)
        outcome = f"{picture.pixels.shape[1]} x {picture.pixels.shape[0]}"
    except RequestError as problem:
        outcome = problem.kind.name
    return Cost(time.process_time() - start, resident_mb("VmHWM") - before, outcome)


def resident_mb(name: str) -> float:
    """VmRSS, what lies in RAM now, or VmHWM, its peak since the last reset."""
    return int(Path("/proc/self/status").read_text().split(f"{name}:")[1].split()[0]) / 1024


def costs(jobs: Sequence[tuple[bytes, int]]) -> list[Cost]:
    """What each costs in a process of its own, forked from this one, which has decoded nothing and freed little."""
    with processes() as pool:
        return pool.map(cost, jobs, chunksize=1)


def processes() -> Pool:
    """A pool in which each job has a process of its own."""
    return multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1)


def kinds_table() -> str:
    """The table of the kinds of photos."""
    rows = []
    for name, make in kinds():
        with processes() as pool:
            data = pool.apply(make)
        usual, most = costs([(data, USUAL_SIDE), (data, MOST_SIDE)])
        rows.append(
            [name, f"{len(data) / 1e6:.1f}"]
            + [part for cost in (usual, most) for part in (cost.outcome, f"{cost.seconds * 1e3:.0f}", f"{cost.mb:.0f}")]
        )
    header = ["picture", "MB", "usually decoded to", "ms", "MB at peak", "at most decoded to", "ms", "MB at peak"]
    return table(header, rows)


def odd_table() -> str:
    """The table of the odd pictures that cost most, under how many there are."""
    pictures = all_pictures()
    told = costs([(picture.data, MOST_SIDE) for picture in pictures])
    named = list(zip(pictures, told, strict=True))
    longest = sorted(named, key=lambda pair: pair[1].seconds, reverse=True)[:5]
    largest = sorted(named, key=lambda pair: pair[1].mb, reverse=True)[:5]
    rows = [
        [picture.name, f"{cost.seconds * 1e3:.0f}", f"{cost.mb:.0f}", cost.outcome]
        for picture, cost in {id(pair[0]): pair for pair in (*longest, *largest)}.values()
    ]
    slow = sum(cost.seconds > MOST_SECONDS for cost in told)
    heavy = sum(cost.mb > MOST_MB for cost in told)
    return (
        f"{len(pictures)} odd pictures: {slow} over {MOST_SECONDS:g} s, {heavy} over {MOST_MB:g} MB. "
        f"Those that cost most:\n\n{table(['picture', 'ms', 'MB at peak', 'decoded to'], rows)}"
    )


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.decoding", description=__doc__.splitlines()[0])
    parser.add_argument("--odd", action="store_true", help="the odd pictures only")
    parser.add_argument("--results", action="store_true", help="write the tables into bench/RESULTS.md")
    arguments = parser.parse_args()
    odd = odd_table()
    text = f"{machine()}.\n\n{odd}" if arguments.odd else f"{machine()}.\n\n{kinds_table()}\n\n{odd}"
    print(text)
    if arguments.results:
        write_figures("decoding", OPENING, text)


if __name__ == "__main__":
    main()
