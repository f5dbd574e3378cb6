"""The server's answers, as dataclasses of NumPy arrays.

Coordinate frames, units and signs are the contract's: the camera frame is right-handed, x to the image's right, y up, z
toward the viewer; pixels are those of the upright picture; left and right in names are the subject's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from mfn.v1 import retarget_pb2 as pb
from numpy.typing import NDArray

Array = NDArray[np.float32]


class NeutralState(Enum):
    """The state of a face's neutral calibration.

    OFF: expressions are absolute. COLLECTING: they are absolute, and the neutral face is being collected. ON: they are
    relative to the neutral face.
    """

    OFF = pb.NEUTRAL_STATE_OFF
    COLLECTING = pb.NEUTRAL_STATE_COLLECTING
    ON = pb.NEUTRAL_STATE_ON


NEUTRAL_STATES: Final[dict[int, NeutralState]] = {state.value: state for state in NeutralState}


@dataclass(frozen=True, eq=False)
class Face:
    """One face.

    score: 0 to 1. box: (4,) x, y, width, height in pixels, which may reach past the picture's edges. quaternion: (4,)
    [x, y, z, w], unit, w >= 0, head to camera. yaw, pitch, roll: the same rotation in degrees, positive toward the
    image's right, downward, counter-clockwise as seen. translation: (3,) cm. scale: pixels per cm. expression: (46,)
    weights in [0, 1]. identity: (50,) standard deviations. landmarks: (68, 2) pixels. blendshapes: (52,) weights in
    [0, 1]; None for the last three where you did not ask for them. track_id: stays with the person in a stream; None
    for a picture. gaze: (8,) weights in [0, 1], the direction of the eyes; None where the face was not refined.
    """

    score: float
    box: Array
    quaternion: Array
    yaw: float
    pitch: float
    roll: float
    translation: Array
    scale: float
    expression: Array
    identity: Array | None
    landmarks: Array | None
    blendshapes: Array | None
    track_id: int | None
    neutral: NeutralState
    gaze: Array | None = None


@dataclass(frozen=True)
class Timing:
    """Milliseconds that each step took.

    decode: of the picture. preprocess: making the networks' inputs. queue: waiting for a worker. inference: runs of the
    network that detects faces. refine: runs of the one that refines them. postprocess: networks' outputs to faces.
    track: tracking, smoothing and calibration.
    """

    decode: float
    preprocess: float
    queue: float
    inference: float
    refine: float
    postprocess: float
    track: float


@dataclass(frozen=True, eq=False)
class Answer:
    """The faces in one picture of width x height pixels, in descending score.

    unobserved_arkit: names of the blendshapes that were not observed and are 0, where you asked for blendshapes.
    """

    width: int
    height: int
    faces: tuple[Face, ...]
    timing: Timing
    model_version: str
    unobserved_arkit: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """Why a frame could not be processed. name: as in MfnError.problem. detail: text for people."""

    name: str
    detail: str


@dataclass(frozen=True, eq=False)
class FrameAnswer:
    """The faces in a frame of width x height pixels, in descending score.

    sequence, timestamp_us: the frame's own. dropped: number of dropped frames since the stream began. problem: why the
    frame could not be processed, None where it was; with a problem there are neither size nor faces. unobserved_arkit:
    as in Answer. restarted: whether this is the first frame after its clock jumped by more than a second, forward or
    back: tracks, smoothing and neutral faces began anew.
    """

    sequence: int
    timestamp_us: int
    width: int
    height: int
    faces: tuple[Face, ...]
    dropped: int
    timing: Timing
    problem: Problem | None
    unobserved_arkit: tuple[str, ...] = ()
    restarted: bool = False

    @property
    def timestamp(self) -> float:
        """The frame's timestamp in seconds."""
        return self.timestamp_us / 1e6


