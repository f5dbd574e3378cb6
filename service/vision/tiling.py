"""Tiled inference: the Multiple Face Network's inputs for one picture, and their candidates in common coordinates.

The inputs are the whole picture, at one or two sizes, and tiles of it, in which faces are larger. Candidates of all of
them are suppressed and merged in the square of the whole picture, see service.vision.letterbox.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Final, Self

import numpy as np

from service.vision.arrays import Array, Pixels
from service.vision.decoding import MAX_CANDIDATES, Candidates, Detections, Pose
from service.vision.image import Picture
from service.vision.letterbox import Letterbox
from service.vision.tile_layout import Window, windows

EDGE_MARGIN: Final = 8.0  # pixels of the square; a box that ends closer to a tile's cut edge may be of half a face
# Heights of boxes, in pixels of the square, that are kept where a picture is inferred at two sizes.
# MAX_ENLARGED_HEIGHT, of the larger input: it describes larger faces less well than the smaller input does, and from
# 280 on it mistakes a part for the face. On portraits of landmarks_val, whose faces have 330 pixels at 576, boxes of up
# to 200 / 240 / 280 / 320 change the landmarks' error of 288 alone (2.98 %) by 0.00 / +0.03 / +0.19 / +0.44; on half of
# them at two thirds of the size (3.22 %), boxes of up to 200 / 240 / any by -0.01 / -0.27 / -0.29.
# MIN_USUAL_HEIGHT, of the smaller input: smaller faces have more pixels in the larger one, whose boxes the others would
# only blur. From 0 / 12 / 20 / 30 on, AP50 at 576 is 77.4 / 77.6 / 78.1 / 78.1 on every eighth picture of
# multi_train_2, many faces of which are tiny, and from 0 / 20 / 30 on 87.6 / 87.3 / 87.2 on multi_val.
MAX_ENLARGED_HEIGHT: Final = 240.0
MIN_USUAL_HEIGHT: Final = 20.0


@dataclass(frozen=True)
class Tile:
    """One input of the network: a picture or a part of it.

    window: the part, in decoded pixels of the picture; None for the whole picture. letterbox: of the part. whole: the
    letterbox of the whole picture, at the chosen input size. decoded: width and height of the picture, decoded pixels.
    heights: of boxes that are kept, in pixels of the letterbox's square: at least the first, below the second.
    """

    window: Window | None
    letterbox: Letterbox
    whole: Letterbox
    decoded: tuple[int, int]
    heights: tuple[float, float] = (0.0, inf)

    @classmethod
    def of(cls, picture: Picture, side: int, tiles: int, usual: int) -> tuple[Self, ...]:
        """The inputs for a picture: the whole one first, then its tiles if `tiles` along the longer side is above 1.

        side: pixels of their squares. Where it is above `usual`, the whole picture comes once more, last, in a square
        of `usual` pixels, for the faces that are too large in the others.
        """
        height, width = picture.pixels.shape[:2]
        return cls._of_size(picture.width, picture.height, (width, height), side, tiles, usual)

    @classmethod
    @lru_cache(maxsize=64)  # the pictures of a server have few sizes
    def _of_size(
        cls, sent_width: int, sent_height: int, decoded: tuple[int, int], side: int, tiles: int, usual: int
    ) -> tuple[Self, ...]:
        """As of, by the sizes of the picture as sent and as decoded."""
        whole = Letterbox.fit(sent_width, sent_height, side)
        width, height = decoded
        heights = (0.0, MAX_ENLARGED_HEIGHT if side > usual else inf)
        parts = [(part, side, heights) for part in windows(width, height, tiles)]
        if side > usual:
            parts.append((Window(0, 0, width, height), usual, (MIN_USUAL_HEIGHT, inf)))
        return (
            cls(None, whole, whole, decoded, heights),
            *(
                cls(part, Letterbox.fit(part.width, part.height, pixels), whole, decoded, kept)
                for part, pixels, kept in parts
            ),
        )

    def square(self, picture: Picture) -> Pixels:
        """The network's input (side, side, 3) uint8."""
        part = self.window
        if part is None:
            return self.letterbox.apply(picture.pixels)
        return self.letterbox.apply(picture.pixels[part.y : part.y + part.height, part.x : part.x + part.width])

    def drop_cut_boxes(self, detections: Detections) -> Detections:
        """Drops detections whose height is outside `heights` or whose box reaches an edge where the tile was cut.

        No face is lost: one that a tile cuts lies whole in its neighbour, or is large enough for the inference of the
        whole picture, which always takes place.
        """
        least, most = self.heights
        if (least, most) != (0.0, inf):
            height = detections.box[:, 3] - detections.box[:, 1]
            detections = detections.take(np.flatnonzero((height >= least) & (height < most)))
        part = self.window
        if part is None:
            return detections
        low = np.array(self.letterbox.offset, np.float32)
        high = low + np.array(self.letterbox.content, np.float32)
        cut_low = np.array([part.x > 0, part.y > 0])
        cut_high = np.array([part.x + part.width < self.decoded[0], part.y + part.height < self.decoded[1]])
        first, last = detections.box[:, :2], detections.box[:, 2:]
        cut = (cut_low & (first < low + EDGE_MARGIN)) | (cut_high & (last > high - EDGE_MARGIN))
        return detections.take(np.flatnonzero(~cut.any(axis=1)))

    def to_whole(self, candidates: Candidates) -> Candidates:
        """Converts candidates from this input's square to that of the whole picture."""
        part = self.window
        if part is None:
            return candidates
        corner = np.array([part.x, part.y], np.float32)
        sent = np.array([self.whole.width / self.decoded[0], self.whole.height / self.decoded[1]], np.float32)

        def to_square(points: Array) -> Array:
            return self.whole.to_square((self.letterbox.to_picture(points) + corner) * sent)

        pose = candidates.pose
        return Candidates(
            score=candidates.score,
            box=to_square(candidates.box.reshape(-1, 2)).reshape(-1, 4),
            pose=Pose(
                quaternion=pose.quaternion,
                origin=to_square(pose.origin),
                scale=pose.scale * (sent[0] * np.float32(self.whole.scale / self.letterbox.scale)),
            ),
            identity=candidates.identity,
            expression=candidates.expression,
        )


def concat_candidates(parts: Sequence[Candidates]) -> Candidates:
    """The candidates of all inputs, in one square: the best MAX_CANDIDATES of them in descending score.

    All inputs that show a face vote on it, see service.vision.voting: on photos, boxes so made are nearer to the truth
    than those of the tiles alone.
    """
    if len(parts) == 1:  # in order already; most requests have one input
        return parts[0]
    score = np.concatenate([part.score for part in parts])
    order = np.argsort(-score, kind="stable")[:MAX_CANDIDATES]

    def best(values: Sequence[Array]) -> Array:
        selected: Array = np.concatenate(values)[order]
        return selected

    return Candidates(
        score=score[order],
        box=best([part.box for part in parts]),
        pose=Pose(
            quaternion=best([part.pose.quaternion for part in parts]),
            origin=best([part.pose.origin for part in parts]),
            scale=best([part.pose.scale for part in parts]),
        ),
        identity=best([part.identity for part in parts]),
        expression=best([part.expression for part in parts]),
    )
