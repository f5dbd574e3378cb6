"""What lies behind rendered heads, photos without faces or shapes and noise, and what comes before them."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from training.render.render import GAMMA

CLEAR = 1.25  # of a face's box, which must not reach into a background
TRIES, SMALLEST = 12, 0.25  # windows tried a photo; least window, as a share of the photo's short side


def _resize(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))


def noise(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Smooth noise (height, width) about 0 with as much strength in coarse as in fine detail."""
    total = np.zeros((height, width), np.float32)
    for cells in (2, 4, 8, 16, 32):
        grid = Image.fromarray(rng.normal(0, 1, (cells, cells)).astype(np.float32))
        total += np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC)) / np.sqrt(cells)
    return total


def drawn_background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: a wall with windows, frames, posts and blurs of any colour."""
    grey = rng.uniform(30, 225, (2, 1))
    top, bottom = grey + rng.normal(0, 18, (2, 3))
    ramp = np.linspace(0, 1, height)[:, None, None]
    wall = np.broadcast_to(top * (1 - ramp) + bottom * ramp, (height, width, 3)).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(wall.copy())
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, 9)):
        x, y = rng.uniform(-0.2, 1, 2) * [width, height]
        w, h = rng.uniform(0.04, 0.7, 2) * [width, height]
        vivid = rng.uniform(0, 255, 3)
        colour = tuple(int(c) for c in vivid.mean() + rng.random() * (vivid - vivid.mean()))
        shape = draw.rectangle if rng.random() < 0.65 else draw.ellipse
        shape((x, y, x + w, y + h), fill=colour)
    detail = noise(rng, width, height)[..., None] * rng.uniform(2, 22) * rng.uniform(0.6, 1.2, 3)
    return np.clip(np.asarray(image) + detail + rng.normal(0, rng.uniform(0, 5), (height, width, 1)), 0, 255).astype(
        np.uint8
    )


class PhotoBackgrounds:
    """Face-free windows of packed group photos (training/data/pack.py): pictures .npy beside .sizes.npy, .boxes.npz."""

    def __init__(self, pictures: Path) -> None:
        self.pictures = np.load(pictures, mmap_mode="r")
        self.sizes = np.load(pictures.with_suffix(".sizes.npy"))
        with np.load(pictures.with_suffix(".boxes.npz")) as boxes:
            order = np.argsort(boxes["picture"], kind="stable")
            self.boxes = boxes["box"][order]
            self.first = np.searchsorted(boxes["picture"][order], np.arange(len(self.pictures) + 1))

    def draw(self, rng: np.random.Generator, side: int) -> np.ndarray:
        """(side, side, 3) uint8."""
        while True:
            i = int(rng.integers(len(self.pictures)))
            boxes = self.boxes[self.first[i] : self.first[i + 1]]
            centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2 * CLEAR
            short = self.sizes[i].min()
            for _ in range(TRIES):
                window = rng.uniform(SMALLEST, 1) * short
                low = rng.uniform(0, 1, 2) * (self.sizes[i] - window)
                if not ((low < centre + half) & (low + window > centre - half)).all(1).any():
                    x, y, w = int(low[0]), int(low[1]), int(window)
                    return _resize(np.ascontiguousarray(self.pictures[i, y : y + w, x : x + w]), side, side)


def draw_occluder(rng: np.random.Generator, canvas: np.ndarray, points: np.ndarray) -> None:
    """Puts a hand-sized blob or a bar before a face, at one of its 68 points. canvas: (H, W, 3) linear light."""
    height, width = canvas.shape[:2]
    size = np.ptp(points, axis=0).max()
    x, y = points[rng.integers(68)] + rng.normal(0, 0.12, 2) * size
    angle, turn = rng.uniform(0, np.pi), np.linspace(0, 2 * np.pi, 40)
    long, thin = size * rng.uniform(0.25, 0.7), size * rng.uniform(0.06, 0.25)
    wobble = 1 + 0.15 * np.sin(turn * rng.integers(2, 6) + rng.uniform(0, 6))
    a, b = long * np.cos(turn) * wobble, thin * np.sin(turn) * wobble
    outline = np.stack([x + a * np.cos(angle) - b * np.sin(angle), y + a * np.sin(angle) + b * np.cos(angle)], axis=1)
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).polygon([tuple(p) for p in outline], fill=255)
    covered = np.asarray(mask) > 127
    colour = rng.uniform(0.02, 0.7, 3) if rng.random() < 0.5 else np.array([0.5, 0.3, 0.22]) * rng.uniform(0.2, 1.2)
    shade = np.clip(1 + 0.25 * noise(rng, width, height), 0.3, 2)[..., None]
    canvas[covered] = (colour * shade)[covered]


def to_linear(picture: np.ndarray) -> np.ndarray:
    """uint8 (..., 3) as float32 linear light."""
    return np.asarray((np.arange(256, dtype=np.float32) / 255)[picture] ** np.float32(GAMMA))
