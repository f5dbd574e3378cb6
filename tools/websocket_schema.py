"""The messages of a stream over WebSocket as a JSON Schema, made from the models that read them, and those of REST."""

import json
from typing import Any, Final

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from service.server import schema
from service.server.websocket.endpoint import (
    MAX_TEXT,
    STAMP,
    CalibrationMessage,
    Configuration,
    RotationMessage,
    SmoothingMessage,
)
from service.settings import FACES_RANGE, SCORE_RANGE
from service.tracking.neutral import NeutralState
from service.tracking.options import MAX_BETA, MAX_DETECT_EVERY, MAX_HERTZ

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def span(low: float, high: float) -> dict[str, Any]:
    """The keywords of a range, both ends included."""
    return {"minimum": low, "maximum": high}


# Of each option: what it means, and the range that is held when a stream begins.
OPTIONS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "drop_policy": (
        "latest: a new frame replaces the one that waits; none: every frame is answered, and you are slowed down", {}
    ),
    "min_score": ("least score of a face; the server's default where it is null", span(*SCORE_RANGE)),
    "max_faces": ("most faces; the server's default where it is null", span(*FACES_RANGE)),
    "refine": ("a second look at each face of each frame", {}),
    "input_size": ("pixels along the longer side, one of those that GET /model tells; null: the smallest", {}),
    "follow": ("search for faces now and then, and follow them in between", {}),
    "detect_every": ("frames from one search to the next when following", span(1, MAX_DETECT_EVERY)),
    "smoothing": ("a One-Euro filter on box, pose and coefficients; {} takes its defaults, null leaves it out", {}),
    "neutral": (
        "everybody's resting face until a calibration, as a file of `mfn capture` has it: a weight for each of "
        "`expression_names`; null: expressions are as seen",
        span(0, 1),
    ),
    "include": ("what to add to each face: landmarks, blendshapes", {}),
    "exclude": ("what to leave out of each face: identity", {}),
    "stamped": ("frames begin with 16 bytes of stamp", {}),
    "rotation": ("degrees by which frames have to be turned clockwise to be upright: 0, 90, 180 or 270", {}),
    "key": ("an API key, where the server asks for one", {}),
}  # fmt: skip
SMOOTHING: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "min_cutoff": ("Hz: what a still face is filtered with", span(0.01, MAX_HERTZ)),
    "beta": ("Hz that the cut-off rises by at one unit a second", span(0, MAX_BETA)),
}


class ModelMessage(BaseModel):
    """The server's first message: which model answers, and the names behind the numbers."""

    model: schema.ModelAnswer


class StreamTiming(schema.TimingMs):
    """Milliseconds."""

    track: float = Field(description="tracking, smoothing and calibration")


class StreamFace(schema.FaceAnswer):
    """A face as of POST /retarget, and whose it is."""

    track_id: int = Field(ge=1, description="stays with the person and is never used again in this stream")
    neutral: NeutralState = Field(description="how far its calibration has come")


class Answered(BaseModel):
    """What belongs to every frame that is not dropped."""

    sequence: int = Field(ge=0, description="the frame's number, from 1 where frames have no stamp")
    timestamp_us: int = Field(description="the frame's time, microseconds")
    dropped: int = Field(ge=0, description="frames dropped since the stream began")


class FrameAnswer(Answered):
    """What a frame shows."""

    restarted: bool = Field(
        description="whether the frames' clock jumped, by more than a second, forward or back: tracks, smoothing and "
        "neutral faces begin anew with this frame"
    )
    image: schema.ImageSize
    timing_ms: StreamTiming
    faces: list[StreamFace] = Field(description="in descending score")
    unobserved_arkit: list[str] | None = Field(
        default=None, description="names of `blendshapes` that were not seen and are 0, when included"
    )


class FrameProblem(Answered):
    """Why a frame could not be looked at. The stream goes on."""

    problem: schema.ProblemDocument


class End(BaseModel):
    """Why the server ends the stream; its last message."""

    problem: schema.ProblemDocument


FROM_CLIENT: Final = (Configuration, CalibrationMessage, RotationMessage)
FROM_SERVER: Final = (ModelMessage, FrameAnswer, FrameProblem, End)


def document() -> dict[str, Any]:
    """The schema of any text message; `$defs` has one for each kind, and FromClient and FromServer for each side."""
    # "validation" for both sides: members that may be left out are left out of answers, not null
    models = (*FROM_CLIENT, *FROM_SERVER)
    kinds, generated = models_json_schema([(model, "validation") for model in models])
    definitions = generated["$defs"]
    for model, options in (("Configuration", OPTIONS), ("SmoothingMessage", SMOOTHING)):
        properties = definitions[model]["properties"]
        for name, (meaning, limits) in options.items():
            _limit(properties[name], limits)
            properties[name]["description"] = meaning
    definitions["FromClient"] = {"anyOf": [kinds[model, "validation"] for model in FROM_CLIENT]}
    definitions["FromServer"] = {"anyOf": [kinds[model, "validation"] for model in FROM_SERVER]}
    return {
        "$schema": DIALECT,
        "title": "MFN's stream over WebSocket",
        "description": f"Text messages of /retarget/stream, at most {MAX_TEXT} characters from you. Binary messages "
        f"are frames: a JPEG, PNG, WebP or AVIF file; where the configuration says stamped, after {STAMP.size} bytes: "
        "sequence, uint64, and timestamp in microseconds, int64, both little-endian. Where it does not say so, a frame "
        'may also be a text message that is no JSON: a data URL, "data:image/jpeg;base64," and so on, of any length.',
        "anyOf": [{"$ref": "#/$defs/FromClient"}, {"$ref": "#/$defs/FromServer"}],
        "$defs": definitions,
    }


def _limit(property_: dict[str, Any], limits: dict[str, Any]) -> None:
    """Adds a range to a number, to the numbers of an object, or to those among what it may be."""
    for kind in property_.get("anyOf", [property_]):
        number = kind["additionalProperties"] if kind.get("type") == "object" else kind
        if number.get("type") in ("number", "integer"):
            number.update(limits)


def options_table() -> str:
    """The options of a configuration, a line each; those of its smoothing after them."""
    lines = ["| option | default | from, to | meaning |", "|---|---|---|---|"]
    for model, options, prefix in ((Configuration, OPTIONS, ""), (SmoothingMessage, SMOOTHING, "smoothing.")):
        defaults = model().model_dump(mode="json")
        for name, (meaning, limits) in options.items():
            ends = f"{limits['minimum']:g}, {limits['maximum']:g}" if limits else ""
            lines.append(f"| `{prefix}{name}` | `{json.dumps(defaults[name])}` | {ends} | {meaning} |")
    return "\n".join(lines) + "\n"
