"""A film with the takes drawn on it, so that one sees what the files hold."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from service.cli.capture.formats.whole_file import PART, WriteError
from service.cli.capture.sources.film_file import load_av
from service.cli.capture.sources.source import Position, Source
from service.cli.capture.take import Take
from service.cli.video.painting import paint
from service.tracking.neutral import MIN_RANGE, NeutralState
from service.tracking.session import FrameResult, FrameTiming
from service.vision.arrays import Array, Pixels
from service.vision.face_model import FaceModel
from service.vision.faces import Faces

SUFFIX: Final = ".mp4"
TIME_BASE: Final = Fraction(1, 90_000)  # seconds; a multiple of every usual frame's duration
CODECS: Final = ("libx264", "mpeg4")  # the first that this FFmpeg has; browsers play H.264 only
SIDE: Final = 1920  # pixels that a frame has at most along its longer side


def draw_preview(
    path: Path, source: Source, takes: Sequence[Take], face_model: FaceModel, step: Callable[[], None]
) -> None:
    """Draws the film's frames, as far as the takes go. takes: one at least. step: called after each frame.

    Raises VideoError where the film can no longer be read, WriteError where the file cannot be written.
    """
    film = takes[0].film
    with source.frames(Position()) as frames, _video(path, float(film.timecode.rate)) as show:
        start: float | None = None
        for frame in frames:
            start = frame.timestamp if start is None else start
            # Of takes that are resampled, the nearest frame.
            seconds = frame.timestamp - start
            number = int(np.abs(film.timestamps - seconds).argmin()) if len(film) > 1 else 0
            if seconds > film.timestamps[-1] + 1 / film.timecode.rate:
                break
            pixels = _reduced(frame.load(SIDE).pixels)
            shown = [take for take in takes if take.known[number]]
            show(paint(pixels, _result(shown, number, takes[0], pixels), face_model, "mesh"), seconds)
            step()


def _result(takes: Sequence[Take], number: int, any_take: Take, pixels: Pixels) -> FrameResult:
    """The takes' faces in a frame, in pixels of the picture as drawn."""
    ratio = pixels.shape[1] / any_take.film.width
    columns = {field.name: [_value(take, field.name, number) for take in takes] for field in fields(Faces)}
    faces = Faces(**{name: np.array(rows) for name, rows in columns.items()}) if takes else Faces.none()
    faces = replace(faces, box=faces.box * ratio, scale=faces.scale * ratio)
    absolute = [_absolute(take, number) for take in takes]
    neutral = NeutralState.OFF if any_take.neutral is None else NeutralState.ON
    return FrameResult(
        faces=faces,
        uncalibrated=replace(faces, expression=np.array(absolute)) if takes else faces,
        track_id=np.array([take.person for take in takes], np.int64),
        neutral=(neutral,) * len(takes),
        width=pixels.shape[1],
        height=pixels.shape[0],
        detected=True,
        timing=FrameTiming(),
    )


def _value(take: Take, name: str, number: int) -> Array:
    value: Array = take.identity if name == "identity" else getattr(take, name)[number]
    return value


def _absolute(take: Take, number: int) -> Array:
    """A frame's expression (46,) before the resting face was taken off; what was below that is not known any more."""
    expression: Array = take.expression[number]
    if take.neutral is None:
        return expression
    return take.neutral + expression * np.maximum(1 - take.neutral, MIN_RANGE)


def _reduced(pixels: Pixels) -> Pixels:
    """Pixels of no more than SIDE along the longer side, taken at even steps."""
    step = -(-max(pixels.shape[:2]) // SIDE)
    return np.ascontiguousarray(pixels[::step, ::step])


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
                    stream = container.add_stream(codec, round(rate) or 1)
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
        reason = getattr(error, "strerror", None) or error
        raise WriteError(f"{path} cannot be written: {reason}. Make room there, or name another file.") from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
