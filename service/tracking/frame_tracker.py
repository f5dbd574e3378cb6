"""Where a frame's faces come from: a search of the whole picture, or the faces of the frame before, followed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from service.inference.pipeline import Pipeline, Timing
from service.tracking.costs import Costs
from service.tracking.follow import Followed
from service.tracking.options import StreamOptions
from service.tracking.scene_change import Scene
from service.tracking.tracker import Ids, Tracker
from service.vision.faces import Faces
from service.vision.image import LazyImage
from service.vision.refinement import blend_estimates

MAX_FOLLOW_GAP: Final = 0.25  # seconds between frames; in more than that, faces leave their crops
# Seconds after a search in which neither a changed picture nor a hidden face is a reason for another one: a crowd that
# never rests costs a search in every third frame at 30 fps.
SEARCH_REST: Final = 0.1


@dataclass(frozen=True)
class TrackedFrame:
    """The faces of a frame as the networks see them, with their tracks (N,); searched: by the Multiple Face Network."""

    faces: Faces
    track_id: Ids
    searched: bool
    timing: Timing


@dataclass(frozen=True)
class _Search:
    """The last search of a stream that follows: when it was, what the picture was like, and the faces there."""

    timestamp: float
    scene: Scene
    faces: Faces


@dataclass(frozen=True)
class _Trail:
    """What the next frame follows: the faces of the last one and their tracks, `frames` after the search."""

    search: _Search
    followed: Followed
    track_id: Ids
    timestamp: float
    frames: int


class FrameTracker:
    """Sees the faces of one stream's frames, and keeps track of whose they are."""

    def __init__(self, pipeline: Pipeline, options: StreamOptions, clock: Callable[[], float]) -> None:
        """clock: in seconds, measures what the networks cost. Raises RequestError BAD_PARAMETER where there is no such
        input size."""
        self.tracker = Tracker()
        self._pipeline, self._options, self._clock = pipeline, options, clock
        self._costs = Costs()
        self._trail: _Trail | None = None
        self._input_size = pipeline.models.input_size(options.input_size)
        self._side = self._input_size  # pixels of the longer side that a frame is decoded to at first

    def look(self, decoded: LazyImage, timestamp: float) -> TrackedFrame:
        """The faces of a frame. Where this raises, all is as it was before the frame.

        The frame is decoded as large as the one before had to be at last, so that it seldom is twice.
        """
        picture = decoded.at_least(self._side)
        if not self._options.follow:
            seen = self._search(decoded, timestamp)
        else:
            scene = Scene.of(picture)
            if self._trail is None or self._search_is_due(self._trail, scene, timestamp):
                seen = self._search(decoded, timestamp, scene)
            else:
                seen = self._follow(self._trail, decoded, timestamp, scene)
        self._side = max(decoded.asked, self._input_size)
        return seen

    def _search_is_due(self, trail: _Trail, scene: Scene, timestamp: float) -> bool:
        if (scene.width, scene.height) != (trail.search.scene.width, trail.search.scene.height):
            return True
        if trail.frames + 1 >= self._options.detect_every or timestamp - trail.timestamp > MAX_FOLLOW_GAP:
            return True
        if not self._following_pays(trail.followed.faces):
            return True
        if timestamp - trail.search.timestamp < SEARCH_REST:
            return False
        known = np.concatenate([trail.search.faces.box, trail.followed.faces.box])
        return self.tracker.someone_hidden or scene.differs(trail.search.scene, known)

    def _following_pays(self, faces: Faces) -> bool:
        """Where faces are refined in every frame anyway, following saves the search and costs nothing."""
        return self._options.refine or self._costs.following_pays(len(faces), self._options.detect_every)

    def _follow(self, trail: _Trail, decoded: LazyImage, timestamp: float, scene: Scene) -> TrackedFrame:
        face_model, track_id = self._pipeline.models.face_model, trail.track_id
        faces, timing = self._look_closer(trail.followed.faces, decoded)
        followed = trail.followed.then(faces, decoded.picture, face_model)
        strangeness = self.tracker.identity_distance(faces.identity, track_id)
        if trail.followed.lost(followed, strangeness, self._pipeline.settings.nms_iou).any():
            return self._search(decoded, timestamp, scene, timing)
        self.tracker.follow(followed.faces, track_id, timestamp)
        self._trail = _Trail(trail.search, followed, track_id, timestamp, trail.frames + 1)
        return TrackedFrame(followed.faces, track_id, False, timing)

    def _search(
        self, decoded: LazyImage, timestamp: float, scene: Scene | None = None, spent: Timing | None = None
    ) -> TrackedFrame:
        """scene: of a stream that follows. spent: on faces that were lost."""
        picture = decoded.at_least(self._input_size)
        start = self._clock()
        faces, timing = self._pipeline.detect(picture, self._options)
        self._costs.searched((self._clock() - start) * 1e3)
        follows = scene is not None and self._following_pays(faces)
        if self._options.refine or follows:
            closer, spent_closer = self._look_closer(faces, decoded)
            # Faces that will be followed are the second network's alone from the start, or would jump at each search.
            faces = closer if follows else blend_estimates(faces, closer)
            timing += spent_closer
        followed = Followed.found(faces, decoded.picture, self._pipeline.models.face_model) if follows else None
        track_id = self.tracker.update(faces, timestamp)
        if scene is not None and followed is not None:
            self._trail = _Trail(_Search(timestamp, scene, faces), followed, track_id, timestamp, 0)
        else:
            self._trail = None
        return TrackedFrame(faces, track_id, True, timing if spent is None else timing + spent)

    def _look_closer(self, faces: Faces, decoded: LazyImage) -> tuple[Faces, Timing]:
        start = self._clock()
        closer = self._pipeline.refine_faces(faces, decoded)
        self._costs.looked((self._clock() - start) * 1e3, len(faces))
        return closer
