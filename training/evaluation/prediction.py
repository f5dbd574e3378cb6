"""What is measured: any function from a picture to faces, our networks first of all."""

from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import Any, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.arrays import Pixels
from service.vision.image import Picture

MOST_FACES = 100  # that a request may ask for
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Prediction:
    """N faces in a picture: score (N,) in [0, 1], box (N, 4) x1, y1, x2, y2 and landmarks (N, 68, 2) in pixels, the
    picture's corner being (0, 0). What not every predictor knows may be None: quaternion (N, 4), identity (N, 50),
    expression (N, 46), gaze (N, 8), all as in service.vision.faces."""

    score: Floats
    box: Floats
    landmarks: Floats
    quaternion: Floats | None = None
    identity: Floats | None = None
    expression: Floats | None = None
    gaze: Floats | None = None

    @classmethod
    def none(cls) -> Self:
        """The prediction of a picture without faces."""
        return cls(np.zeros(0), np.zeros((0, 4)), np.zeros((0, 68, 2)))

    def take(self, index: NDArray[Any]) -> "Prediction":
        """The faces of an index or a mask."""
        values: list[Any] = [getattr(self, field.name) for field in fields(self)]
        taken: list[Any] = [None if value is None else value[index] for value in values]
        return Prediction(*taken)


class Predictor(Protocol):
    """Anything that finds faces in a picture (H, W, 3) uint8 RGB. Those of low score too: they draw the curve."""

    def __call__(self, image: Pixels, /) -> Prediction:
        """The faces of a picture (H, W, 3) uint8 RGB."""


class Networks:
    """Our networks, by way of the product's own pipeline: MFN on the whole picture, and on tiles of it
    where there are several, each face refined by SFN or not. options: but for max_faces."""

    def __init__(self, pipeline: Pipeline, options: RetargetOptions) -> None:
        self.pipeline = pipeline
        self.options = replace(options, max_faces=MOST_FACES)

    def __call__(self, image: Pixels, /) -> Prediction:
        """The faces of a picture (H, W, 3) uint8 RGB, as the service finds them."""
        height, width = image.shape[:2]
        faces = self.pipeline.retarget_picture(Picture(image, width, height), self.options).faces
        return Prediction(
            score=faces.score,
            box=faces.box,
            landmarks=faces.landmarks(self.pipeline.models.face_model, width, height),
            quaternion=faces.quaternion,
            identity=faces.identity,
            expression=faces.expression,
            gaze=faces.gaze,
        )


def close(predictor: Predictor) -> None:
    """Lets a predictor that has a method `close` end what it holds."""
    if hasattr(predictor, "close"):
        predictor.close()


def load_predictor(name: str) -> Predictor:
    """The predictor "package.module:attribute": a function, or a class that is made without arguments.

    Raises ValueError where there is no such thing.
    """
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{name} is no predictor: {error}. Expected package.module:function.") from error
    return cast(Predictor, found() if isinstance(found, type) else found)
