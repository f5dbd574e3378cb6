"""The session of a live stream: its state from one frame to the next.

A frame's faces are detected or followed, assigned to tracks, smoothed, and calibrated to each person's neutral face.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from time import perf_counter
from typing import Final

from service.errors import BAD_PARAMETER, RequestError
from service.inference.pipeline import Pipeline, Timing
from service.tracking.frame_tracker import FrameTracker
from service.tracking.neutral import NeutralCalibration, NeutralState
from service.tracking.options import StreamOptions
from service.tracking.smoothing import Smoother
from service.tracking.tracker import MAX_AGE_SECONDS, Ids
from service.vision.arrays import Array
from service.vision.face_model import FaceModel
from service.vision.faces import Faces
from service.vision.image import ImageLoader, LazyImage, Picture

Seconds = float | Fraction
# A frame whose time differs by more from the last one's shows that the frames' clock has jumped, or that they paused:
# by then every track would have ended. An older frame by less has been overtaken on its way.
JUMP_SECONDS: Final = MAX_AGE_SECONDS


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
    detected in this frame, or followed into it. restarted: whether this is the first frame after a jump of the frames'
    clock, with which tracks, smoothing and neutral faces begin anew.
    """

    faces: Faces
    uncalibrated: Faces
    track_id: Ids
    neutral: tuple[NeutralState, ...]
    width: int
    height: int
    detected: bool
    timing: FrameTiming
    restarted: bool = False

    def landmarks(self, face_model: FaceModel) -> Array:
        """The 68 landmarks (N, 68, 2) of each face in pixels."""
        return self.uncalibrated.landmarks(face_model, self.width, self.height)


class Session:
    """The state of one live stream. Use it from one thread at a time; sessions may share a pipeline."""

    def __init__(
        self,
        pipeline: Pipeline,
        options: StreamOptions,
        clock: Callable[[], float] = perf_counter,
        neutral: Array | None = None,
    ) -> None:
        """clock: in seconds, measures the networks' cost for the choice between detecting and following. neutral: (46,)
        the resting face that everybody has until calibrate is called, None for absolute expressions.

        Raises RequestError BAD_PARAMETER where the network does not accept the input size.
        """
        self._frame_tracker = FrameTracker(pipeline, options, clock)
        self._smoother = Smoother(options.smoothing) if options.smoothing else None
        self._neutral = NeutralCalibration(neutral)
        self._timestamp: Seconds | None = None  # of the last frame
        self._origin: Seconds = 0.0  # of the first frame since the clock has jumped

    def process_picture(self, picture: Picture, timestamp: Seconds) -> FrameResult:
        """The faces of the next frame, which is decoded already; otherwise as process_frame."""
        return self.process_frame(lambda _: picture, timestamp)

    def process_frame(self, source: ImageLoader, timestamp: Seconds, queue_ms: float = 0.0) -> FrameResult:
        """The faces of the next frame.

        timestamp: seconds from any origin; a Fraction is exact however far that is. More than JUMP_SECONDS from the
        last frame's, the session restarts: the people of the frame get new tracks, and a calibration that is taken
        begins anew. queue_ms: milliseconds that the frame has waited, for the timing.
        Raises RequestError BAD_PARAMETER where the timestamp is that of the last frame or less than JUMP_SECONDS
        before, and what the source raises. A frame that raises does not change the session.
        """
        restarted = self._has_jumped(timestamp)
        start = perf_counter()
        decoded = LazyImage(source)
        frame_tracker = self._frame_tracker.restarted() if restarted else self._frame_tracker
        origin = timestamp if restarted or self._timestamp is None else self._origin
        seconds = float(timestamp - origin)
        frame = frame_tracker.process(decoded, seconds)
        self._frame_tracker, self._origin, self._timestamp = frame_tracker, origin, timestamp
        if restarted:
            self._neutral.restart()
        alive = frame_tracker.tracker.alive
        faces = frame.faces
        if self._smoother:
            self._smoother.keep(alive)
            faces = self._smoother.smooth(faces, frame.track_id, seconds)
        expression = self._neutral.subtract(faces.expression, frame.track_id, alive, seconds)
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
            restarted=restarted,
        )

    def calibrate(self) -> None:
        """Calibrates: the mean of the second that starts with the next frame becomes each person's neutral face."""
        self._neutral.calibrate()

    def reset_neutral(self) -> None:
        """Ends the calibration: expressions are absolute again from the next frame on."""
        self._neutral.reset()

    def _has_jumped(self, timestamp: Seconds) -> bool:
        """Whether the frames' clock has jumped. Raises RequestError BAD_PARAMETER as process_frame does."""
        if not math.isfinite(timestamp):
            raise RequestError(BAD_PARAMETER, f"The timestamp is {timestamp}; expected a number of seconds.")
        if self._timestamp is None:
            return False
        elapsed = float(timestamp - self._timestamp)
        if -JUMP_SECONDS < elapsed <= 0:
            before = f"{-elapsed:.6f} s before that" if elapsed else "that"
            raise RequestError(
                BAD_PARAMETER,
                f"The timestamp, {float(timestamp):.6f} s, is {before} of the last frame; it must rise. Send frames in "
                "their order, each with the time at which it was taken.",
            )
        return not 0 < elapsed <= JUMP_SECONDS
