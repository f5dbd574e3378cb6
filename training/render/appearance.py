"""What a rendered person looks like, drawn at random: colours, hair, glasses, light. No photo is needed.

Colours are linear RGB albedos in 0..1. Skin is drawn along the line from light to dark that human skin takes (melanin
darkens blue most and red least), with a reddish or yellowish cast on top.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

LIGHT_SKIN, DARK_SKIN = np.array([0.72, 0.46, 0.35]), np.array([0.10, 0.048, 0.028])
HAIR = np.array(
    [[0.012, 0.010, 0.010], [0.035, 0.02, 0.014], [0.10, 0.05, 0.025], [0.34, 0.21, 0.09], [0.30, 0.29, 0.28]]
)
HAIR_CHANCE = (0.35, 0.28, 0.17, 0.1, 0.1)
IRIS = np.array([[0.05, 0.025, 0.012], [0.10, 0.05, 0.02], [0.07, 0.10, 0.05], [0.08, 0.14, 0.22], [0.14, 0.16, 0.18]])


@dataclass(frozen=True)
class Light:
    """Describes a light. direction: (3,) unit, toward the light, camera frame. colour: (3,). shadow: whether the head
    shades itself."""

    direction: np.ndarray
    colour: np.ndarray
    shadow: bool


@dataclass(frozen=True)
class Appearance:
    """Colours (3,), strengths 0..1 and lengths in cm. hair_length 0 is bald, below 8 short, above it falls to the neck
    or shoulders. gaze: (2,) radians, to the head's left and up. sky, ground: (3,) ambient light from above and below.
    noise: (K, 5) waves of skin tone: direction (3,) radians a cm, phase, strength. exposure: the camera's."""

    skin: np.ndarray
    lips: np.ndarray
    hair: np.ndarray
    brows: float
    lashes: float
    beard: float
    blush: float
    hair_length: float
    hair_volume: float
    hairline: float
    iris: np.ndarray
    iris_size: float
    pupil_size: float
    gaze: np.ndarray
    clothes: np.ndarray
    teeth: np.ndarray
    glasses: float
    lens: float
    glasses_colour: np.ndarray
    gloss: float
    lights: tuple[Light, ...]
    sky: np.ndarray
    ground: np.ndarray
    noise: np.ndarray
    exposure: float


def draw_light(rng: np.random.Generator, strength: float, shadow: bool) -> Light:
    """A light somewhere in front of the camera's plane, mostly from above, from candle to window in colour."""
    direction = np.array([rng.normal(0, 0.8), rng.normal(0.4, 0.45), rng.uniform(0.15, 1.2)])
    warmth = rng.normal(0.03, 0.11)
    colour = np.array([1 + warmth, 1, 1 - warmth]).clip(0.5, 1.5)
    direction /= np.linalg.norm(direction)
    return Light(direction.astype(np.float32), (strength * colour).astype(np.float32), shadow)


def draw_appearance(rng: np.random.Generator) -> Appearance:
    """Draws how a person looks and is lit."""
    darkness = rng.beta(1.0, 1.9)
    skin = np.exp(np.log(LIGHT_SKIN) * (1 - darkness) + np.log(DARK_SKIN) * darkness)
    skin *= np.exp(rng.normal(0, [0.06, 0.06, 0.12]))
    hair = HAIR[rng.choice(len(HAIR), p=HAIR_CHANCE if darkness < 0.6 else (0.75, 0.15, 0.02, 0.02, 0.06))]
    hair = hair * np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.08, 3))
    lipstick = rng.random() < 0.15
    lips = skin * [0.95, 0.62, 0.66] if not lipstick else np.array([0.45, 0.05, 0.08]) * np.exp(rng.normal(0, 0.3, 3))
    ambient = rng.uniform(0.2, 0.75)
    cast = np.exp(rng.normal([0.02, 0, -0.02], 0.06))
    kind = rng.choice(["bald", "short", "long"], p=[0.12, 0.53, 0.35])
    length = {"bald": 0.0, "short": rng.uniform(1, 7), "long": rng.uniform(9, 24)}[str(kind)]
    waves = rng.normal(0, 1, (10, 3)) * np.exp(rng.uniform(-1.5, 0.4, (10, 1)))
    strengths = rng.normal(0, 0.028, (10, 1))
    look = Appearance(
        skin=skin,
        lips=np.clip(lips, 0, 0.9),
        hair=hair,
        brows=rng.uniform(0.45, 1),
        lashes=rng.uniform(0.35, 0.95),
        beard=float(rng.random() < 0.35) * (kind != "long") * rng.uniform(0.1, 0.95),
        blush=rng.uniform(0, 0.35),
        hair_length=length,
        hair_volume=rng.uniform(0.3, 2.2) if kind == "short" else rng.uniform(0.3, 1.2),
        hairline=rng.normal(0, 0.8) + 2.0 * (rng.random() < 0.12),
        iris=IRIS[rng.choice(len(IRIS), p=(0.45, 0.2, 0.1, 0.15, 0.1))] * np.exp(rng.normal(0, 0.3)),
        iris_size=rng.uniform(0.42, 0.5),
        pupil_size=rng.uniform(0.13, 0.25),
        gaze=np.clip(rng.normal(0, [0.25, 0.12]), -0.5, 0.5),
        clothes=rng.uniform(0.02, 0.7, 3) ** 1.5 if rng.random() < 0.7 else np.full(3, rng.uniform(0.01, 0.8)),
        teeth=np.array([0.72, 0.66, 0.52]) * rng.uniform(0.6, 1.1),
        glasses=float(rng.random() < 0.14) * rng.uniform(0.08, 0.2),
        lens=rng.uniform(0, 0.25) if rng.random() < 0.85 else rng.uniform(0.3, 0.8),
        glasses_colour=rng.uniform(0, 0.25, 3) if rng.random() < 0.8 else rng.uniform(0, 0.8, 3),
        gloss=rng.uniform(0.0, 0.22),
        lights=(
            draw_light(rng, rng.uniform(0.4, 1.5), rng.random() < 0.5),
            draw_light(rng, rng.uniform(0, 0.5), False),
        ),
        sky=ambient * cast,
        ground=ambient * cast * rng.uniform(0.3, 0.95) * np.exp(rng.normal(0, 0.05, 3)),
        noise=np.concatenate([waves, rng.uniform(0, 2 * np.pi, (10, 1)), strengths], axis=1),
        exposure=float(np.exp(rng.normal(0, 0.22))) * 0.95 * (0.42 / skin.mean()) ** 0.25,
    )
    arrays: dict[str, Any] = {
        name: value.astype(np.float32) for name, value in vars(look).items() if isinstance(value, np.ndarray)
    }
    return replace(look, **arrays)  # a float64 colour would double the time of everything it touches
