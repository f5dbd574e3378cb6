"""Skin tone of faces in photos: the individual typology angle (Chardon, Cretois and Hourseau, "Skin colour typology and
suntanning pathways", International Journal of Cosmetic Science 13, 1991).

ITA = atan((L* - 50) / b*) in degrees, of skin in CIELAB; the lighter the skin, the larger. Made for a colorimeter on
the skin; in photos of unknown light and camera the light's colour and strength go into it, so that it orders a set of
photos roughly and says nothing about one person.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Pixels
from training.evaluation.landmarks import normalised_mean_error

Floats = NDArray[np.floating[Any]]

# Upper ends of the published classes, degrees.
CLASSES = (
    ("dark", -30.0),
    ("brown", 10.0),
    ("tan", 28.0),
    ("intermediate", 41.0),
    ("light", 55.0),
    ("very light", float("inf")),
)
LEAST_GROUP = 20  # faces; a smaller class is joined with the next lighter one, the lightest with the next darker
GREY = 4.0  # chroma of skin below which a photo has no colour to measure

# Where skin is looked at, by 68 points (iBUG): discs whose centre is the mean of points around a cheek, and one above
# the nose's root by a share of the way from there to the nose's base. Eyelids, lips and brows stay outside.
CHEEKS = ((40, 41, 31, 48, 3), (46, 47, 35, 54, 13))
BROWS, NOSE_BASE, FOREHEAD = (21, 22), 33, 0.4
RADIUS = 0.1  # of the distance between the outer corners of the eyes, points 36 and 45
LEAST_RADIUS = 1.5  # pixels

# sRGB (IEC 61966-2-1) to CIE XYZ under D65, and the white point.
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _TO_XYZ.sum(axis=1)
_CORNER = (6 / 29) ** 3  # of the cube root's linear start


@dataclass(frozen=True)
class SkinGroup:
    """Faces with low < ITA <= high degrees, `missed` of `faces` not found. nme: percent, over those found. score: mean
    score of those found."""

    name: str
    low: float
    high: float
    faces: int
    missed: int
    nme: float
    score: float


@dataclass(frozen=True)
class SkinMetrics:
    """Holds the figures by skin tone. colourless: faces in photos without colour, which are in no group."""

    groups: tuple[SkinGroup, ...]
    colourless: int


def to_lab(rgb: Pixels) -> Floats:
    """(..., 3) CIELAB under D65 of sRGB (..., 3) uint8."""
    value = rgb / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    root = np.where(xyz > _CORNER, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    lab: Floats = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
    return lab


def skin_places(points: Floats) -> tuple[Floats, float]:
    """Centres (3, 2) and radius, pixels, of discs of skin on both cheeks and the forehead of a face (68, 2)."""
    brows = points[list(BROWS)].mean(axis=0)
    forehead = brows + FOREHEAD * (brows - points[NOSE_BASE])
    centres = np.stack([*(points[list(cheek)].mean(axis=0) for cheek in CHEEKS), forehead])
    return centres, max(LEAST_RADIUS, RADIUS * float(np.linalg.norm(points[45] - points[36])))


def skin_colour(photo: Pixels, points: Floats) -> Floats:
    """(3,) median CIELAB of the skin of a face (68, 2) in a photo (H, W, 3); NaN where the photo shows none of it."""
    centres, radius = skin_places(points)
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]] + 0.5
    inside = ((x[..., None] - centres[:, 0]) ** 2 + (y[..., None] - centres[:, 1]) ** 2 <= radius**2).any(axis=-1)
    return np.median(to_lab(photo[inside]), axis=0) if inside.any() else np.full(3, np.nan)


def typology_angle(lab: Floats) -> Floats:
    """(...) degrees, of CIELAB (..., 3); NaN where the skin has no colour, as in grey photos."""
    lightness, a, b = np.moveaxis(lab, -1, 0)
    angle: Floats = np.degrees(np.arctan2(lightness - 50, b))
    return np.where(np.hypot(a, b) < GREY, np.nan, angle)


def groups_of(angles: Floats) -> list[tuple[str, float, float]]:
    """Name and ends (low, high] of the classes that angles (M,) fall into, small ones joined with a neighbour."""
    parts: list[tuple[list[str], float, float]] = []
    low, waiting = -float("inf"), list[str]()
    for name, high in CLASSES:
        waiting.append(name)
        if ((angles > low) & (angles <= high)).sum() >= LEAST_GROUP:
            parts.append((waiting, low, high))
            low, waiting = high, []
    if waiting:
        names, low, _ = parts.pop() if parts else ([], -float("inf"), 0)
        parts.append((names + waiting, low, float("inf")))
    return [(names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}", low, high) for names, low, high in parts]


def skin_metrics(points: Floats, annotated: Floats, scores: Floats, angles: Floats) -> SkinMetrics:
    """points, annotated: (M, 68, 2) pixels; scores, angles: (M,). A predicted face of NaN is a miss; a face whose angle
    is NaN has no colour."""
    found = np.isfinite(points).all(axis=(1, 2))
    rows = []
    for name, low, high in groups_of(angles[np.isfinite(angles)]):
        group = (angles > low) & (angles <= high)
        there = group & found
        nme = float(normalised_mean_error(points[there], annotated[there]).mean()) if there.any() else float("nan")
        score = float(scores[there].mean()) if there.any() else float("nan")
        rows.append(SkinGroup(name, low, high, int(group.sum()), int((group & ~found).sum()), nme, score))
    return SkinMetrics(tuple(rows), int(np.isnan(angles).sum()))
