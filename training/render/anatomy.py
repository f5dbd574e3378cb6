"""Where on the head skin, lips, brows, lashes, beard and hair are: soft masks over the vertices of the neutral head.

Found from the 68 points of the mean shape, so that no painted texture is needed. All are (V,) float32 in 0..1.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from training.render.head import LEFT_EYE, RIGHT_EYE, Head, vertex_normals
from training.render.rasterize import rasterize

BROW_WIDTH, LASH_WIDTH, LIP_EDGE = 0.32, 0.18, 0.12  # cm
LIP_DEPTH = 8.5  # cm; what lies behind is no lip
EAR_X, EAR_Y, EAR_Z = 7.5, (-2.5, 4.4), (-2.5, 2.6)  # cm; beside the head, between these heights and depths
OCCLUSION_VIEWS, OCCLUSION_PIXELS, OCCLUSION_BIAS = 48, 3, 0.35  # directions; pixels a cm; cm


@dataclass(frozen=True)
class Anatomy:
    """lips, brows, lashes, beard, blush (cheeks, nose, ears), ears, eyes: (V,) masks. hairline: (V,) cm, above zero
    where hair grows on most heads. open_sky: (V,) share of the surroundings that lights the point. eye_direction:
    (V, 3) unit, from the eyeball's centre to its vertices, zero elsewhere. outward: (V, 3) unit, from the skull's
    middle."""

    lips: np.ndarray
    brows: np.ndarray
    lashes: np.ndarray
    beard: np.ndarray
    blush: np.ndarray
    ears: np.ndarray
    eyes: np.ndarray
    hairline: np.ndarray
    open_sky: np.ndarray
    eye_direction: np.ndarray
    outward: np.ndarray


def distance_to_line(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """(V,) distance of points (V, D) from the polyline (L, D)."""
    best = np.full(len(points), np.inf, np.float32)
    for a, b in pairwise(line):
        along = np.clip((points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-9), 0, 1)
        best = np.minimum(best, np.linalg.norm(points - a - along[:, None] * (b - a), axis=1))
    return best


def inside_polygon(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """(V,) bool: which points (V, 2) lie in the polygon (L, 2), by counting crossings."""
    inside = np.zeros(len(points), bool)
    for a, b in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        crosses = (a[1] > points[:, 1]) != (b[1] > points[:, 1])
        slope = (b[0] - a[0]) / (b[1] - a[1] if b[1] != a[1] else 1e-9)
        inside ^= crosses & (points[:, 0] < a[0] + slope * (points[:, 1] - a[1]))
    return inside


def smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 up to `low`, 1 from `high` on, and a smooth cubic between them."""
    x = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(x * x * (3 - 2 * x))


