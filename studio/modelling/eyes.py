"""Eyeballs: a globe about its own centre with a slight cornea, and a painted picture of iris and white."""

import numpy as np

RINGS, SECTORS = 20, 28
CORNEA, CORNEA_ANGLE = 0.035, 0.52  # share of the radius by which it bulges; radians from the axis
SEEN = np.radians(105)  # from the axis: what the picture covers, out to its edge


def eyeball(radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (V, 3), which look along z about the origin, triangles (T, 3), and texture coordinates (V, 2), v down."""
    angles = SEEN * np.linspace(0, 1, RINGS + 1)[1:] ** 0.9
    around = 2 * np.pi * np.arange(SECTORS) / SECTORS
    angle = np.concatenate([[0], np.repeat(angles, SECTORS), [np.pi]])
    turn = np.concatenate([[0], np.tile(around, RINGS), [0]])
    bulge = 1 + CORNEA * np.clip(1 - (angle / CORNEA_ANGLE) ** 2, 0, 1) ** 2
    points = (radius * bulge)[:, None] * np.stack(
        [np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], axis=1
    )
    share = np.minimum(angle / SEEN, 1) * 0.5
    uv = np.stack([0.5 + share * np.cos(turn), 0.5 - share * np.sin(turn)], axis=1)
    uv[-1] = [1, 0.5]

    def ring(k: int) -> np.ndarray:
        return 1 + (k - 1) * SECTORS + np.arange(SECTORS + 1) % SECTORS

    first, last = ring(1), ring(RINGS)
    triangles = [np.stack([np.zeros(SECTORS, int), first[:-1], first[1:]], axis=1)]
    for k in range(1, RINGS):
        inner, outer = ring(k), ring(k + 1)
        triangles.append(np.stack([inner[:-1], outer[:-1], outer[1:]], axis=1))
        triangles.append(np.stack([inner[:-1], outer[1:], inner[1:]], axis=1))
    triangles.append(np.stack([last[:-1], np.full(SECTORS, len(points) - 1), last[1:]], axis=1))
    return points.astype(np.float32), np.concatenate(triangles), uv.astype(np.float32)
