"""A decoded image, in any of Pillow's modes, as upright RGB pixels."""

from typing import Final

import numpy as np
from PIL import Image

from service.vision.arrays import Pixels
from service.vision.letterbox import PAD_GREY
from service.vision.orientation import FROM_BELOW, SIDEWAYS, UPRIGHT
from service.vision.pillow_resampling import pixels_of

WHOLE_PIXELS: Final = 2**20  # of a picture that is converted at once; a larger one would take memory besides itself
# Of the strips of a larger one: what they take stays in the processor's cache, and rows are not many.
STRIP_PIXELS: Final = 2**17


def upright_rgb(image: Image.Image, orientation: int) -> Pixels:
    """Converts an image to RGB pixels (h, w, 3) uint8, and turns it by its orientation, 1 to 8.

    Transparent parts become the grey that surrounds pictures in the network's input.
    """
    image.load()  # which may change its mode
    if image.width * image.height <= WHOLE_PIXELS:
        return pixels_of(_upright(_to_rgb(image), orientation))
    return _in_strips(image, orientation)


def _in_strips(image: Image.Image, orientation: int) -> Pixels:
    """Converts an image strip by strip, so that it takes no memory besides the image and the result (h, w, 3)."""
    width, height = image.size
    shape = (width, height, 3) if orientation in SIDEWAYS else (height, width, 3)
    pixels = np.empty(shape, np.uint8)
    rows = max(1, STRIP_PIXELS // width)
    for start in range(0, height, rows):
        end = min(start + rows, height)
        strip = pixels_of(_upright(_to_rgb(image.crop((0, start, width, end))), orientation))
        first, last = (height - end, height - start) if orientation in FROM_BELOW else (start, end)
        if orientation in SIDEWAYS:
            pixels[:, first:last] = strip
        else:
            pixels[first:last] = strip
    return pixels


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _to_rgb(image: Image.Image) -> Image.Image:
    """Converts an image to RGB."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16-bit grey, in one of Pillow's several modes for it
        high_byte = np.clip(np.asarray(image).astype(np.int32) >> 8, 0, 255).astype(np.uint8)
        return Image.fromarray(high_byte).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGB", rgba.size, (PAD_GREY, PAD_GREY, PAD_GREY))
        ground.paste(rgba, mask=rgba)
        return ground
    return image.convert("RGB")
