"""A live stream: what its frames have in common, from one to the next.

A frame's faces are searched or followed, given their tracks, smoothed, and seen from each one's face at rest.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

from service.errors import BAD_PARAMETER, RequestError
from service.inference.pipeline import Pipeline, Timing
from service.tracking.frame_tracker import FrameTracker
from service.tracking.neutral import Neutral, NeutralState
from service.tracking.options import StreamOptions
from service.tracking.smoothing import Smoother
from service.tracking.tracker import Ids
from service.vision.arrays import Array
from service.vision.face_model import FaceModel
from service.vision.faces import Faces
from service.vision.image import ImageLoader, LazyImage, Picture


@dataclass(frozen=True)
class FrameTiming(Timing):
    """Milliseconds of each step; track: of all that ties a frame to those before it."""

    track: float = 0.0


@dataclass(frozen=True)
class FrameResult:
    """The faces of a frame of width x height pixels, in descending score; a followed face keeps that of its search.

    faces: smoothed, their expressions seen from each one's rest. seen: the same with expressions as they are seen,
    which is what landmarks are made of. track_id: (N,) int64 from 1, one person's all along the stream and never
    another's. neutral: of each face. searched: whether the Multiple Face Network looked, or known faces were followed.
    """

    faces: Faces
    seen: Faces
    track_id: Ids
    neutral: tuple[NeutralState, ...]
    width: int
    height: int
    searched: bool
    timing: FrameTiming

    def landmarks(self, face_model: FaceModel) -> Array:
        """(N, 68, 2) pixels of the 68 landmarks."""
        return self.seen.landmarks(face_model, self.width, self.height)


class Session:
    """The state of one live stream; it ends with the object, and no other stream sees it.

    One thread at a time may use it. The pipeline may be shared.
    """

    def __init__(self, pipeline: Pipeline, options: StreamOptions, clock: Callable[[], float] = perf_counter) -> None:
        """clock: in seconds, measures the networks' cost for the choice between searching and following. Raises
        RequestError BAD_PARAMETER where there is no such input size."""
        self._lookout = FrameTracker(pipeline, options, clock)
        self._smoother = Smoother(options.smoothing) if options.smoothing else None
        self._neutral = Neutral()
        self._timestamp = -math.inf

    def look(self, picture: Picture, timestamp: float) -> FrameResult:
        """As look_at, at a frame that is decoded."""
        return self.process_frame(lambda _: picture, timestamp)

    def process_frame(self, source: ImageLoader, timestamp: float, queue_ms: float = 0.0) -> FrameResult:
        """The faces of the next frame. timestamp: seconds, from any start. queue_ms: what went before, for the timing.

        Raises RequestError BAD_PARAMETER where the timestamp is not above the last frame's. A frame that raises
        changes nothing: the next one goes on from the frame before.
        """
        self._check(timestamp)
        start = perf_counter()
        decoded = LazyImage(source)
        seen = self._lookout.look(decoded, timestamp)
        self._timestamp = timestamp
        alive = self._lookout.tracker.alive
        faces = seen.faces
        if self._smoother:
            self._smoother.keep(alive)
            faces = self._smoother.smooth(faces, seen.track_id, timestamp)
        expression = self._neutral.subtract(faces.expression, seen.track_id, alive, timestamp)
        steps = vars(seen.timing) | {"decode": decoded.milliseconds}
        track_ms = (perf_counter() - start) * 1e3 - sum(steps.values())
        picture = decoded.picture
        return FrameResult(
            faces=replace(faces, expression=expression),
            seen=faces,
            track_id=seen.track_id,
            neutral=self._neutral.states(seen.track_id),
            width=picture.width,
            height=picture.height,
            searched=seen.searched,
            timing=FrameTiming(**steps | {"queue": queue_ms, "track": track_ms}),
        )

    def calibrate(self) -> None:
        """Takes the second that begins with the next frame as the resting face of everyone who is there."""
        self._neutral.calibrate()

    def reset_neutral(self) -> None:
        """Expressions are as they are seen again, from the next frame on."""
        self._neutral.reset()

    def _check(self, timestamp: float) -> None:
        if not math.isfinite(timestamp):
            raise RequestError(BAD_PARAMETER, f"The timestamp is {timestamp}; expected a number of seconds.")
        if timestamp <= self._timestamp:
            raise RequestError(
                BAD_PARAMETER,
                f"The timestamp is {timestamp:.6f} s, that of the frame before {self._timestamp:.6f} s; it must rise. "
                "Send frames in their order, each with the time at which it was taken.",
            )
