"""Hair that falls and glasses: small meshes in the head frame, cm, seen from both sides."""

import numpy as np

MIDDLE = np.array([0.0, 3.0, 0.3])  # of the skull
STRANDS = 56  # around the head
CROWN, SIDE, DEPTH = 11.9, 9.0, 10.3  # cm from it to the hair's outside: up, sideways, to the front
LENS_WIDTH, LENS_HEIGHT, LENS_FRONT = 2.45, 1.95, 1.5  # cm; how far in front of the lids


def _patch(rows: int, columns: int) -> np.ndarray:
    """Triangles (T, 3) of a grid of rows x columns vertices, row-major."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    return np.concatenate(
        [
            np.stack([corner, corner + columns, corner + 1], axis=1),
            np.stack([corner + 1, corner + columns, corner + columns + 1], axis=1),
        ]
    )


def long_hair(length: float, volume: float, parting: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A curtain about the head, open in front of the face: vertices (V, 3), triangles (T, 3).

    length: cm below the crown's middle. volume: cm added all around. parting: radians by which it opens off centre.
    """
    heights = np.concatenate([CROWN * np.sin(np.linspace(np.pi / 2, 0, 14)), -np.linspace(0.8, length, 14)])
    around = np.linspace(0, 1, STRANDS)
    strands = 1 + 0.02 * np.interp(around * 40, np.arange(41), rng.normal(0, 1, 41))
    reach = np.sqrt(np.clip(1 - (np.maximum(heights, 0) / CROWN) ** 2, 0, 1))
    reach = np.where(heights < -2, 1 - 0.05 * np.sin(heights / 3), reach)
    opening = np.interp(heights, [-20, -6, 0, 4, 7.2, 8.3, CROWN], [0.8, 1.0, 1.2, 1.1, 0.75, 0.0, 0.0])
    start, stop = opening + np.minimum(opening, 1) * parting, 2 * np.pi - opening + np.minimum(opening, 1) * parting
    angle = start[:, None] + (stop - start)[:, None] * around
    x = (SIDE + volume) * reach[:, None] * np.sin(angle) * strands
    z = (DEPTH + volume) * reach[:, None] * np.cos(angle) * strands
    y = np.repeat(heights[:, None], len(around), axis=1) + np.where(heights > 0, volume, 0)[:, None]
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3) + MIDDLE
    return vertices.astype(np.float32), _patch(len(heights), len(around))


def _tube(line: np.ndarray, radius: float, sides: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """A tube about a polyline (L, 3)."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.cross(along, [0.13, 0.21, 0.97])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(along, across)
    angle = np.linspace(0, 2 * np.pi, sides + 1)[:, None]
    ring = np.cos(angle) * across[:, None] + np.sin(angle) * other[:, None]
    return (line[:, None] + radius * ring).reshape(-1, 3), _patch(len(line), sides + 1)


def glasses(points: np.ndarray, thickness: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Rims, bridge and temples about the eyes of the head's 68 points (68, 3): vertices, triangles, lens triangles.

    The last count is how many of the triangles, at the end, are lenses.
    """
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    lenses: list[tuple[np.ndarray, np.ndarray]] = []
    turn = np.linspace(0, 2 * np.pi, 25)
    sides = []
    for eye, ear, sign in ((points[36:42], points[0], -1.0), (points[42:48], points[16], 1.0)):
        middle = eye.mean(0) + np.array([0, -0.3, LENS_FRONT])
        bend = 1 + 0.12 * np.sin(2 * turn) ** 2  # between an ellipse and a rectangle
        rim = np.stack([LENS_WIDTH * bend * np.cos(turn), LENS_HEIGHT * bend * np.sin(turn), 0 * turn], axis=1)
        rim[:, 2] -= 0.12 * np.maximum(sign * rim[:, 0], 0) ** 2 / LENS_WIDTH
        rim += middle
        parts.append(_tube(rim, thickness))
        lenses.append(
            (np.concatenate([rim, middle[None]]), np.stack([np.arange(24), np.arange(1, 25), np.full(24, 25)], 1))
        )
        hinge = middle + np.array([sign * LENS_WIDTH, 0.7, -0.3])
        parts.append(_tube(np.linspace(hinge, ear + np.array([sign * 0.6, 0.6, -3.5]), 8), thickness))
        sides.append(middle - np.array([sign * LENS_WIDTH, -0.5, 0]))
    parts.append(_tube(np.linspace(sides[0], sides[1], 5) + np.array([0, 0.25, 0.2]), thickness))
    count, vertices, triangles = 0, [], []
    for points_of, triangles_of in [*parts, *lenses]:
        vertices.append(points_of)
        triangles.append(triangles_of + count)
        count += len(points_of)
    return np.concatenate(vertices).astype(np.float32), np.concatenate(triangles), 24 * 2
