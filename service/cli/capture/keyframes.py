"""Frames that the Multiple Face Network searches, and the frames between two of them, for which it need not run.

A film's next frames are known, so the faces between two keyframes are interpolated, and the Single Face Network looks
at them where they must be. Expressions and gaze are that network's alone in every frame, see
service.vision.refinement; of a face's pose and identity, the part that is the other network's is interpolated.
"""

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.records import Record, rows_of
from service.cli.capture.sources.source import SourceFrame
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.tracking.assignment import assign
from service.tracking.follow import FollowedFaces
from service.tracking.frame_tracker import MAX_FOLLOW_GAP
from service.tracking.tracker import INITIAL_NOISE
from service.vision.faces import Faces
from service.vision.image import LazyImage
from service.vision.nms import iou
from service.vision.rotation import align_sign, normalize

# Of a face's boxes in two keyframes. Less is another face, or one whose way between them is not known.
MIN_IOU: Final = 0.4


@dataclass(frozen=True)
class Keyframe:
    """A frame that was searched. detected: its N faces as the Multiple Face Network sees them, in pixels of the film.
    followed: the same, refined, to tell whether a later frame shows them, too; None where they are not refined. side:
    pixels of the longer side that the frame was decoded to for that."""

    record: Record
    detected: Faces
    followed: FollowedFaces | None
    side: int


def search_frame(
    frame: SourceFrame, pipeline: Pipeline, options: RetargetOptions, turn: int, search_turns: bool
) -> Keyframe:
    """Searches a whole frame. turn: of the last one. search_turns: whether another turn of the picture is tried."""
    decoded = LazyImage(frame.load)
    picture = decoded.at_least(pipeline.models.input_size(options.input_size))
    found = pipeline.detect(picture, options, turn, search_turns)
    faces, followed = found.faces, None
    if options.refine:
        faces = pipeline.refine(faces, decoded)[0]
        followed = FollowedFaces.from_detection(faces, decoded.picture, pipeline.models.face_model)
    # A turn that shows nobody is not kept: who comes next is upright most likely.
    kept = (found.turn if len(faces) else 0) if search_turns else turn
    record = Record(frame.timestamp, picture.width, picture.height, kept, rows_of(faces))
    return Keyframe(record, found.faces, followed, decoded.asked)


class Interval:
    """The time between two keyframes in which the same faces are seen, each moving a little."""

    def __init__(self, before: Keyframe, followed: FollowedFaces, after: Keyframe, order: NDArray[np.intp]) -> None:
        """followed: the faces of `before`. order: (N,) the faces of `after` that are those."""
        self._before, self._followed, self._end = before, followed, after.record.timestamp
        self._faces = before.detected, after.detected.take(order)

    @classmethod
    def between(cls, before: Keyframe, after: Keyframe, max_iou: float) -> "Interval | None":
        """None where the keyframes do not show the same faces, or one of them moves too far to say where it is between,
        or they are not refined.

        max_iou: of two faces' boxes, above which they are one face.
        """
        if before.followed is None or after.followed is None:
            return None
        faces, later = before.followed.faces, after.followed.faces
        size = (before.record.width, before.record.height)
        near = after.record.timestamp - before.record.timestamp <= MAX_FOLLOW_GAP
        same = len(faces) == len(later) and size == (after.record.width, after.record.height)
        if not near or not same:
            return None
        order = assign(1 - iou(faces.box, later.box), 1 - MIN_IOU)
        if (order < 0).any() or _lost(before.followed, after.followed.take(order), max_iou):
            return None
        return cls(before, before.followed, after, order)

    def look(self, frame: SourceFrame, pipeline: Pipeline) -> Record | None:
        """The record of a frame within the interval; None where it shows something else than the keyframe before it."""
        before = self._before.record
        if not len(before.rows):
            return replace(before, timestamp=frame.timestamp)
        share = (frame.timestamp - before.timestamp) / (self._end - before.timestamp)
        decoded = LazyImage(frame.load)
        decoded.at_least(self._before.side)
        faces = pipeline.refine(interpolated(*self._faces, share), decoded)[0]
        followed = FollowedFaces.from_detection(faces, decoded.picture, pipeline.models.face_model)
        if _lost(self._followed, followed, pipeline.settings.nms_iou):
            return None
        return replace(before, timestamp=frame.timestamp, rows=rows_of(faces))


def interpolated(before: Faces, after: Faces, share: float) -> Faces:
    """The faces (N) between two estimates of them, in that order. share: of the way from the first to the second."""
    later = {field.name: getattr(after, field.name) for field in fields(Faces)}
    later["quaternion"] = align_sign(before.quaternion, after.quaternion)
    mean = Faces(*(np.float32(1 - share) * getattr(before, name) + np.float32(share) * later[name] for name in later))
    return replace(mean, quaternion=normalize(mean.quaternion))


def _lost(before: FollowedFaces, after: FollowedFaces, max_iou: float) -> bool:
    """Whether one of the faces (N) of a frame is another one, or none, in a later frame."""
    change = before.faces.identity - after.faces.identity
    distance = np.sqrt(np.mean(change**2, axis=1)) / INITIAL_NOISE
    return bool(before.lost(after, distance, max_iou).any())
