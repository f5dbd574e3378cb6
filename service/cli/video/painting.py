"""Tracked faces drawn on their frame: everything in a colour that stays with the person."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from service.cli.draw import COLOURS, INK, Colour, Surface, boxes_on, draw_heads, draw_panels
from service.cli.video.loop import Seen, Wish
from service.tracking.neutral import NeutralState
from service.tracking.session import FrameResult
from service.vision.arrays import Pixels
from service.vision.face_model import FaceModel

MIN_LONGER_SIDE: Final = 960  # pixels; smaller frames are enlarged to it, for their letters' sake
FONT_OF_PICTURE: Final = 0.017  # font size of a tag, in longer sides of the picture


class Canvas(Protocol):
    """Where painted frames go: a video file or a window. May raise VideoError."""

    def show(self, picture: Pixels, timestamp: float) -> Wish | None: ...


class Painter:
    """Paints each frame once, for all its canvases."""

    def __init__(self, face_model: FaceModel, surface: Surface, canvases: Sequence[Canvas]) -> None:
        self._face_model = face_model
        self._surface = surface
        self._canvases = canvases

    def view(self, seen: Seen) -> Wish | None:
        picture = paint(seen.frame.pixels, seen.result, self._face_model, self._surface)
        wishes = [canvas.show(picture, seen.frame.timestamp) for canvas in self._canvases]
        return next((wish for wish in wishes if wish is not None), None)


def paint(pixels: Pixels, result: FrameResult, face_model: FaceModel, surface: Surface) -> Pixels:
    """(H, W, 3) the frame (h, w, 3) with its faces on it, enlarged where it is small.

    The surface lies on the face as it is seen; the bars show its coefficients from its rest on. Unlike a photo's, they
    are drawn without supersampling: there are thirty frames a second.
    """
    height, width = pixels.shape[:2]
    scale = max(1.0, MIN_LONGER_SIDE / max(width, height))
    size = (round(width * scale), round(height * scale))
    picture = Image.fromarray(pixels)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    layer = Image.new("RGBA", size)
    colours = [colour_of(track_id) for track_id in result.track_id.tolist()]
    draw_heads(layer, result.uncalibrated, face_model, (width, height), surface, colours)
    draw_panels(layer, result.faces, face_model.expression_names, (width, height), colours)
    draw_tags(layer, result, colours)
    picture.paste(layer, mask=layer)
    return np.asarray(picture)


def colour_of(track_id: int) -> Colour:
    return COLOURS[(track_id - 1) % len(COLOURS)]


def draw_tags(layer: Image.Image, result: FrameResult, colours: Sequence[Colour]) -> None:
    """Each face's number, in the upper left corner of its box, and whether its resting face is being taken."""
    pen = ImageDraw.Draw(layer)
    font = ImageFont.load_default(FONT_OF_PICTURE * max(layer.size))
    boxes = boxes_on(layer, result.faces, (result.width, result.height))
    for track_id, state, (x, y, *_), colour in zip(
        result.track_id.tolist(), result.neutral, boxes, colours, strict=True
    ):
        text = f"#{track_id} at rest, please" if state is NeutralState.COLLECTING else f"#{track_id}"
        x, y = max(x, 0), max(y, 0)
        left, top, right, bottom = pen.textbbox((x, y), text, font)
        margin = (bottom - top) / 2
        pen.rounded_rectangle((x, y, x + right - left + 2 * margin, y + 2 * (bottom - top)), margin, (*colour, 255))
        pen.text((x + margin, y + bottom - top), text, (*INK, 255), font, anchor="lm")