def open_sky(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V,) ambient occlusion: the cosine-weighted share of directions from which each point of the surface is lit."""
    normals = vertex_normals(points, triangles)
    k = np.arange(OCCLUSION_VIEWS) + 0.5
    height, angle = 1 - 2 * k / OCCLUSION_VIEWS, k * np.pi * (3 - np.sqrt(5))  # Fibonacci sphere
    ring = np.sqrt(1 - height**2)
    lit, weight = np.zeros(len(points)), np.full(len(points), 1e-6)
    for direction in np.stack([ring * np.cos(angle), height, ring * np.sin(angle)], axis=1):
        cosine = np.maximum(normals @ direction, 0)
        lit += cosine * seen_from(points, triangles, direction)
        weight += cosine
    return np.asarray(lit / weight, np.float32)


def seen_from(
    points: np.ndarray, triangles: np.ndarray, direction: np.ndarray, bias: float = OCCLUSION_BIAS
) -> np.ndarray:
    """(V,) bool: which points of a surface light from a unit direction (3,) reaches; bias in cm lets it pass a bit."""
    side = np.cross([0.0, 1, 0], direction) if abs(direction[1]) < 0.9 else np.cross([1.0, 0, 0], direction)
    side /= np.linalg.norm(side)
    view = points @ np.stack([side, np.cross(side, direction), direction]).T
    low = view[:, :2].min(0)
    size = (np.ptp(view[:, :2], axis=0).max() * OCCLUSION_PIXELS + 1).astype(int)
    pixels = np.concatenate([(view[:, :2] - low) * OCCLUSION_PIXELS, view[:, 2:]], axis=1)
    coverage = rasterize(pixels, triangles, size, size)
    nearest = coverage.scatter(coverage.depth, -np.inf)
    column, row = np.clip(pixels[:, :2].astype(int), 0, size - 1).T
    return np.asarray(pixels[:, 2] > nearest[row, column] - bias)


def find_anatomy(head: Head) -> Anatomy:
    """Finds the parts of a head from its landmarks and its mesh."""
    mean = head.surface.mean
    x, y, z = mean.T
    points = mean[head.landmarks]
    eyes = np.zeros(len(mean), np.float32)
    direction = np.zeros_like(mean)
    for eye in (LEFT_EYE, RIGHT_EYE):
        eyes[eye] = 1
        middle = (mean[eye].min(0) + mean[eye].max(0)) / 2
        direction[eye] = mean[eye] - middle
        direction[eye] /= np.linalg.norm(direction[eye], axis=1, keepdims=True)
    skin = np.zeros(len(mean), np.float32)
    skin[np.unique(head.triangles[head.part <= 1])] = 1

    mouth = points[48:60]
    edge = distance_to_line(mean[:, :2], np.concatenate([mouth, mouth[:1]])[:, :2])
    signed = np.where(inside_polygon(mean[:, :2], mouth[:, :2]), edge, -edge)
    lips = skin * smoothstep(signed, -LIP_EDGE, LIP_EDGE) * (z > LIP_DEPTH)
    brow = np.minimum(*(distance_to_line(mean, points[part]) for part in (slice(17, 22), slice(22, 27))))
    lid = np.minimum(*(distance_to_line(mean, points[[*part, part[0]]]) for part in (range(36, 42), range(42, 48))))
    lashes = skin * np.exp(-((lid / LASH_WIDTH) ** 2))

    ears = skin * smoothstep(np.abs(x), EAR_X, EAR_X + 0.4)
    ears *= (y > EAR_Y[0]) & (y < EAR_Y[1]) & (z > EAR_Z[0]) & (z < EAR_Z[1])
    # the beard: under a line from the ear to the nose, not on the lips, not far down the neck
    beard = skin * smoothstep(-(y + 0.9 - 0.2 * np.abs(x)), 0, 2.2) * smoothstep(y, -11, -8.5) * (1 - lips)
    beard *= smoothstep(z, 2.0, 4.5) * (1 - smoothstep(signed, -0.35, 0.0))
    cheeks = [np.exp(-np.sum((mean - c) ** 2, axis=1) / 5) for c in ([4.3, 0.3, 8.5], [-4.3, 0.3, 8.5], [0, 0.2, 12.5])]
    hairline = (y - 6.3) + 0.9 * (5.5 - z)
    hairline = np.where((y < -5) | (skin == 0) | (ears > 0), -9, hairline)
    outward = mean - np.array([0, 4, 1], np.float32)
    return Anatomy(
        lips=lips.astype(np.float32),
        brows=(skin * np.exp(-((brow / BROW_WIDTH) ** 2))).astype(np.float32),
        lashes=lashes.astype(np.float32),
        beard=beard.astype(np.float32),
        blush=(skin * np.clip(sum(cheeks) + 0.6 * ears, 0, 1)).astype(np.float32),
        ears=ears.astype(np.float32),
        eyes=eyes,
        hairline=hairline.astype(np.float32),
        open_sky=open_sky(mean, head.triangles[head.part <= 1]),
        eye_direction=direction.astype(np.float32),
        outward=(outward / np.linalg.norm(outward, axis=1, keepdims=True)).astype(np.float32),
    )


def smoothed(values: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V,) values at the vertices averaged over the triangles around each, to soften the edges of shadows."""
    index = triangles.T.ravel()
    total = np.bincount(index, np.tile(values[triangles].mean(1), 3), len(values))
    return total / np.maximum(np.bincount(index, minlength=len(values)), 1)