@dataclass(frozen=True)
class Model:
    """The networks that answer, and the names of the coefficients.

    expression_names: of Face.expression. arkit_names: of Face.blendshapes. unobserved_arkit: those of arkit_names that
    this model never observes, always 0. sha256: of each network's file, by the network's name. precision: int8 or
    float32; empty where the server is too old to tell. gaze_names: of Face.gaze; empty where the model does not
    estimate it.
    """

    name: str
    version: str
    expression_names: tuple[str, ...]
    arkit_names: tuple[str, ...]
    unobserved_arkit: tuple[str, ...]
    sha256: dict[str, str]
    precision: str = ""
    gaze_names: tuple[str, ...] = ()

    def expression_of(self, face: Face) -> dict[str, float]:
        """The 46 weights of a face by name."""
        return dict(zip(self.expression_names, face.expression.tolist(), strict=True))

    def blendshapes_of(self, face: Face) -> dict[str, float]:
        """ARKit's 52 weights of a face by name. Raises ValueError where you did not ask for them."""
        if face.blendshapes is None:
            raise ValueError("the face has no blendshapes; ask for them with blendshapes=True")
        return dict(zip(self.arkit_names, face.blendshapes.tolist(), strict=True))

    def gaze_of(self, face: Face) -> dict[str, float]:
        """The eight gaze weights of a face by ARKit's names. Raises ValueError where the face was not refined."""
        if face.gaze is None:
            raise ValueError("the face has no gaze; ask for a second look with refine=True")
        return dict(zip(self.gaze_names, face.gaze.tolist(), strict=True))


def model_of(message: pb.Model) -> Model:
    """Converts the message of a model."""
    return Model(
        name=message.name,
        version=message.version,
        expression_names=tuple(message.expression_names),
        arkit_names=tuple(message.arkit_names),
        unobserved_arkit=tuple(message.unobserved_arkit),
        sha256=dict(message.sha256),
        precision=message.precision,
        gaze_names=tuple(message.gaze_names),
    )


def answer_of(message: pb.RetargetResponse) -> Answer:
    """Converts the response to a picture."""
    return Answer(
        width=message.width,
        height=message.height,
        faces=tuple(map(_face_of, message.faces)),
        timing=_timing_of(message.timing),
        model_version=message.model_version,
        unobserved_arkit=tuple(message.unobserved_arkit),
    )


def frame_answer_of(message: pb.FrameAnswer) -> FrameAnswer:
    """Converts the answer to a frame."""
    return FrameAnswer(
        sequence=message.sequence,
        timestamp_us=message.timestamp_us,
        width=message.width,
        height=message.height,
        faces=tuple(map(_face_of, message.faces)),
        dropped=message.dropped,
        timing=_timing_of(message.timing),
        problem=Problem(message.problem.name, message.problem.detail) if message.HasField("problem") else None,
        unobserved_arkit=tuple(message.unobserved_arkit),
        restarted=message.restarted,
    )


def _face_of(message: pb.Face) -> Face:
    box, pose = message.box, message.pose
    q, t = pose.quaternion, pose.translation
    landmarks = _included(message.landmarks)
    return Face(
        score=message.score,
        box=np.array([box.x, box.y, box.width, box.height], np.float32),
        quaternion=np.array([q.x, q.y, q.z, q.w], np.float32),
        yaw=pose.yaw,
        pitch=pose.pitch,
        roll=pose.roll,
        translation=np.array([t.x, t.y, t.z], np.float32),
        scale=pose.scale,
        expression=np.array(message.expression, np.float32),
        identity=_included(message.identity),
        landmarks=None if landmarks is None else landmarks.reshape(-1, 2),
        blendshapes=_included(message.blendshapes),
        track_id=message.track_id or None,
        neutral=NEUTRAL_STATES.get(message.neutral, NeutralState.OFF),
        gaze=_included(message.gaze),
    )


def _included(numbers: Sequence[float]) -> Array | None:
    return np.array(numbers, np.float32) if len(numbers) else None


def _timing_of(message: pb.Timing) -> Timing:
    return Timing(
        decode=message.decode,
        preprocess=message.preprocess,
        queue=message.queue,
        inference=message.inference,
        refine=message.refine,
        postprocess=message.postprocess,
        track=message.track,
    )
