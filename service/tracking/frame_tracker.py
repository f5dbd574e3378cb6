"""Tracks the faces of a stream's frames: by detection in the whole picture, or by following those of the last frame."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from service.inference.pipeline import Detected, Pipeline, Timing
from service.tracking.costs import Costs
from service.tracking.follow import FollowedFaces
from service.tracking.options import StreamOptions
from service.tracking.scene_change import SceneThumbnail
from service.tracking.tracker import Ids, Tracker
from service.vision.faces import Faces
from service.vision.image import LazyImage
from service.vision.refinement import blend_estimates

MAX_FOLLOW_GAP: Final = 0.25  # seconds between frames; after more than that, faces may have left their crops
# Seconds after a detection in which neither a changed picture nor a lost track triggers another one: a crowd that moves
# all the time costs a detection in every third frame at 30 fps.
MIN_DETECTION_INTERVAL: Final = 0.1
# Seconds between frames that are searched for another turn of the picture, see service.vision.turns. A search takes a
# second inference, which a stream of small faces, or of none, would otherwise need in every frame.
TURN_SEARCH_INTERVAL: Final = 1.0


@dataclass(frozen=True)
class TrackedFrame:
    """The faces of a frame, unsmoothed, with their tracks (N,). detected: in this frame, or followed into it."""

    faces: Faces
    track_id: Ids
    detected: bool
    timing: Timing


@dataclass(frozen=True)
class _Detection:
    """The last detection of a stream that follows: its frame's timestamp and thumbnail, and the faces."""

    timestamp: float
    thumbnail: SceneThumbnail
    faces: Faces


@dataclass(frozen=True)
class _FollowState:
    """What the next frame needs to follow: faces of the last frame and their tracks, `frames` after the detection."""

    detection: _Detection
    followed: FollowedFaces
    track_id: Ids
    timestamp: float
    frames: int


