"""A world of bright blobs on dark ground in which both networks are perfect, and count what they are asked.

A blob is an upright ellipse; its green says whose it is: identity coefficients run from -1 to 1 with it. The networks
here measure blobs in what they are given, as the published ones do faces, and answer in the published form. Every blob
process_all the same way.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import ndimage

from service.inference.models import Models
from service.tracking.session import FrameResult, Session
from service.vision.crops import CROP_SIDE
from service.vision.decoding import FACE_HEIGHT_CM
from service.vision.face_model import project
from service.vision.image import Picture
from tests.service.tiny_models import ANCHOR, CELLS, GAZE_LOGIT, SIDE, STRIDE

GROUND, BRIGHT = 20, 120  # half-way to a blob's red; the grey around pictures is darker
WIDTH, HEIGHT = 384, 192


def draw(*blobs: tuple[float, float, float, int], ground: int = GROUND) -> Picture:
    """A picture of blobs (x, y, height, green), whose width is 0.8 of their height."""
    pixels = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    for centre_x, centre_y, height, green in blobs:
        inside = ((x - centre_x) / (0.4 * height)) ** 2 + ((y - centre_y) / (0.5 * height)) ** 2 <= 1
        pixels[inside] = (220, green, 0)
    return Picture(pixels, WIDTH, HEIGHT)


def process_all(session: Session, pictures: list[Picture], fps: float = 30) -> list[FrameResult]:
    """Processes a film that starts at time 0."""
    return [session.process_picture(picture, frame / fps) for frame, picture in enumerate(pictures)]


@dataclass
class World:
    """models: with these networks. asked: "MFN" for each of its runs, the number of crops for each of the SFN's.
    now: seconds by a clock that only their work moves on."""

    models: Models
    asked: list[str | int] = field(default_factory=list)
    search_seconds: float = 0.010
    face_seconds: float = 0.001
    now: float = 0.0

    def clock(self) -> float:
        return self.now

    @classmethod
    def of(cls, models: Models) -> "World":
        world = cls(models)
        low, high = _mean_face(models)
        world.models = replace(models, mfn=_Mfn(world, low, high), sfn=_Sfn(world, low, high))  # type: ignore[arg-type]
        return world


def _mean_face(models: Models) -> tuple[np.ndarray, np.ndarray]:
    """Bounds (2,) of the mean face's landmarks about the head's origin, pixels at 1 pixel a cm."""
    points = project(models.face_model.landmarks.mean, np.array([0, 0, 0, 1.0]), np.zeros(3), np.array(1.0), 0, 0)
    return points.min(axis=0), points.max(axis=0)


def _blobs(image: np.ndarray) -> list[tuple[np.ndarray, float, float]]:
    """Centre (2,), height and identity of the blobs in an image (side, side, 3), pixels; the largest first."""
    labels, number = ndimage.label(image[..., 0] > BRIGHT)
    found = []
    for label in range(1, number + 1):
        y, x = np.nonzero(labels == label)
        height = float(np.sqrt(len(x) / (np.pi / 4 * 0.8)))
        green = float(np.median(image[y, x, 1]))
        found.append((np.array([x.mean(), y.mean()]) + 0.5, height, green / 127.5 - 1))
    return sorted(found, key=lambda blob: -blob[1])


@dataclass
class _Network:
    world: World
    low: np.ndarray
    high: np.ndarray

    def pose(self, centre: np.ndarray, height: float, prior_centre: np.ndarray, prior_side: float) -> np.ndarray:
        """Raw pose of a head whose landmarks have a blob's centre and height."""
        scale = height / (self.high - self.low)[1]
        origin = centre - scale * (self.low + self.high) / 2
        log_scale = np.log(scale * FACE_HEIGHT_CM / prior_side)
        return np.array([0, 0, 0, 0, *((origin - prior_centre) / prior_side), log_scale])


class _Mfn(_Network):
    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        self.world.asked.append("MFN")
        self.world.now += self.world.search_seconds
        raw = {name: np.zeros((1, CELLS * CELLS, size)) for name, size in (("pose", 7), ("identity", 50))}
        raw["detection"] = np.tile([0, 0, 0, 0, -9.0], (1, CELLS * CELLS, 1))
        raw["expression"] = np.zeros((1, CELLS * CELLS, 46))
        for centre, height, identity in _blobs(images[0]):
            column, row = (int(c // STRIDE) for c in np.clip(centre, 0, SIDE - 1))
            cell, prior = row * CELLS + column, (np.array([column, row]) + 0.5) * STRIDE
            # the box is a tenth larger than the blob, and sits a little higher
            shift, size = (centre - [0, 0.1 * height] - prior) / ANCHOR, np.log(np.array([0.88, 1.1]) * height / ANCHOR)
            raw["detection"][0, cell] = [*shift, *size, 5.0]
            raw["pose"][0, cell] = self.pose(centre, height, prior, ANCHOR)
            raw["identity"][0, cell] = identity
        return {name: value.astype(np.float32) for name, value in raw.items()}


class _Sfn(_Network):
    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        self.world.asked.append(len(images))
        self.world.now += self.world.face_seconds * len(images)
        pose, identity = np.zeros((len(images), 7)), np.zeros((len(images), 50))
        for i, image in enumerate(images):
            middle = np.full(2, CROP_SIDE / 2)
            for centre, height, who in _blobs(image)[:1]:
                pose[i], identity[i] = self.pose(centre, height, middle, CROP_SIDE), who
        expression, gaze = np.zeros((len(images), 46)), np.tile(GAZE_LOGIT, (len(images), 1))
        raw: dict[str, np.ndarray] = {"pose": pose, "identity": identity, "expression": expression, "gaze": gaze}
        return {name: value.astype(np.float32) for name, value in raw.items()}
