"""Paints the skin: a picture over the mesh's texture coordinates, made of layers of colour.

A texel knows where on the resting scan it is, so that patterns run over the skin without seams. Colours are linear RGB.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from studio.modelling.scan import MOUTH_INSIDE, SKIN, SOCKET, Scan
from training.render.anatomy import Anatomy, distance_to_line, smoothstep
from training.render.rasterize import rasterize

WIDTH, FACE_HEIGHT, BACK_HEIGHT = 512, 768, 256  # pixels: the face, and below it the back of the head
SIZE = (FACE_HEIGHT + BACK_HEIGHT, WIDTH)
SKULL, BALL = np.array([0.0, 2.5, 0.5]), 10.0  # cm: the head's middle, and about how far its skin is from it
NECK_BELOW = -9.2  # cm of height under the chin


def atlas(uv: np.ndarray) -> np.ndarray:
    """Texture coordinates of the picture, v down, 0 to 1, of the scan's (..., 2)."""
    back = (uv[..., 0].mean(-1, keepdims=True) > 1) if uv.ndim == 3 else uv[..., 0] > 1
    u = np.where(back, uv[..., 0] - 1, uv[..., 0])
    v = np.where(back, FACE_HEIGHT + (1 - uv[..., 1]) * BACK_HEIGHT, (1 - uv[..., 1]) * FACE_HEIGHT) / SIZE[0]
    return np.stack([u, v], axis=-1)


def linear(colour: str) -> np.ndarray:
    """(3,) linear RGB of a colour #rrggbb."""
    code = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def to_srgb(values: np.ndarray) -> np.ndarray:
    """uint8 sRGB of linear values."""
    values = np.clip(values, 0, 1)
    code = np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055)
    return np.round(code * 255).astype(np.uint8)


@dataclass(frozen=True)
class Canvas:
    """The texels of the skin that triangles cover. pixel: (P,). points: (P, 3) cm on the scan. masks: (P,) each, by
    name. colour: (P, 3), which layers change."""

    pixel: np.ndarray
    points: np.ndarray
    masks: dict[str, np.ndarray]
    colour: np.ndarray

    def over(self, colour: np.ndarray, share: np.ndarray) -> None:
        """Lays a colour (3,) or (P, 3) over the canvas with a share (P,)."""
        self.colour[:] = self.colour * (1 - share[:, None]) + colour * share[:, None]