class FrameTracker:
    """Finds the faces in one stream's frames and assigns them to tracks."""

    def __init__(
        self, pipeline: Pipeline, options: StreamOptions, clock: Callable[[], float], tracker: Tracker | None = None
    ) -> None:
        """clock: in seconds, measures what the networks cost. tracker: by default one whose ids begin with 1.

        Raises RequestError BAD_PARAMETER where the network does not accept the input size.
        """
        self.tracker = tracker or Tracker()
        self._pipeline, self._options, self._clock = pipeline, options, clock
        self._costs = Costs()
        self._state: _FollowState | None = None  # None where the next frame cannot follow
        self._input_size = pipeline.models.input_size(options.input_size)
        self._side = self._input_size  # pixels of the longer side that a frame is decoded to at first
        self._turn = 0  # of the network's input, at the last detection
        self._searched = -math.inf  # timestamp of the last frame that was searched for another turn

    def restarted(self) -> "FrameTracker":
        """One for the same stream at another time: it detects first, and its tracks' ids go on counting."""
        return FrameTracker(self._pipeline, self._options, self._clock, self.tracker.restarted())

    def process(self, decoded: LazyImage, timestamp: float) -> TrackedFrame:
        """Finds and tracks the faces of the next frame. Where this raises, the state is that before the frame.

        The frame is decoded as large as the last one was needed, so it is seldom decoded twice.
        """
        picture = decoded.at_least(self._side)
        if not self._options.follow:
            frame = self._detect(decoded, timestamp)
        else:
            thumbnail = SceneThumbnail.of(picture)
            if self._state is None or self._detection_is_due(self._state, thumbnail, timestamp):
                frame = self._detect(decoded, timestamp, thumbnail)
            else:
                frame = self._follow(self._state, decoded, timestamp, thumbnail)
        self._side = max(decoded.asked, self._input_size)
        return frame

    def _detection_is_due(self, state: _FollowState, thumbnail: SceneThumbnail, timestamp: float) -> bool:
        last = state.detection
        if (thumbnail.width, thumbnail.height) != (last.thumbnail.width, last.thumbnail.height):
            return True
        if state.frames + 1 >= self._options.detect_every or timestamp - state.timestamp > MAX_FOLLOW_GAP:
            return True
        if not self._following_pays(state.followed.faces):
            return True
        if timestamp - last.timestamp < MIN_DETECTION_INTERVAL:
            return False
        known = np.concatenate([last.faces.box, state.followed.faces.box])
        return self.tracker.has_lost_tracks or thumbnail.differs(last.thumbnail, known)

    def _following_pays(self, faces: Faces) -> bool:
        """Whether following is cheaper. Where faces are refined in every frame anyway, it saves the detections."""
        return self._options.refine or self._costs.following_pays(len(faces), self._options.detect_every)

    def _follow(
        self, state: _FollowState, decoded: LazyImage, timestamp: float, thumbnail: SceneThumbnail
    ) -> TrackedFrame:
        """Follows the faces of the last frame; detects again where one of them is lost."""
        face_model, track_id = self._pipeline.models.face_model, state.track_id
        faces, timing = self._refine(state.followed.faces, decoded)
        followed = state.followed.updated(faces, decoded.picture, face_model)
        identity_distance = self.tracker.identity_distance(faces.identity, track_id)
        if state.followed.lost(followed, identity_distance, self._pipeline.settings.nms_iou).any():
            return self._detect(decoded, timestamp, thumbnail, timing)
        self.tracker.follow(followed.faces, track_id, timestamp)
        self._state = _FollowState(state.detection, followed, track_id, timestamp, state.frames + 1)
        return TrackedFrame(followed.faces, track_id, False, timing)

    def _detect(
        self,
        decoded: LazyImage,
        timestamp: float,
        thumbnail: SceneThumbnail | None = None,
        spent: Timing | None = None,
    ) -> TrackedFrame:
        """Detects the faces of a frame. thumbnail: where the stream follows. spent: on following faces in vain."""
        picture = decoded.at_least(self._input_size)
        start = self._clock()
        search = timestamp - self._searched >= TURN_SEARCH_INTERVAL
        detected = self._pipeline.detect(picture, self._options, self._turn, search)
        self._costs.add_detection((self._clock() - start) * 1e3)
        faces, timing = detected.faces, detected.timing
        follows = thumbnail is not None and self._following_pays(faces)
        if self._options.refine or follows:
            refined, refinement = self._refine(faces, decoded)
            # Followed faces are the Single Face Network's alone. A blend here would make them jump at each detection.
            faces = refined if follows else blend_estimates(faces, refined)
            timing += refinement
        face_model = self._pipeline.models.face_model
        followed = FollowedFaces.from_detection(faces, decoded.picture, face_model) if follows else None
        track_id = self.tracker.update(faces, timestamp)
        self._keep_turn(detected, timestamp if search else self._searched)
        if thumbnail is not None and followed is not None:
            self._state = _FollowState(_Detection(timestamp, thumbnail, faces), followed, track_id, timestamp, 0)
        else:
            self._state = None
        return TrackedFrame(faces, track_id, True, timing if spent is None else timing + spent)

    def _keep_turn(self, detected: Detected, searched: float) -> None:
        """Keeps the turn of a detection for the next one. searched: timestamp of the last frame that was searched.

        A turn that shows nobody is not kept: who comes next is upright most likely. Where it has shown somebody before,
        the picture itself has been turned perhaps, and the next frame is searched.
        """
        anybody = len(detected.faces) > 0
        self._searched = -math.inf if self._turn and not anybody else searched
        self._turn = detected.turn if anybody else 0

    def _refine(self, faces: Faces, decoded: LazyImage) -> tuple[Faces, Timing]:
        """Refines faces and measures what it costs."""
        start = self._clock()
        result = self._pipeline.refine_faces(faces, decoded)
        self._costs.add_refinement((self._clock() - start) * 1e3, len(faces))
        return result
