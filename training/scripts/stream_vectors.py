"""Whole streams for training.scripts.tracking_vectors: made-up pictures and outputs of the networks, frame by frame.

The pictures are smooth waves, so that a face's patch changes little when the face moves by little. Raw outputs are
whole multiples of 1 / UNIT, which float32 holds exactly.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.tracking.options import SmoothingOptions, StreamOptions
from service.tracking.session import FrameResult, Session
from service.vision.arrays import Array
from service.vision.crops import CROP_SIDE, crops_of
from service.vision.decoding import FACE_HEIGHT_CM, build_priors
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES, FaceModel
from service.vision.faces import Faces, translation
from service.vision.gaze import GAZE_COEFFICIENTS, no_gaze
from service.vision.image import Picture
from training.scripts.vector_cases import BACKGROUND, COLUMNS, UNIT, Published

WIDTH: Final = 160  # pixels of the frames
HEIGHT: Final = 120
FIELD_OF_VIEW: Final = 63.0
FIRST_OF_LARGE: Final = 36 * 36 + 18 * 18  # the prior of 110 pixels in the first cell of the third level, 9 x 9 cells
MAX_FACES: Final = 10
SHOWN: Final = 4  # coefficients of identities and expressions that are not 0
NOTHING: Final = (0, 0, 0, 0)

Rectangle = tuple[int, int, int, int]  # x1, y1, x2, y2, pixels


@dataclass(frozen=True)
class Look:
    """The Single Face Network's raw outputs for one crop, whole multiples of 1 / UNIT."""

    pose: Array
    identity: Array
    expression: Array
    gaze: Array


@dataclass(frozen=True)
class StreamFrame:
    """What the networks answer for a frame: rows by prior as in a Case, and one look for every crop.

    asked: "calibrate" or "reset" before the frame, "-" for nothing. rectangle: painted on the picture.
    """

    timestamp: float
    rows: Mapping[int, NDArray[np.int64]]
    look: Look
    asked: str = "-"
    rectangle: Rectangle = NOTHING


