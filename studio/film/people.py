"""The two people of the film: their faces, hair, colours and places, in soft light before a plain wall."""

from dataclasses import dataclass

import numpy as np

from studio.film.performance import LEFT, RIGHT, Performance
from training.render.appearance import Appearance, Light

WIDTH, HEIGHT = 640, 480  # pixels


@dataclass(frozen=True)
class Person:
    """Holds a person. identity: (50,) standard deviations. place: pixel of the neck's foot. scale: pixels a cm. hair:
    seed of the strands."""

    identity: np.ndarray
    look: Appearance
    performance: Performance
    place: tuple[float, float]
    scale: float
    hair: int


def _colour(red: float, green: float, blue: float) -> np.ndarray:
    return np.array([red, green, blue], np.float32)


def _light(direction: tuple[float, float, float], colour: np.ndarray, shadow: bool) -> Light:
    vector = np.array(direction, np.float32)
    return Light(vector / np.linalg.norm(vector), colour, shadow)


def _identity(seed: int, spread: float) -> np.ndarray:
    """(50,) a random face, `spread` standard deviations from the mean in each mode."""
    modes: np.ndarray = np.random.default_rng(seed).normal(0, spread, 50).clip(-1.5, 1.5).astype(np.float32)
    return modes


def _tone(seed: int, strength: float) -> np.ndarray:
    """(10, 5) waves of skin tone, see Appearance."""
    rng = np.random.default_rng(seed)
    waves = rng.normal(0, 1, (10, 3)) * np.exp(rng.uniform(-1.5, 0.4, (10, 1)))
    rest = [rng.uniform(0, 2 * np.pi, (10, 1)), rng.normal(0, strength, (10, 1))]
    return np.concatenate([waves, *rest], axis=1).astype(np.float32)


LIGHTS = (
    _light((-0.55, 0.6, 1.0), _colour(0.82, 0.79, 0.75), shadow=True),
    _light((0.9, 0.25, 0.6), _colour(0.26, 0.28, 0.32), shadow=False),
)
SKY, GROUND = _colour(0.50, 0.51, 0.53), _colour(0.34, 0.32, 0.31)

PEOPLE = (
    Person(
        identity=_identity(3, 0.6),
        look=Appearance(
            skin=_colour(0.62, 0.40, 0.31),
            lips=_colour(0.50, 0.20, 0.19),
            hair=_colour(0.11, 0.050, 0.026),
            brows=0.85,
            lashes=0.9,
            beard=0.0,
            blush=0.3,
            hair_length=12.0,
            hair_volume=0.9,
            hairline=0.3,
            iris=_colour(0.08, 0.14, 0.20),
            iris_size=0.47,
            pupil_size=0.18,
            gaze=np.zeros(2, np.float32),
            clothes=_colour(0.10, 0.22, 0.24),
            teeth=_colour(0.72, 0.68, 0.58),
            glasses=0.0,
            lens=0.0,
            glasses_colour=np.zeros(3, np.float32),
            gloss=0.08,
            lights=LIGHTS,
            sky=SKY,
            ground=GROUND,
            noise=_tone(1, 0.02),
            exposure=0.95,
        ),
        performance=LEFT,
        place=(166.0, 412.0),
        scale=12.2,
        hair=5,
    ),
    Person(
        identity=_identity(8, 0.6),
        look=Appearance(
            skin=_colour(0.36, 0.205, 0.135),
            lips=_colour(0.32, 0.135, 0.11),
            hair=_colour(0.020, 0.015, 0.013),
            brows=1.0,
            lashes=0.8,
            beard=0.12,
            blush=0.1,
            hair_length=4.0,
            hair_volume=0.5,
            hairline=0.9,
            iris=_colour(0.06, 0.03, 0.015),
            iris_size=0.47,
            pupil_size=0.19,
            gaze=np.zeros(2, np.float32),
            clothes=_colour(0.45, 0.16, 0.09),
            teeth=_colour(0.74, 0.70, 0.60),
            glasses=0.0,
            lens=0.0,
            glasses_colour=np.zeros(3, np.float32),
            gloss=0.1,
            lights=LIGHTS,
            sky=SKY,
            ground=GROUND,
            noise=_tone(2, 0.02),
            exposure=1.1,
        ),
        performance=RIGHT,
        place=(474.0, 418.0),
        scale=12.2,
        hair=6,
    ),
)
