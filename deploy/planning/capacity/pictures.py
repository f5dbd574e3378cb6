"""What the clients send: photos and frames drawn from bench.group_pictures, ready before anything is timed."""

import math
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from mfn.v1 import retarget_pb2 as pb
from PIL import Image

from bench.group_pictures import GroupPicture

QUALITY: Final = 85  # of JPEG: what cameras and browsers take for video
# Grey levels, standard deviation: noise as of a camera by lamplight, without which JPEGs were half as large.
GRAIN: Final = 5.0
FRAMES: Final = 30  # after which a scene begins anew, without a jump
SWAY: Final = 12.0  # pixels of the group's picture that the camera sways to either side: one and a half a frame


@dataclass(frozen=True)
class Scene:
    """Holds what a stream shows. name: of the format. images: one for each frame of the scene. faces: in it."""

    name: str
    images: list[pb.Image]
    faces: int

    @property
    def bytes_in(self) -> float:
        """Mean bytes of a frame."""
        return sum(image.ByteSize() for image in self.images) / len(self.images)


def jpeg(pixels: np.ndarray) -> bytes:
    """Pixels (H, W, 3) as a JPEG."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def photo(group: GroupPicture) -> bytes:
    """The whole group as a JPEG of 1280 x 720 pixels."""
    return jpeg(_grained(group.picture.pixels, 0))


def square(group: GroupPicture) -> pb.Image:
    """What the network sees of it, without encoding: 288 x 288 RGB pixels."""
    return raw_rgb(_views(group, 288, 288, 1)[0])


def scenes(one: GroupPicture, nine: GroupPicture) -> list[Scene]:
    """One face in three formats, and nine faces in a wider picture."""
    small, squares, wide = _views(one, 640, 480), _views(one, 288, 288), _views(nine, 640, 360)
    return [
        Scene("JPEG 640 x 480", [pb.Image(encoded=jpeg(view)) for view in small], 1),
        Scene("RGB 288 x 288", [raw_rgb(view) for view in squares], 1),
        Scene("NV12 640 x 480", [nv12(view) for view in small], 1),
        Scene("JPEG 640 x 360", [pb.Image(encoded=jpeg(view)) for view in wide], 9),
    ]


def raw_rgb(pixels: np.ndarray) -> pb.Image:
    """Pixels (H, W, 3) uint8 as a raw RGB picture of gRPC."""
    height, width = pixels.shape[:2]
    return pb.Image(raw=pb.RawPixels(format=pb.PIXEL_FORMAT_RGB, width=width, height=height, data=pixels.tobytes()))


def nv12(pixels: np.ndarray) -> pb.Image:
    """BT.601, limited range: luma, then chroma at half the size."""
    height, width = pixels.shape[:2]
    full = np.asarray(Image.fromarray(pixels).convert("YCbCr"), float)
    luma = 16 + full[..., 0] * 219 / 255
    chroma = 128 + (full[..., 1:].reshape(height // 2, 2, width // 2, 2, 2).mean(axis=(1, 3)) - 128) * 224 / 255
    data = luma.round().astype(np.uint8).tobytes() + chroma.round().astype(np.uint8).tobytes()
    return pb.Image(raw=pb.RawPixels(format=pb.PIXEL_FORMAT_NV12, width=width, height=height, data=data))


def _views(group: GroupPicture, width: int, height: int, frames: int = FRAMES) -> list[np.ndarray]:
    """The largest part of the picture of this shape that leaves room to sway, around the middle of its faces."""
    whole = Image.fromarray(group.picture.pixels)
    scale = min((whole.width - 2 * SWAY) / width, (whole.height - 2 * SWAY) / height)
    centre = (group.boxes[:, :2].min(axis=0) + group.boxes[:, 2:].max(axis=0)) / 2
    low = np.clip(centre - np.array([width, height]) * scale / 2, SWAY, None)
    low = np.minimum(low, np.array(whole.size) - np.array([width, height]) * scale - SWAY)
    views = []
    for number in range(frames):
        turn = 2 * math.pi * number / FRAMES
        x, y = low + np.array([math.sin(turn), math.cos(turn) / 2]) * SWAY
        box = (x, y, x + width * scale, y + height * scale)
        view = np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR, box))
        views.append(_grained(view, number))
    return views


def _grained(pixels: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, GRAIN, pixels.shape)
    grained: np.ndarray = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return grained
