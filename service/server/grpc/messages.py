"""Converts between the messages of proto/mfn/v1/retarget.proto and the pipeline's own types."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from mfn.v1 import retarget_pb2 as pb

from service.errors import BAD_PARAMETER, RequestError
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import RetargetResult, Timing
from service.server.streaming.mailbox import DropPolicy
from service.server.streaming.stream import Answer
from service.settings import Settings
from service.tracking.neutral import NeutralState
from service.tracking.options import SmoothingOptions, StreamOptions
from service.vision.arkit import ARKIT_NAMES, blendshapes, unobserved
from service.vision.face_model import LANDMARKS
from service.vision.faces import Faces
from service.vision.gaze import has_gaze
from service.vision.rotation import quaternion_to_euler

NEUTRAL_STATES: Final = {
    NeutralState.OFF: pb.NEUTRAL_STATE_OFF,
    NeutralState.COLLECTING: pb.NEUTRAL_STATE_COLLECTING,
    NeutralState.ON: pb.NEUTRAL_STATE_ON,
}
DROP_POLICIES: Final = {
    pb.DROP_POLICY_UNSPECIFIED: DropPolicy.LATEST,
    pb.DROP_POLICY_LATEST: DropPolicy.LATEST,
    pb.DROP_POLICY_NONE: DropPolicy.NONE,
}


@dataclass(frozen=True)
class Included:
    """Which optional fields the faces of a response have, besides box, pose and expression."""

    identity: bool = True
    landmarks: bool = False
    blendshapes: bool = False

    @classmethod
    def of(cls, options: pb.Options) -> "Included":
        """The fields that a request's options choose."""
        return cls(not options.exclude_identity, options.include_landmarks, options.include_blendshapes)


def retarget_options(message: pb.Options, settings: Settings) -> RetargetOptions:
    """The options of a request; 0 tiles or pixels stand for the default.

    Raises RequestError BAD_PARAMETER where a number is out of range.
    """
    return RetargetOptions(
        min_score=message.min_score if message.HasField("min_score") else settings.default_min_score,
        max_faces=message.max_faces if message.HasField("max_faces") else settings.default_max_faces,
        refine=message.refine,
        tiles=message.tiles or 1,
        input_size=message.input_size or None,
    )


def stream_options(message: pb.StreamConfig, settings: Settings) -> StreamOptions:
    """The options of a stream. Raises RequestError BAD_PARAMETER where a number is out of range or tiles are chosen."""
    return StreamOptions(
        **vars(retarget_options(message.options, settings)),
        follow=message.follow,
        detect_every=message.detect_every or StreamOptions.detect_every,
        smoothing=_smoothing_of(message.smoothing) if message.HasField("smoothing") else None,
    )


def drop_policy_of(value: pb.DropPolicy) -> DropPolicy:
    """The drop policy of a protobuf value. Raises RequestError BAD_PARAMETER for an unknown one."""
    if value not in DROP_POLICIES:
        names = ", ".join(pb.DropPolicy.Name(known) for known in DROP_POLICIES)
        raise RequestError(BAD_PARAMETER, f"There is no drop policy {value}; expected one of {names}.")
    return DROP_POLICIES[value]


def _smoothing_of(message: pb.Smoothing) -> SmoothingOptions:
    default = SmoothingOptions()
    return SmoothingOptions(
        min_cutoff=message.min_cutoff if message.HasField("min_cutoff") else default.min_cutoff,
        beta=message.beta if message.HasField("beta") else default.beta,
    )


def model_of(models: Models) -> pb.Model:
    """The message that describes the models to clients."""
    manifest = models.manifest
    return pb.Model(
        name=manifest.name,
        version=manifest.version,
        expression_names=manifest.expression_names,
        arkit_names=ARKIT_NAMES,
        gaze_names=manifest.gaze_names,
        unobserved_arkit=manifest.unobserved_arkit,
        sha256={name: loaded.sha256 for name, loaded in models.files.items()},
        precision=models.execution.precision,
    )


def timing_of(timing: Timing) -> pb.Timing:
    """The message with the milliseconds of each step."""
    return pb.Timing(**vars(timing))


