"""Made-up results of a session."""

import numpy as np

from service.cli.video.frames import VideoFrame
from service.cli.video.loop import ProcessedFrame
from service.tracking.neutral import NeutralState
from service.tracking.session import FrameResult, FrameTiming
from service.vision.arrays import Pixels
from tests.service.tracking.people import faces_of

WIDTH, HEIGHT = 640, 480


def pixels_of(grey: int = 90) -> Pixels:
    return np.full((HEIGHT, WIDTH, 3), grey, np.uint8)


def processed_frame(
    boxes: dict[int, tuple[float, float, float, float]],
    timestamp: float = 0.0,
    expression: np.ndarray | None = None,
    neutral: NeutralState = NeutralState.OFF,
    number: int = 1,
    gaze: np.ndarray | None = None,
) -> ProcessedFrame:
    """Faces by their tracks; each is as large as its box is wide."""
    corners = np.array(list(boxes.values()), np.float32).reshape(-1, 4)
    faces = faces_of(corners, np.zeros((len(boxes), 50)), expression=expression, gaze=gaze)
    scale = (corners[:, 2] - corners[:, 0]) / 16  # a face is some 16 cm wide
    centre = (corners[:, :2] + corners[:, 2:]) / 2
    faces.scale[:] = scale
    faces.translation[:, 0] = (centre[:, 0] - WIDTH / 2) / scale
    faces.translation[:, 1] = (HEIGHT / 2 - centre[:, 1]) / scale
    result = FrameResult(
        faces=faces,
        uncalibrated=faces,
        track_id=np.array(list(boxes), np.int64),
        neutral=(neutral,) * len(boxes),
        width=WIDTH,
        height=HEIGHT,
        detected=True,
        timing=FrameTiming(),
    )
    return ProcessedFrame(number, VideoFrame(pixels_of(), timestamp), result)