def painted(width: int, height: int, rectangle: Rectangle) -> Picture:
    """A picture of triangle waves, with a white rectangle."""
    y, x, c = np.ogrid[:height, :width, :3]

    def wave(phase: NDArray[np.int64]) -> NDArray[np.int64]:
        return 2 * np.abs(phase % 256 - 128)

    pixels = np.minimum((wave(3 * x + 40 * c) + wave(5 * y + 0 * c)) // 2, 255).astype(np.uint8)
    x1, y1, x2, y2 = rectangle
    pixels[y1:y2, x1:x2] = 255
    return Picture(pixels, width, height)


def at(column: int, row: int) -> int:
    """The prior of 110 pixels in a cell of the third level."""
    return FIRST_OF_LARGE + 9 * row + column


def seen(score: float, yaw: float = 0.0) -> NDArray[np.int64]:
    """A row of the Multiple Face Network: a face as large as its prior. score: raw. yaw: raw, y of the quaternion."""
    row = np.zeros(COLUMNS, np.int64)
    row[4], row[6] = score * UNIT, yaw * UNIT
    return row


def steady(published: Published, face_model: FaceModel) -> Look:
    """The look at which a resting head that is turned to the camera stays where it is."""
    origin, scale = np.array([[80.0, 60.0]]), np.array([5.0], np.float32)
    face = Faces(
        score=np.ones(1, np.float32),
        box=np.zeros((1, 4), np.float32),
        quaternion=np.array([[0, 0, 0, 1]], np.float32),
        translation=translation(origin, scale, WIDTH, HEIGHT, FIELD_OF_VIEW),
        scale=scale,
        identity=np.zeros((1, IDENTITY_MODES), np.float32),
        expression=np.zeros((1, EXPRESSIONS), np.float32),
        gaze=no_gaze(1),
    )
    (crop,) = crops_of(face, face_model, WIDTH, HEIGHT, published.crop_factor)
    offset = (origin[0] - crop.centre) / crop.side
    log_scale = np.log(scale[0] * CROP_SIDE / crop.side * FACE_HEIGHT_CM / CROP_SIDE)
    pose = np.rint(np.array([0, 0, 0, 0, *offset, log_scale]) * UNIT) / UNIT
    closed = np.full(EXPRESSIONS, -8.0)  # sigmoid of it is 0.0003
    return Look(pose, np.zeros(IDENTITY_MODES), closed, np.zeros(GAZE_COEFFICIENTS))


def varied(random: np.random.Generator, look: Look, move: Array | None = None) -> Look:
    """The look of a face that is not quite still. move: (7,) added to its raw pose."""

    def noise(deviation: float, count: int, shown: int = SHOWN) -> Array:
        return np.pad(np.rint(random.normal(0, deviation, shown) * UNIT) / UNIT, (0, count - shown))

    pose = look.pose + np.rint(random.normal(0, 0.004, 7) * UNIT) / UNIT
    return Look(
        pose=pose if move is None else pose + move,
        identity=look.identity + noise(0.2, IDENTITY_MODES),
        expression=look.expression + noise(1.0, EXPRESSIONS) + np.pad(np.full(SHOWN, 8.0), (0, EXPRESSIONS - SHOWN)),
        gaze=look.gaze + noise(1.0, GAZE_COEFFICIENTS, GAZE_COEFFICIENTS),
    )


def scenes(published: Published, face_model: FaceModel) -> Iterator[list[StreamFrame]]:
    """Streams: one followed, lost, found, changed and calibrated; one of a turned head, alone at first."""
    random = np.random.default_rng(5)
    look = steady(published, face_model)
    both = {at(2, 4): seen(3.0), at(6, 4): seen(2.0)}
    jump = np.array([0, 0, 0, 0, 0.4, 0, 0])
    frames = []
    for i in range(30):
        timestamp = round(i / 15 if i < 27 else i / 15 + 2, 4)
        moved = jump if i == 5 else np.array([0, 0.02 * (i % 3), 0, 0, 0.02, 0, 0]) if 14 <= i < 18 else None
        frame = StreamFrame(timestamp, both, varied(random, look, moved))
        if i in (8, 24):
            frame = replace(frame, asked="calibrate" if i == 8 else "reset")
        if 20 <= i < 24:  # covered by the faces' surroundings
            frame = replace(frame, rectangle=(74, 2, 86, 12))
        frames.append(frame)
    yield frames
    turned = {at(4, 4): seen(3.0, 0.4)}
    yield [
        StreamFrame(0.0, {}, look),
        StreamFrame(0.05, {}, look),
        StreamFrame(0.2, turned, varied(random, look), rectangle=(20, 20, 40, 40)),
        StreamFrame(0.25, turned, varied(random, look), rectangle=(20, 20, 40, 40)),
        StreamFrame(0.6, turned, varied(random, look), rectangle=(20, 20, 40, 40)),
        StreamFrame(0.7, turned, varied(random, look), rectangle=(20, 20, 40, 40)),
    ]


def streamed(scene: list[StreamFrame], published: Published, face_model: FaceModel) -> Iterator[FrameResult]:
    """What a session of the service makes of a stream's frames."""
    now: list[StreamFrame] = []
    side, priors = published.side, build_priors(published.levels, published.side)
    described = SimpleNamespace(
        input_size=lambda _: side,
        side=side,
        priors={side: priors},
        crop_factor=published.crop_factor,
        face_model=face_model,
        upside_down=None,
        mfn=SimpleNamespace(run=lambda _images: detection_outputs(now[-1], len(priors.centre))),
        sfn=SimpleNamespace(run=lambda crops: look_outputs(now[-1].look, len(crops))),
    )
    options = StreamOptions(refine=True, follow=True, max_faces=MAX_FACES, smoothing=SmoothingOptions())
    session = Session(Pipeline(cast(Models, described)), options)
    for frame in scene:
        now.append(frame)
        if frame.asked == "calibrate":
            session.calibrate()
        elif frame.asked == "reset":
            session.reset_neutral()
        yield session.process_picture(painted(WIDTH, HEIGHT, frame.rectangle), frame.timestamp)


def detection_outputs(frame: StreamFrame, priors: int) -> dict[str, Any]:
    """The Multiple Face Network's raw outputs for a frame, background where it has no row."""
    table = np.zeros((priors, COLUMNS), np.float32)
    table[:, 4] = BACKGROUND / UNIT
    for prior, row in frame.rows.items():
        table[prior] = row / UNIT
    return dict(
        zip(("detection", "pose", "identity", "expression"), np.split(table[None], [5, 12, 62], -1), strict=True)
    )


def look_outputs(look: Look, count: int) -> dict[str, Any]:
    """The Single Face Network's raw outputs for `count` crops, the same for all."""
    return {name: np.tile(values.astype(np.float32), (count, 1)) for name, values in vars(look).items()}
