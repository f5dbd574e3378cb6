"""What the Multiple Face Network looks at, the whole picture or a tile of it, and the way to the whole one's square.

Faces of all views are told apart and merged in one place: the square of the whole picture, see service.letterbox.

A square larger than the usual one shows small faces well, but faces larger than those that the network was trained on,
which it misses or misjudges. So the whole picture is then looked at in the usual square, too, and each view tells of
the faces whose size suits it (an image pyramid, as in Viola and Jones, "Robust real-time face detection", IJCV 2004).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from service.candidates import MAX_CANDIDATES, Candidates, Detections, Pose
from service.image import Picture
from service.letterbox import Letterbox, Pixels
from service.rotation import Array
from service.tiles import Window, windows

EDGE_MARGIN: Final = 8.0  # pixels of the square: a box that ends so close to where a tile was cut may be of half a face

# Pixels of the square, heights of boxes. Training shows faces of up to 250 pixels; of larger ones the boxes are too
# small, so that the limit lies a little below. Of faces under 20 pixels, of which a larger square shows 29 or more, the
# usual square has nothing to add. Both were chosen on multi_train_2 and multi_val (AP50, AP75) and landmarks_val (NME).
LARGEST_FACE: Final = 240.0
SMALLEST_FACE: Final = 20.0
ANY_HEIGHT: Final = (0.0, float("inf"))


@dataclass(frozen=True)
class View:
    """A part of a picture in the network's square.

    window: the part, in the picture's decoded pixels; None is the whole picture. letterbox: of the part, in decoded
    pixels, or `whole`. whole: of the whole picture as sent, in the square where the faces of all views come together. decoded: width and height of that, in
    decoded pixels. heights: least and most of the boxes that the view tells of, pixels of its square.
    """

    window: Window | None
    letterbox: Letterbox
    whole: Letterbox
    decoded: tuple[int, int]
    heights: tuple[float, float] = ANY_HEIGHT

    @classmethod
    def of(cls, picture: Picture, side: int, tiles: int, usual: int) -> tuple[Self, ...]:
        """The whole picture in a square of `side` pixels; where that is larger than the usual one, again in that; and
        its tiles where there are more than one along its longer side."""
        whole = Letterbox.fit(picture.width, picture.height, side)
        height, width = picture.pixels.shape[:2]
        decoded = (width, height)
        larger = side > usual
        heights = (0.0, LARGEST_FACE) if larger else ANY_HEIGHT
        views = [cls(None, whole, whole, decoded, heights)]
        if larger:
            again = Letterbox.fit(width, height, usual)
            views.append(cls(None, again, whole, decoded, (SMALLEST_FACE, float("inf"))))
        for part in windows(width, height, tiles):
            views.append(cls(part, Letterbox.fit(part.width, part.height, side), whole, decoded, heights))
        return tuple(views)

    def square(self, picture: Picture) -> Pixels:
        """The network's input (side, side, 3)."""
        part = self.window
        if part is None:
            return self.letterbox.apply(picture.pixels)
        return self.letterbox.apply(picture.pixels[part.y : part.y + part.height, part.x : part.x + part.width])

    def own(self, detections: Detections) -> Detections:
        """Those of the heights that suit this view, and that it shows whole: of a tile, those that do not reach where
        it was cut out of the picture.

        Nothing is lost by it: what one tile cuts is whole in its neighbour, or so large that the whole picture, which
        is always looked at, shows it well.
        """
        if self.heights != ANY_HEIGHT:
            height = detections.box[:, 3] - detections.box[:, 1]
            least, most = self.heights
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
        if self.window is None and self.letterbox == self.whole:
            return candidates
        corner = np.array([0, 0] if self.window is None else [self.window.x, self.window.y], np.float32)
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


def pool(found: Sequence[Candidates]) -> Candidates:
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
