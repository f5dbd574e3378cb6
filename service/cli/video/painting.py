"""Draws tracked faces on their frame, each in a colour that stays with the person."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from PIL import Image, ImageDraw

from service.cli.draw import COLOURS, INK, Colour, Surface, boxes_on, draw_heads, draw_panels, font_of
from service.cli.video.loop import Command, ProcessedFrame
from service.tracking.neutral import NeutralState
from service.tracking.session import FrameResult
from service.vision.arrays import Pixels
from service.vision.face_model import FaceModel

MIN_LONGER_SIDE: Final = 960  # pixels; smaller frames are enlarged to it, so that text is legible
FONT_OF_PICTURE: Final = 0.017  # font size of a tag, in longer sides of the picture


class Canvas(Protocol):
    """A destination of painted frames: a video file or a window."""

    def show(self, picture: Pixels, timestamp: float) -> Command | None:
        """Shows or writes a frame (h, w, 3) uint8 RGB. Returns the user's command, if any. May raise VideoError."""
        ...


class Painter:
    """A sink that paints each frame once, for all its canvases."""

    def __init__(self, face_model: FaceModel, surface: Surface, canvases: Sequence[Canvas]) -> None:
        self._face_model = face_model
        self._surface = surface
        self._canvases = canvases

    def consume(self, processed: ProcessedFrame) -> Command | None:
        """Paints a frame and shows it on all canvases. Returns the first canvas's command that there is."""
        picture = paint(processed.frame.pixels, processed.result, self._face_model, self._surface)
        commands = [canvas.show(picture, processed.frame.timestamp) for canvas in self._canvases]
        return next((command for command in commands if command is not None), None)


def paint(pixels: Pixels, result: FrameResult, face_model: FaceModel, surface: Surface) -> Pixels:
    """Draws a frame's faces on its pixels (h, w, 3), enlarged where they are small: (H, W, 3) uint8 RGB.

    The surface has the face's absolute expressions, so that it fits the picture; the bars show the calibrated ones.
    Unlike on a photo, there is no supersampling, which is too slow for thirty frames per second.
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
    """The colour of a track."""
    return COLOURS[(track_id - 1) % len(COLOURS)]


def draw_tags(layer: Image.Image, result: FrameResult, colours: Sequence[Colour]) -> None:
    """Draws each face's track number in the upper left corner of its box, and whether it is being calibrated."""
    pen = ImageDraw.Draw(layer)
    font = font_of(FONT_OF_PICTURE * max(layer.size))
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