def faces_of(
    faces: Faces, models: Models, width: int, height: int, included: Included, uncalibrated: Faces | None = None
) -> list[pb.Face]:
    """The messages of the faces in a picture of width x height pixels.

    uncalibrated: the same faces with absolute expressions, for landmarks; the faces themselves by default.
    """
    yaws, pitches, rolls = (angles.tolist() for angles in quaternion_to_euler(faces.quaternion))
    boxes = np.concatenate([faces.box[:, :2], faces.box[:, 2:] - faces.box[:, :2]], axis=-1).tolist()
    quaternions, translations = faces.quaternion.tolist(), faces.translation.tolist()
    scores, scales, expressions = faces.score.tolist(), faces.scale.tolist(), faces.expression.tolist()
    messages = [
        pb.Face(
            score=score,
            # Dictionaries become messages in half the time of messages, which would be copied.
            box={"x": x, "y": y, "width": w, "height": h},
            pose={
                "quaternion": {"x": q[0], "y": q[1], "z": q[2], "w": q[3]},
                "yaw": yaw,
                "pitch": pitch,
                "roll": roll,
                "translation": {"x": t[0], "y": t[1], "z": t[2]},
                "scale": scale,
            },
            expression=expression,
        )
        for score, (x, y, w, h), q, yaw, pitch, roll, t, scale, expression in zip(
            scores, boxes, quaternions, yaws, pitches, rolls, translations, scales, expressions, strict=True
        )
    ]
    for message, gaze, seen in zip(messages, faces.gaze.tolist(), has_gaze(faces.gaze).tolist(), strict=True):
        if seen:
            message.gaze.extend(gaze)
    if included.identity:
        for message, identity in zip(messages, faces.identity.tolist(), strict=True):
            message.identity.extend(identity)
    if included.landmarks:
        points = (
            (uncalibrated or faces)
            .landmarks(models.face_model, width, height)
            .reshape(len(faces), 2 * LANDMARKS)
            .tolist()
        )
        for message, landmarks in zip(messages, points, strict=True):
            message.landmarks.extend(landmarks)
    if included.blendshapes:
        weights = blendshapes(faces.expression, faces.gaze, models.arkit).tolist()
        for message, row_of_weights in zip(messages, weights, strict=True):
            message.blendshapes.extend(row_of_weights)
    return messages


def unobserved_of(faces: Faces, included: Included) -> tuple[str, ...]:
    """The names of a response's unobserved blendshapes, where blendshapes are included."""
    return unobserved(faces.gaze) if included.blendshapes else ()


def retarget_response(result: RetargetResult, models: Models, included: Included) -> pb.RetargetResponse:
    """The response to Retarget."""
    return pb.RetargetResponse(
        width=result.width,
        height=result.height,
        faces=faces_of(result.faces, models, result.width, result.height, included),
        timing=timing_of(result.timing),
        model_version=models.manifest.version,
        unobserved_arkit=unobserved_of(result.faces, included),
    )


def encoded_response(result: RetargetResult, models: Models, included: Included) -> bytes:
    """The response to Retarget, serialized."""
    return retarget_response(result, models, included).SerializeToString()


def frame_answer(answer: Answer, models: Models, included: Included) -> pb.FrameAnswer:
    """The answer to a frame of a stream."""
    frame, result = answer.frame, answer.result
    message = pb.FrameAnswer(sequence=frame.sequence, timestamp_us=frame.timestamp_us, dropped=answer.dropped)
    if isinstance(result, RequestError):
        message.problem.CopyFrom(pb.Problem(name=result.kind.name, detail=result.detail))
        return message
    message.restarted = result.restarted
    message.width, message.height = result.width, result.height
    message.timing.CopyFrom(timing_of(result.timing))
    faces = faces_of(result.faces, models, result.width, result.height, included, result.uncalibrated)
    for face, track_id, neutral in zip(faces, result.track_id.tolist(), result.neutral, strict=True):
        face.track_id = track_id
        face.neutral = NEUTRAL_STATES[neutral]
    message.faces.extend(faces)
    message.unobserved_arkit.extend(unobserved_of(result.faces, included))
    return message


def encoded_answer(answer: Answer, models: Models, included: Included) -> bytes:
    """The response of a stream with the answer to a frame, serialized."""
    return pb.RetargetStreamResponse(answer=frame_answer(answer, models, included)).SerializeToString()