def canvas_of(scan: Scan, anatomy: Anatomy, sky: np.ndarray) -> Canvas:
    """A white canvas. sky: (V,) how open each vertex of the character's skin is to its surroundings."""
    uv = atlas(scan.skin_uv)
    corners = np.concatenate([uv.reshape(-1, 2) * SIZE[::-1], np.zeros((uv.size // 2, 1))], axis=1)
    own = np.arange(len(corners)).reshape(-1, 3)
    coverage = rasterize(corners, own, SIZE[1], SIZE[0], cull=False)
    chart = {"mouth": scan.parts == MOUTH_INSIDE, "socket": scan.parts == SOCKET}
    fields = {
        name: getattr(anatomy, name) for name in ("lips", "brows", "lashes", "blush", "ears", "hairline", "beard")
    }
    vertex = np.stack([*(field[SKIN] for field in fields.values()), sky], axis=1)
    values = coverage.interpolate(np.column_stack([scan.points[SKIN], vertex])[scan.skin.ravel()], own)
    masks = dict(zip([*fields, "sky"], values[:, 3:].T, strict=True))
    masks |= {name: inside[coverage.triangle].astype(float) for name, inside in chart.items()}
    return Canvas(coverage.pixel, values[:, :3], masks, np.ones((len(values), 3)))


def noise(points: np.ndarray, size: float, seed: int, octaves: int = 3) -> np.ndarray:
    """(P,) smooth noise about 0, within -1 to 1, whose features are about `size` cm: waves in all directions."""
    rng = np.random.default_rng(seed)
    total = np.zeros(len(points))
    for octave in range(octaves):
        waves = rng.normal(0, 1, (12, 3))
        waves *= (
            2 * np.pi / size * 2**octave / np.linalg.norm(waves, axis=1, keepdims=True) * rng.uniform(0.6, 1.4, (12, 1))
        )
        total += np.sin(points @ waves.T + rng.uniform(0, 2 * np.pi, 12)).mean(1) * 0.6**octave
    return np.clip(total, -1, 1)


def cells(points: np.ndarray, size: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances (P,) in cm to the nearest and to the second nearest of scattered seeds, and the nearest's number."""
    rng = np.random.default_rng(seed)
    low, high = points.min(0) - size, points.max(0) + size
    grid = np.stack(
        np.meshgrid(*(np.arange(a, b, size) for a, b in zip(low, high, strict=True)), indexing="ij"), -1
    ).reshape(-1, 3)
    seeds = grid + rng.uniform(0, size, grid.shape)
    distance, index = cKDTree(seeds).query(points, k=2)
    return distance[:, 0], distance[:, 1], index[:, 0]


def region(points: np.ndarray, at: Sequence[float], reach: float | Sequence[float]) -> np.ndarray:
    """(P,) 1 at a point (and its mirror image) to 0 at `reach` cm from it, softly."""
    folded = np.column_stack([np.abs(points[:, 0]), points[:, 1:]]) if at[0] >= 0 else points
    inside = (((folded - at) / reach) ** 2).sum(1)
    return np.asarray(np.clip(1 - inside, 0, 1) ** 2)


Layer = Callable[..., None]


def tone(canvas: Canvas, colour: str, size: float = 3.0, strength: float = 0.1, seed: int = 0) -> None:
    """A base colour, mottled."""
    canvas.colour[:] = linear(colour) * np.exp(strength * noise(canvas.points, size, seed))[:, None]


def mask(canvas: Canvas, colour: str, of: str, strength: float = 1.0) -> None:
    """A colour where a mask is."""
    canvas.over(linear(colour), np.clip(strength * canvas.masks[of], 0, 1))


def patch(
    canvas: Canvas,
    colour: str,
    at: Sequence[float],
    reach: float | Sequence[float],
    strength: float = 1.0,
    edge: float = 1.0,
    ragged: float = 0.0,
    seed: int = 0,
) -> None:
    """A soft spot of colour on both sides. edge: from 1, soft, to 0, sharp. ragged: how much noise its outline has."""
    share = region(canvas.points + ragged * noise(canvas.points, 0.8, seed)[:, None], at, reach)
    canvas.over(linear(colour), strength * smoothstep(share, 0.5 - edge / 2, 0.5 + edge / 2))


def spots(
    canvas: Canvas,
    colour: str,
    size: float,
    radius: float,
    at: Sequence[float] = (0, 0, 0),
    reach: float | Sequence[float] = 100.0,
    strength: float = 1.0,
    share: float = 1.0,
    seed: int = 0,
) -> None:
    """Freckles: spots of about `radius` cm, one in each cube of `size` cm, fewer toward the end of their region."""
    rng = np.random.default_rng(seed)
    distance, _, number = cells(canvas.points, size, seed)
    random = rng.random((number.max() + 1, 2))[number]
    where = region(canvas.points, at, reach)
    big = radius * (0.5 + random[:, 0])
    there = random[:, 1] < share * where
    canvas.over(linear(colour), strength * there * (1 - smoothstep(distance, 0.5 * big, big)))


def scales(
    canvas: Canvas,
    colour: str,
    size: float,
    width: float = 0.12,
    at: Sequence[float] = (0, 0, 0),
    reach: float | Sequence[float] = 100.0,
    strength: float = 0.5,
    seed: int = 0,
) -> None:
    """Scales with dark edges: cells of `size` cm, each of its own tone."""
    rng = np.random.default_rng(seed)
    near, second, number = cells(canvas.points, size, seed)
    where = strength * region(canvas.points, at, reach)
    canvas.colour[...] *= np.exp(0.35 * where * rng.normal(0, 0.5, number.max() + 1)[number])[:, None]
    canvas.over(linear(colour), where * (1 - smoothstep(second - near, 0, width)))


def fur(canvas: Canvas, strength: float = 0.25, size: float = 0.25, length: float = 5.0, seed: int = 0) -> None:
    """Fine streaks that run from the nose outward."""
    outward = canvas.points - np.array([0, 0.0, 11.0])
    radius = np.linalg.norm(outward, axis=1, keepdims=True)
    direction = outward / np.maximum(radius, 1e-6)
    streaks = noise(direction * 12 + radius / length, size * 4, seed, 2)
    canvas.colour[...] *= np.exp(strength * streaks)[:, None]


def stripes(
    canvas: Canvas,
    colour: str,
    at: Sequence[float],
    toward: Sequence[float],
    period: float,
    width: float,
    reach: float | Sequence[float],
    strength: float = 1.0,
    seed: int = 0,
) -> None:
    """Stripes across a direction, that taper to the end of their region on both sides."""
    folded = np.column_stack([np.abs(canvas.points[:, 0]), canvas.points[:, 1:]])
    along = (folded - at) @ (np.asarray(toward) / np.linalg.norm(toward))
    along += 0.25 * period * noise(canvas.points, 2.5, seed, 2)
    where = region(canvas.points, at, reach)
    apart = np.abs((along / period + 0.5) % 1 - 0.5) * 2  # 0 at a stripe's middle, 1 between two
    canvas.over(linear(colour), strength * smoothstep(width * where - apart, -0.25, 0) * smoothstep(where, 0.02, 0.25))


def _around(points: np.ndarray) -> np.ndarray:
    """(V, 3) points on a ball about the skull's middle, so that lines need not be given on the skin exactly."""
    away = points - SKULL
    return np.asarray(BALL * away / np.linalg.norm(away, axis=-1, keepdims=True))


def line(
    canvas: Canvas,
    colour: str,
    points: Sequence[Sequence[float]],
    width: float,
    strength: float = 1.0,
    bevel: float = 0.0,
) -> None:
    """A line of `width` cm through points, on both sides. bevel: how much lighter its lower lip is."""
    folded = np.column_stack([np.abs(canvas.points[:, 0]), canvas.points[:, 1:]])
    away = distance_to_line(_around(folded), _around(np.asarray(points, float)))
    away[canvas.points[:, 1] < NECK_BELOW - 0.35 * (canvas.points[:, 2] - 3)] = np.inf
    canvas.colour[...] *= 1 + bevel * (1 - smoothstep(away, width, 2.2 * width))[:, None]
    canvas.over(linear(colour), strength * (1 - smoothstep(away, 0.5 * width, width)))


def below(
    canvas: Canvas, colour: str, height: float, slope: float = 0.33, strength: float = 1.0, edge: float = 0.12
) -> None:
    """A colour below a collar: under `height` cm at the throat, sinking to the back."""
    collar = canvas.points[:, 1] - slope * (canvas.points[:, 2] - 3)
    canvas.over(linear(colour), strength * smoothstep(height - collar, -edge, edge))


def hair(canvas: Canvas, colour: str, start: float = 0.0, strength: float = 1.0) -> None:
    """A colour where hair grows, from `start` cm behind the hairline."""
    edge = canvas.masks["hairline"] + 0.35 * noise(canvas.points, 0.7, 3) - start
    canvas.over(linear(colour), strength * smoothstep(edge, -0.6, 0.5) * (1 - canvas.masks["mouth"]))


LAYERS: dict[str, Layer] = {
    layer.__name__: layer for layer in (tone, mask, patch, spots, scales, fur, stripes, line, below, hair)
}


def paint(canvas: Canvas, layers: Sequence[dict[str, Any]], occlusion: float, mouth: str) -> None:
    """Lays the layers, then the shadows of what is hollow, then the mouth's inside, on the canvas."""
    for settings in layers:
        LAYERS[settings["layer"]](canvas, **{key: value for key, value in settings.items() if key != "layer"})
    sky = np.clip(canvas.masks["sky"], 0, 1)
    canvas.colour[...] *= (1 - occlusion * (1 - sky) ** 1.5)[:, None]
    canvas.over(
        linear(mouth) * (0.15 + 0.85 * smoothstep(canvas.points[:, 2], 6.0, 11.0))[:, None], canvas.masks["mouth"]
    )
    canvas.over(np.full(3, 0.02), canvas.masks["socket"])


def picture(canvas: Canvas) -> np.ndarray:
    """(H, W, 3) uint8 sRGB, with the charts' edges continued outward."""
    height, width = SIZE
    colour = np.zeros((height * width, 3))
    covered = np.zeros(height * width, bool)
    colour[canvas.pixel], covered[canvas.pixel] = canvas.colour, True
    known = np.stack(np.divmod(canvas.pixel, width), axis=1)
    bare = np.flatnonzero(~covered)
    nearest = cKDTree(known).query(np.stack(np.divmod(bare, width), axis=1))[1]
    colour[bare] = canvas.colour[nearest]
    return to_srgb(colour.reshape(height, width, 3))


def jpeg(pixels: np.ndarray, quality: int = 84) -> bytes:
    """A picture (H, W, 3) as JPEG."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=0, optimize=True)
    return stream.getvalue()


def png(pixels: np.ndarray) -> bytes:
    """A picture (H, W, 3) as PNG."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return stream.getvalue()
