"""People who move before a camera as the networks see them: boxes and identities with noise, at any frame rate."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.vision.faces import Faces
from service.vision.gaze import no_gaze
from service.vision.nms import iou

BOX_NOISE = 0.02  # face sizes
IDENTITY_NOISE = 0.15  # standard deviations, as measured on clips; in few directions, and far more in some frames
NOISE_DIRECTIONS = 6
BETWEEN_PEOPLE = 0.27  # spread of identities: two people are 0.38 apart on average, as measured


def identity_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, BETWEEN_PEOPLE, 50)


def identity_noise(random: np.random.Generator, number: int) -> np.ndarray:
    """(number, 50), root mean square IDENTITY_NOISE."""
    directions = np.random.default_rng(7).normal(size=(NOISE_DIRECTIONS, 50)) / np.sqrt(NOISE_DIRECTIONS)
    noise: np.ndarray = IDENTITY_NOISE * random.normal(size=(number, NOISE_DIRECTIONS)) @ directions
    return noise


@dataclass(frozen=True)
class Person:
    """place: (x, y) pixels of the face's centre at a time; None while it cannot be seen. Who is nearer hides others."""

    identity: np.ndarray
    place: Callable[[float], tuple[float, float] | None]
    size: float = 100.0
    distance: float = 1.0


def faces_of(
    boxes: npt.ArrayLike,
    identities: np.ndarray,
    score: float = 0.9,
    expression: np.ndarray | None = None,
    gaze: np.ndarray | None = None,
) -> Faces:
    """Faces that are turned straight to the camera; without a gaze unless given."""
    box = np.asarray(boxes, np.float32).reshape(-1, 4)
    n = len(box)
    return Faces(
        score=np.full(n, score, np.float32),
        box=box,
        quaternion=np.tile(np.array([0, 0, 0, 1], np.float32), (n, 1)),
        translation=np.zeros((n, 3), np.float32),
        scale=np.full(n, 5, np.float32),
        identity=np.asarray(identities, np.float32).reshape(n, 50),
        expression=np.zeros((n, 46), np.float32) if expression is None else expression.astype(np.float32),
        gaze=no_gaze(n) if gaze is None else gaze.astype(np.float32),
    )


def film(people: list[Person], seconds: float, fps: float, seed: int = 0) -> Iterator[tuple[float, Faces, list[int]]]:
    """Timestamps, the faces that are seen and whose they are; a nearer face of IoU 0.5 with it hides a face."""
    random = np.random.default_rng(seed)
    for frame in range(round(seconds * fps)):
        timestamp = frame / fps
        boxes: list[np.ndarray] = []
        seen: list[int] = []
        for i in sorted(range(len(people)), key=lambda i: people[i].distance):
            place = people[i].place(timestamp)
            if place is None:
                continue
            (x, y), half = place, people[i].size / 2
            box = np.array([x - half, y - half, x + half, y + half])
            if boxes and iou(box[None], np.stack(boxes)).max() > 0.5:
                continue
            boxes.append(box)
            seen.append(i)
        order = random.permutation(len(seen))
        seen = [seen[i] for i in order]
        sizes = np.array([people[i].size for i in seen]).reshape(-1, 1)
        noisy = np.array([boxes[i] for i in order]).reshape(-1, 4)
        noisy = noisy + sizes * random.normal(0, BOX_NOISE, (len(seen), 4))
        identities = np.array([people[i].identity for i in seen]).reshape(-1, 50)
        yield timestamp, faces_of(noisy, identities + identity_noise(random, len(seen))), seen
