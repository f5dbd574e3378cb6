"""What the Multiple Face Network looks at, the whole picture at one size or two or a tile of it, and the way to the
whole one's square.

Faces of all views are told apart and merged in one place: the square of the whole picture, see
service.vision.letterbox.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, Self

import numpy as np

from service.vision.decoding import MAX_CANDIDATES, Candidates, Detections, Pose
from service.vision.image import Picture
from service.vision.letterbox import Letterbox, Pixels
from service.vision.rotation import Array
from service.vision.tile_layout import Window, windows

EDGE_MARGIN: Final = 8.0  # pixels of the square: a box that ends so close to where a tile was cut may be of half a face
# Heights of boxes, pixels of the square, that count where a picture is looked at in two sizes. Above the first, the
# larger input knows faces less well than the smaller one, and from 280 on it takes a part for the face: on portraits of
# landmarks_val, whose faces have 330 pixels at 576, boxes of up to 200 / 240 / 280 / 320 change the landmarks' error of
# 288 alone (2.98 %) by 0.00 / +0.03 / +0.19 / +0.44; on half of them at two thirds of the size (3.22 %), boxes of up to
# 200 / 240 / any by -0.01 / -0.27 / -0.29. Below the second, the larger input sees more, and boxes of the smaller one
# only blur its own: from 0 / 12 / 20 / 30 on, AP50 at 576 is 77.4 / 77.6 / 78.1 / 78.1 on every eighth picture of
# multi_train_2, many faces of which are tiny, and from 0 / 20 / 30 on 87.6 / 87.3 / 87.2 on multi_val.
MAX_ENLARGED_HEIGHT: Final = 240.0
MIN_USUAL_HEIGHT: Final = 20.0


@dataclass(frozen=True)
class Tile:
    """A part of a picture in the network's square.

    window: the part, in the picture's decoded pixels; None is the whole picture. letterbox: of the part. whole: of the
    whole picture, at the size that was chosen. decoded: width and height of that, in decoded pixels. heights: of boxes
    that count, pixels of the letterbox's square, from the first up to the second.
    """

    window: Window | None
    letterbox: Letterbox
    whole: Letterbox
    decoded: tuple[int, int]
    heights: tuple[float, float] = (0.0, inf)

    @classmethod
    def of(cls, picture: Picture, side: int, tiles: int, usual: int) -> tuple[Self, ...]:
        """The whole picture, and its tiles where there are more than one along its longer side, in squares of `side`
        pixels; and where that is more than `usual`, the whole picture once more in a square of `usual` pixels, which
        shows the faces that are too large in the others."""
        whole = Letterbox.fit(picture.width, picture.height, side)
        height, width = picture.pixels.shape[:2]
        decoded = (width, height)
        heights = (0.0, MAX_ENLARGED_HEIGHT if side > usual else inf)
        parts = [(part, side, heights) for part in windows(width, height, tiles)]
        if side > usual:
            parts.append((Window(0, 0, width, height), usual, (MIN_USUAL_HEIGHT, inf)))
        return (
            cls(None, whole, whole, decoded, heights),
            *(
                cls(part, Letterbox.fit(part.width, part.height, pixels), whole, decoded, counting)
                for part, pixels, counting in parts
            ),
        )

    def square(self, picture: Picture) -> Pixels:
        """The network's input (side, side, 3)."""
        part = self.window
        if part is None:
            return self.letterbox.apply(picture.pixels)
        return self.letterbox.apply(picture.pixels[part.y : part.y + part.height, part.x : part.x + part.width])

    def drop_cut_boxes(self, detections: Detections) -> Detections:
        """Those that this view shows at a size that counts, and whole: of a tile, those that do not reach where it was
        cut out of the picture.

        Nothing is lost by it: what one tile cuts is whole in its neighbour, or so large that the whole picture, which
        is always looked at, shows it well.
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
        """Candidates in this view's square in that of the whole picture."""
        part = self.window
        if part is None:
            return candidates
        corner = np.array([part.x, part.y], np.float32)
        sent = np.array([self.whole.width / self.decoded[0], self.whole.height / self.decoded[1]], np.float32)

        def moved(points: Array) -> Array:
            return self.whole.to_square((self.letterbox.to_picture(points) + corner) * sent)

        pose = candidates.pose
        return Candidates(
            score=candidates.score,
            box=moved(candidates.box.reshape(-1, 2)).reshape(-1, 4),
            pose=Pose(
                quaternion=pose.quaternion,
                origin=moved(pose.origin),
                scale=pose.scale * (sent[0] * np.float32(self.whole.scale / self.letterbox.scale)),
            ),
            identity=candidates.identity,
            expression=candidates.expression,
        )


def concat_candidates(found: Sequence[Candidates]) -> Candidates:
    """The candidates of all views, in one square, the best MAX_CANDIDATES of them in descending score.

    All views that show a face have their say in what it is, each by its score: on photos, boxes so made are nearer the
    truth than those of the tiles alone.
    """
    if len(found) == 1:  # in order already, and what most pictures take
        return found[0]
    score = np.concatenate([view.score for view in found])
    order = np.argsort(-score, kind="stable")[:MAX_CANDIDATES]

    def best(values: Sequence[Array]) -> Array:
        taken: Array = np.concatenate(values)[order]
        return taken

    return Candidates(
        score=score[order],
        box=best([view.box for view in found]),
        pose=Pose(
            quaternion=best([view.pose.quaternion for view in found]),
            origin=best([view.pose.origin for view in found]),
            scale=best([view.pose.scale for view in found]),
        ),
        identity=best([view.identity for view in found]),
        expression=best([view.expression for view in found]),
    )
