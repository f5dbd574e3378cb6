"""A film with the takes drawn on it, so that one sees what the files hold."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from service.cli.capture.film import ROUNDING
from service.cli.capture.sources.film_file import load_av
from service.cli.capture.sources.source import Position, Source
from service.cli.capture.stored_takes import Shown, StoredTakes
from service.cli.video.painting import paint
from service.cli.whole_file import PART, WriteError, cannot_write
from service.tracking.neutral import MIN_RANGE, NeutralState
from service.tracking.session import FrameResult, FrameTiming
from service.vision.arrays import Array, Pixels
from service.vision.face_model import FaceModel

SUFFIX: Final = ".mp4"
TIME_BASE: Final = Fraction(1, 90_000)  # seconds; a multiple of every usual frame's duration
CODECS: Final = ("libx264", "mpeg4")  # the first that this FFmpeg has; browsers play H.264 only
OPTIONS: Final = {"libx264": {"preset": "veryfast"}}  # a third of the default's time for a quarter more bytes
SIDE: Final = 1280  # pixels that a frame has at most along its longer side


def draw_preview(
    path: Path, source: Source, takes: StoredTakes, face_model: FaceModel, step: Callable[[], None]
) -> None:
    """Draws the film's frames, as far as the takes go. takes: of one person at least. step: called after each frame.

    Raises VideoError where the film can no longer be read, WriteError where the file cannot be written.
    """
    film = takes.film
    end = film.timestamps[-1] + float(1 / film.timecode.rate) - ROUNDING
    between = (film.timestamps[1:] + film.timestamps[:-1]) / 2
    with source.frames(Position()) as frames, _video(path, float(film.timecode.rate)) as show:
        start: float | None = None
        for frame in frames:
            start = frame.timestamp if start is None else start
            seconds = frame.timestamp - start
            if seconds > end:
                break
            shown = takes.at(int(np.searchsorted(between, seconds)))  # of takes that are resampled, the nearest frame
            pixels = _reduced(frame.load(SIDE).pixels)
            show(paint(pixels, _result(shown, film.width, pixels), face_model, "mesh"), seconds)
            step()


def _result(shown: Shown, width: int, pixels: Pixels) -> FrameResult:
    """Faces of a film that is `width` pixels wide, in pixels of the picture as drawn."""
    ratio = pixels.shape[1] / width
    faces = replace(shown.faces, box=shown.faces.box * ratio, scale=shown.faces.scale * ratio)
    absolute = [_absolute(*pair) for pair in zip(faces.expression, shown.neutral, strict=True)]
    return FrameResult(
        faces=faces,
        uncalibrated=replace(faces, expression=np.array(absolute)) if absolute else faces,
        track_id=shown.person,
        neutral=tuple(NeutralState.OFF if neutral is None else NeutralState.ON for neutral in shown.neutral),
        width=pixels.shape[1],
        height=pixels.shape[0],
        detected=True,
        timing=FrameTiming(),
    )


def _absolute(expression: Array, neutral: Array | None) -> Array:
    """An expression (46,) before the resting face was taken off; what was below that is not known any more."""
    return expression if neutral is None else neutral + expression * np.maximum(1 - neutral, MIN_RANGE)


def _reduced(pixels: Pixels) -> Pixels:
    """Pixels of no more than SIDE along the longer side: means of whole numbers of pixels, which is fast."""
    step = -(-max(pixels.shape[:2]) // SIDE)
    return pixels if step == 1 else np.asarray(Image.fromarray(pixels).reduce(step))


@contextmanager
def _video(path: Path, rate: float) -> Iterator[Callable[[Pixels, float], None]]:
    """A function that writes a picture at a time, seconds, into a video. Raises WriteError."""
    av = load_av()
    codec = next(name for name in CODECS if name in av.codecs_available)
    part = path.with_name(path.name + PART)
    try:
        with av.open(str(part), "w", format="mp4") as container:
            stream: Any = None

            def show(picture: Pixels, seconds: float) -> None:
                nonlocal stream
                height, width = (side - side % 2 for side in picture.shape[:2])  # as half as many colours need
                if stream is None:
                    stream = container.add_stream(codec, round(rate) or 1, options=OPTIONS.get(codec, {}))
                    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                    stream.codec_context.time_base = TIME_BASE
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]))
                frame.pts, frame.time_base = round(seconds / TIME_BASE), TIME_BASE
                container.mux(stream.encode(frame))

            yield show
            if stream is not None:
                container.mux(stream.encode())
        part.replace(path)
    except (av.FFmpegError, OSError) as error:
        part.unlink(missing_ok=True)
        raise WriteError(cannot_write(path, OSError(error.errno, error.strerror or str(error)))) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
