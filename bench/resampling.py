"""What resampling takes: `python -m bench.resampling [--results]`. Needs mfn-retarget-pixels (native/) and OpenCV.

From a decoded picture or a raw frame to the networks' inputs, on one core, in turn: by Pillow, compiled, and by OpenCV
where it has the like, whose pixels are others. --results writes the table into bench/RESULTS.md.
"""

import argparse
import importlib.util
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.group_pictures import group_pictures
from bench.results import machine, table, write_figures
from bench.rounds import measure, pin
from service.vision import resampling
from service.vision.arrays import Pixels
from service.vision.crops import CROP_SIDE, Crop
from service.vision.image import Picture
from service.vision.letterbox import Letterbox
from service.vision.raw_image import decode_raw
from service.vision.raw_layout import PixelFormat, RawLayout

SIDE = 288  # pixels of the Multiple Face Network's input
CROP_SIDES = (140, 300)  # pixels of the picture: one that is not shrunk, and one that is, by 2
TURN = 12.0  # degrees
FRAMES = {  # raw frames that a stream may have, and their bytes a pixel
    PixelFormat.RGBA: 4.0,
    PixelFormat.NV12: 1.5,
}
OPENING = """## Resampling

`python -m bench.resampling --results`: from decoded pixels to a network's input, one core, milliseconds, medians.
Pillow and the compiled functions of native/ give the same bytes. OpenCV does not; its crops are not shrunk first."""

Case = tuple[str, str]
Cases = dict[str, Callable[[], Any]]


def pictures(picture: Picture) -> Cases:
    """From a picture of 1280 x 720 pixels to the networks' inputs, by what is asked for."""
    width, height, pixels = picture.width, picture.height, picture.pixels
    box, centre = Letterbox.fit(width, height, SIDE), np.array([width / 2, height / 2])
    reduced = resampling.block_means(pixels, 4, 4)
    cases: Cases = {
        f"letterbox of {width} x {height}": partial(box.apply, pixels),
        f"letterbox of {width // 4} x {height // 4}, a JPEG's": partial(box.apply, reduced),
    }
    for side in CROP_SIDES:
        cases[f"crop of {side} pixels"] = partial(Crop(centre, side, TURN).sample, picture)
    for form, pixel_bytes in FRAMES.items():
        data, layout = bytes(int(width * height * pixel_bytes)), RawLayout(form, width, height)
        cases[f"{form.value}, {width} x {height}, converted"] = partial(decode_raw, data, layout, SIDE, math.inf)
    return cases


def opencv(picture: Picture) -> Cases:
    """The first letterbox and the crops."""
    import cv2

    cv2.setNumThreads(1)
    width, height, pixels = picture.width, picture.height, picture.pixels
    box = Letterbox.fit(width, height, SIDE)
    cases: Cases = {
        f"letterbox of {width} x {height}": partial(cv2.resize, pixels, box.content, interpolation=cv2.INTER_AREA)
    }
    for side in CROP_SIDES:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), -TURN, CROP_SIDE / side)
        turn[0, 2] += CROP_SIDE / 2 - width / 2
        turn[1, 2] += CROP_SIDE / 2 - height / 2
        cases[f"crop of {side} pixels"] = partial(cv2.warpAffine, pixels, turn, (CROP_SIDE, CROP_SIDE))
    return cases


def by(compiled: bool, case: Callable[[], Pixels]) -> Callable[[], Pixels]:
    """The case by Pillow, or by the compiled functions."""

    def run() -> Pixels:
        resampling.COMPILED = compiled
        return case()

    return run


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--results", action="store_true", help="write the table into bench/RESULTS.md")
    arguments = parser.parse_args()
    if not resampling.COMPILED:
        parser.error("mfn-retarget-pixels is missing: pip install ./native")
    if not importlib.util.find_spec("cv2"):
        parser.error("OpenCV is missing: pip install opencv-python-headless")
    pin()
    picture = group_pictures()[5].picture
    cases: dict[Case, Callable[[], Any]] = {}
    for name, case in pictures(picture).items():
        cases["Pillow", name], cases["compiled", name] = by(False, case), by(True, case)
    cases |= {("OpenCV", name): case for name, case in opencv(picture).items()}
    rounds = measure(cases, arguments.rounds)
    systems = ("Pillow", "compiled", "OpenCV")
    rows = [
        [name, *(f"{rounds.median((system, name)):.2f}" if (system, name) in cases else "" for system in systems)]
        for name in pictures(picture)
    ]
    figures = f"{machine()}. {rounds.told()}\n\n{table(['what', *systems], rows)}"
    print(figures)
    if arguments.results:
        write_figures("resampling", OPENING, figures)


if __name__ == "__main__":
    main()
