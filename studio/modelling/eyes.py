"""Eyeballs: the part of a globe that lids can show, about its own centre, with a slight cornea, and a painted picture
of iris and white."""

import numpy as np

from service.vision.gaze import DOWN_DEGREES, OUT_DEGREES
from studio.modelling.paint import linear, to_srgb
from studio.modelling.recipe import Iris
from training.render.anatomy import smoothstep

RINGS, SECTORS = 16, 24
DENSER = 1.3  # power by which rings are closer together at the axis
CORNEA, CORNEA_ANGLE = 0.035, 0.52  # share of the radius by which it bulges; radians from the axis
# Radians from the axis: where the globe and its picture end. Wide open lids show 67 degrees from straight ahead, and an
# eye turns away from what is then seen at its other side.
OPENING = np.radians(67)
SEEN = OPENING + np.arccos(np.cos(np.radians(OUT_DEGREES)) * np.cos(np.radians(DOWN_DEGREES)))
SQUEEZE = 0.7  # power by which the picture gives more room to the iris
PICTURE = 256  # pixels


def eyeball(radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (V, 3), which look along z about the origin, triangles (T, 3), and texture coordinates (V, 2), v down."""
    angles = SEEN * np.linspace(0, 1, RINGS + 1)[1:] ** DENSER
    around = 2 * np.pi * np.arange(SECTORS) / SECTORS
    angle = np.concatenate([[0], np.repeat(angles, SECTORS)])
    turn = np.concatenate([[0], np.tile(around, RINGS)])
    bulge = 1 + CORNEA * np.clip(1 - (angle / CORNEA_ANGLE) ** 2, 0, 1) ** 2
    points = (radius * bulge)[:, None] * np.stack(
        [np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], axis=1
    )
    share = (angle / SEEN) ** SQUEEZE * 0.5
    uv = np.stack([0.5 + share * np.cos(turn), 0.5 - share * np.sin(turn)], axis=1)

    def ring(k: int) -> np.ndarray:
        return 1 + (k - 1) * SECTORS + np.arange(SECTORS + 1) % SECTORS

    first = ring(1)
    triangles = [np.stack([np.zeros(SECTORS, int), first[:-1], first[1:]], axis=1)]
    for k in range(1, RINGS):
        inner, outer = ring(k), ring(k + 1)
        triangles.append(np.stack([inner[:-1], outer[:-1], outer[1:]], axis=1))
        triangles.append(np.stack([inner[:-1], outer[1:], inner[1:]], axis=1))
    return points.astype(np.float32), np.concatenate(triangles), uv.astype(np.float32)


def eye_picture(iris: Iris) -> tuple[np.ndarray, np.ndarray]:
    """The pictures (256, 256, 3) uint8 of an eye's colour and of its own light."""
    axis = (np.arange(PICTURE) + 0.5) / PICTURE * 2 - 1
    x, y = np.meshgrid(axis, -axis)
    radius, turn = np.hypot(x, y), np.arctan2(y, x)
    angle = SEEN * radius ** (1 / SQUEEZE)
    share = angle / iris.size  # of the way from the axis to the iris' edge
    ray = np.sin(turn * 37 + 3 * np.sin(turn * 5)) + 0.7 * np.sin(turn * 61 + 1.3) + 0.5 * np.sin(turn * 13 + share * 4)
    fibre = np.exp(iris.fibres * 0.35 * ray * smoothstep(share, 0.3, 0.6))
    mixed = smoothstep(share, 0.35, 0.9)[..., None]
    colour = linear(iris.inner) * (1 - mixed) + linear(iris.outer) * mixed
    colour = colour * fibre[..., None] * (1 - 0.45 * (y / np.maximum(radius, 1e-6)) * np.clip(share, 0, 1))[..., None]
    edge = smoothstep(share, 0.82, 1.0)[..., None]
    colour = colour * (1 - edge) + linear(iris.rim) * edge
    white = linear(iris.white) * (1 - 0.5 * smoothstep(np.sin(turn) * angle, 0.5, 1.2))[..., None]
    pink = (smoothstep(np.abs(x) ** (1 / SQUEEZE) * SEEN, 0.75, 1.25) * 0.8)[..., None]
    white = white * (1 - pink) + linear(iris.corner) * pink
    out = smoothstep(share, 0.97, 1.06)[..., None]
    colour = colour * (1 - out) + white * out
    along, up = angle * np.cos(turn) / iris.pupil[0], angle * np.sin(turn) / iris.pupil[1]
    slit = np.hypot(along, up)
    pupil = 1 - smoothstep(slit, 0.9, 1.1)
    colour = colour * (1 - pupil)[..., None] + linear(iris.dark) * pupil[..., None]
    light = colour * (iris.glow * (1 - pupil) * (1 - smoothstep(share, 0.9, 1.05)))[..., None]
    return to_srgb(colour), to_srgb(light)
