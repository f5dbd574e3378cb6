"""The session of a live stream: its state from one frame to the next.

A frame's faces are detected or followed, assigned to tracks, smoothed, and calibrated to each person's neutral face.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

from service.errors import BAD_PARAMETER, RequestError
from service.inference.pipeline import Pipeline, Timing
from service.tracking.frame_tracker import FrameTracker
from service.tracking.neutral import NeutralCalibration, NeutralState
from service.tracking.options import StreamOptions
from service.tracking.smoothing import Smoother
from service.tracking.tracker import Ids
from service.vision.arrays import Array
from service.vision.face_model import FaceModel
from service.vision.faces import Faces
from service.vision.image import ImageLoader, LazyImage, Picture


@dataclass(frozen=True)
class FrameTiming(Timing):
    """Milliseconds that each step of a frame took; track: following, assignment, smoothing and calibration."""

    track: float = 0.0


@dataclass(frozen=True)
class FrameResult:
    """The faces of a frame of width x height pixels, in descending score; a followed face keeps that of its detection.

    faces: smoothed, with expressions relative to each person's neutral one. uncalibrated: the same with absolute
    expressions, which the landmarks follow from. track_id: (N,) int64 from 1, the same for a person throughout the
    stream and never given to another. neutral: each face's state of calibration. detected: whether the faces were
    detected in this frame, or followed into it.
    """

    faces: Faces
    uncalibrated: Faces
    track_id: Ids
    neutral: tuple[NeutralState, ...]
    width: int
    height: int
    detected: bool
    timing: FrameTiming

    def landmarks(self, face_model: FaceModel) -> Array:
        """The 68 landmarks (N, 68, 2) of each face in pixels."""
        return self.uncalibrated.landmarks(face_model, self.width, self.height)


class Session:
    """The state of one live stream. Use it from one thread at a time; sessions may share a pipeline."""

    def __init__(self, pipeline: Pipeline, options: StreamOptions, clock: Callable[[], float] = perf_counter) -> None:
        """clock: in seconds, measures the networks' cost for the choice between detecting and following.

        Raises RequestError BAD_PARAMETER where the network does not accept the input size.
        """
        self._frame_tracker = FrameTracker(pipeline, options, clock)
        self._smoother = Smoother(options.smoothing) if options.smoothing else None
        self._neutral = NeutralCalibration()
        self._timestamp = -math.inf

    def process_picture(self, picture: Picture, timestamp: float) -> FrameResult:
        """The faces of the next frame, which is decoded already; otherwise as process_frame."""
        return self.process_frame(lambda _: picture, timestamp)

    def process_frame(self, source: ImageLoader, timestamp: float, queue_ms: float = 0.0) -> FrameResult:
        """The faces of the next frame.

        timestamp: seconds from any origin. queue_ms: milliseconds that the frame has waited, for the timing.
        Raises RequestError BAD_PARAMETER where the timestamp is not above the last frame's, and what the source raises.
        A frame that raises does not change the session.
        """
        self._check(timestamp)
        start = perf_counter()
        decoded = LazyImage(source)
        frame = self._frame_tracker.process(decoded, timestamp)
        self._timestamp = timestamp
        alive = self._frame_tracker.tracker.alive
        faces = frame.faces
        if self._smoother:
            self._smoother.keep(alive)
            faces = self._smoother.smooth(faces, frame.track_id, timestamp)
        expression = self._neutral.subtract(faces.expression, frame.track_id, alive, timestamp)
        steps = vars(frame.timing) | {"decode": decoded.milliseconds}
        track_ms = (perf_counter() - start) * 1e3 - sum(steps.values())
        picture = decoded.picture
        return FrameResult(
            faces=replace(faces, expression=expression),
            uncalibrated=faces,
            track_id=frame.track_id,
            neutral=self._neutral.states(frame.track_id),
            width=picture.width,
            height=picture.height,
            detected=frame.detected,
            timing=FrameTiming(**steps | {"queue": queue_ms, "track": track_ms}),
        )

    def calibrate(self) -> None:
        """Calibrates: the mean of the second that starts with the next frame becomes each person's neutral face."""
        self._neutral.calibrate()

    def reset_neutral(self) -> None:
        """Ends the calibration: expressions are absolute again from the next frame on."""
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
