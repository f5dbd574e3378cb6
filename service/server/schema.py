"""The JSON documents of REST, WebSocket and the command line, and their schema for OpenAPI.

The pydantic models are the schema only. Documents are built directly from the arrays, which is faster; a test compares
the two.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, get_args

import numpy as np
from pydantic import BaseModel, Field

from service.inference.models import Models
from service.inference.pipeline import RetargetResult, Timing
from service.vision.arkit import ARKIT_NAMES, blendshapes, unobserved
from service.vision.arrays import Array
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES
from service.vision.faces import Faces
from service.vision.gaze import GAZE_COEFFICIENTS, GAZE_NAMES, has_gaze
from service.vision.rotation import quaternion_to_euler

# What a request may add to each face, and leave out of it.
Include = Literal["landmarks", "blendshapes"]
Exclude = Literal["identity"]
INCLUDES: Final[tuple[Include, ...]] = get_args(Include)
EXCLUDES: Final[tuple[Exclude, ...]] = get_args(Exclude)

# Decimals in documents: far finer than the networks' accuracy, and half as long as all digits of float32.
PIXEL_DECIMALS: Final = 2
COEFFICIENT_DECIMALS: Final = 5
ANGLE_DECIMALS: Final = 3
QUATERNION_DECIMALS: Final = 6
TIME_DECIMALS: Final = 3

# The columns of a face's numbers, see _face_rows.
SCORE: Final = 0
BOX: Final = slice(1, 5)
QUATERNION: Final = slice(5, 9)
YAW, PITCH, ROLL = 9, 10, 11
TRANSLATION: Final = slice(12, 15)
SCALE: Final = 15
IDENTITY: Final = slice(16, 16 + IDENTITY_MODES)
EXPRESSION: Final = slice(IDENTITY.stop, IDENTITY.stop + EXPRESSIONS)
GAZE: Final = slice(EXPRESSION.stop, EXPRESSION.stop + GAZE_COEFFICIENTS)
POWERS: Final = np.full(GAZE.stop, 10.0**COEFFICIENT_DECIMALS)  # of ten, by which each is rounded
POWERS[BOX] = 10.0**PIXEL_DECIMALS
POWERS[QUATERNION] = 10.0**QUATERNION_DECIMALS
POWERS[[YAW, PITCH, ROLL]] = 10.0**ANGLE_DECIMALS


class ModelName(BaseModel):
    """Name and version of the models."""

    name: str
    version: str


class ImageSize(BaseModel):
    """Size of the picture."""

    width: int = Field(description="pixels, after the picture's EXIF orientation")
    height: int


class TimingMs(BaseModel):
    """Milliseconds that each step took."""

    decode: float
    preprocess: float
    queue: float
    inference: float = Field(description="of the network that finds the faces")
    refine: float | None = Field(default=None, description="of the one that looks at each, where it did")
    postprocess: float


class Box(BaseModel):
    """Top left corner and size in pixels of the picture; may reach past its edges."""

    x: float
    y: float
    width: float
    height: float


class HeadPose(BaseModel):
    """Rotation, translation and scale of a head under weak perspective."""

    quaternion: list[float] = Field(min_length=4, max_length=4, description="[x, y, z, w], unit, head to camera")
    yaw: float = Field(description="degrees; positive turns the face toward the image's right")
    pitch: float = Field(description="degrees; positive looks down")
    roll: float = Field(description="degrees; positive is counter-clockwise as seen")
    translation: list[float] = Field(min_length=3, max_length=3, description="cm, camera frame")
    scale: float = Field(description="pixels per cm")


class FaceAnswer(BaseModel):
    """One face."""

    score: float = Field(ge=0, le=1)
    box: Box
    pose: HeadPose
    identity: list[float] | None = Field(
        default=None, min_length=50, max_length=50, description="standard deviations, unless excluded"
    )
    expression: dict[str, float] = Field(description="46 weights in [0, 1] by name")
    gaze: dict[str, float] | None = Field(
        default=None, description="ARKit's eight eyeLook* in [0, 1], where a second look was taken"
    )
    landmarks: list[tuple[float, float]] | None = Field(default=None, description="68 points, pixels, when included")
    blendshapes: dict[str, float] | None = Field(default=None, description="52 ARKit weights, when included")


class RetargetAnswer(BaseModel):
    """The faces of a picture."""

    model: ModelName
    image: ImageSize
    timing_ms: TimingMs
    faces: list[FaceAnswer] = Field(description="in descending score")
    unobserved_arkit: list[str] | None = Field(
        default=None, description="names of `blendshapes` that were not seen in this answer and are 0, when included"
    )


class ProblemDocument(BaseModel):
    """A problem document, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = Field(description="what was wrong, what was expected and what to do")


class ErrorDocument(ProblemDocument):
    """A problem document with the member in which clients of KServe's protocols look for the sentence."""

    error: str = Field(description="the same as detail")


class NetworkAnswer(BaseModel):
    """One of the two networks."""

    file: str
    sha256: str
    input: list[int | str | None] = Field(description="shape, uint8 RGB")


class ModelAnswer(ModelName):
    """The models that answer."""

    precision: str = Field(description="what the networks calculate in: int8 or float32")
    networks: dict[str, NetworkAnswer]
    input_sizes: list[int] = Field(description="pixels, what the parameter input_size may choose")
    expression_names: list[str] = Field(description="the 46 of `expression`, in the order of training")
    arkit_names: list[str] = Field(description="the 52 of `blendshapes`")
    gaze_names: list[str] = Field(description="the eight of `gaze`; none where the model does not see it")
    unobserved_arkit: list[str] = Field(description="of arkit_names, those no picture shows this model: always 0")
    accuracy: dict[str, Any] = Field(description="measured figures, as in the model card")


class Status(BaseModel):
    """Answer to a probe."""

    status: Literal["alive", "ready"]


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model without references, which would lead nowhere in the midst of OpenAPI's document."""
    document = model.model_json_schema()
    definitions = document.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(entry) for entry in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolved(definitions[part["$ref"].rpartition("/")[2]])
        return {name: resolved(entry) for name, entry in part.items()}

    inline: dict[str, Any] = resolved(document)
    return inline


def retarget_document(
    result: RetargetResult, models: Models, include: Collection[str] = (), exclude: Collection[str] = ()
) -> dict[str, Any]:
    """The answer to POST /retarget as JSON types. include: of INCLUDES. exclude: of EXCLUDES."""
    return {
        "model": {"name": models.manifest.name, "version": models.manifest.version},
        "image": {"width": result.width, "height": result.height},
        "timing_ms": timing_document(result.timing),
        "faces": face_documents(result.faces, models, result.width, result.height, include, exclude),
        **unobserved_document(result.faces, include),
    }


def unobserved_document(faces: Faces, include: Collection[str]) -> dict[str, Any]:
    """The member of a response that names its unobserved blendshapes, where blendshapes are included."""
    return {"unobserved_arkit": list(unobserved(faces.gaze))} if "blendshapes" in include else {}


def face_documents(
    faces: Faces,
    models: Models,
    width: int,
    height: int,
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    uncalibrated: Faces | None = None,
) -> list[dict[str, Any]]:
    """The faces in a picture of width x height pixels as JSON types.

    include: of INCLUDES. exclude: of EXCLUDES. uncalibrated: the same faces with absolute expressions, for landmarks;
    the faces themselves by default.
    """
    documents = coefficient_documents(faces, models.face_model.expression_names, exclude)
    if "landmarks" in include:
        points = (uncalibrated or faces).landmarks(models.face_model, width, height)
        for document, (x, y) in zip(documents, _rounded(points.swapaxes(1, 2), PIXEL_DECIMALS), strict=True):
            document["landmarks"] = list(zip(x, y, strict=True))
    if "blendshapes" in include:
        include_blendshapes(documents, blendshapes(faces.expression, faces.gaze, models.arkit))
    return documents


def coefficient_documents(
    faces: Faces, expression_names: Sequence[str], exclude: Collection[str] = ()
) -> list[dict[str, Any]]:
    """What every face has, as JSON types. expression_names: 46. exclude: of EXCLUDES."""
    documents: list[dict[str, Any]] = []
    for row, gaze_seen in zip(_face_rows(faces), has_gaze(faces.gaze).tolist(), strict=True):
        document = {
            "score": row[SCORE],
            "box": dict(zip(("x", "y", "width", "height"), row[BOX], strict=True)),
            "pose": {
                "quaternion": row[QUATERNION],
                "yaw": row[YAW],
                "pitch": row[PITCH],
                "roll": row[ROLL],
                "translation": row[TRANSLATION],
                "scale": row[SCALE],
            },
        }
        if "identity" not in exclude:
            document["identity"] = row[IDENTITY]
        document["expression"] = dict(zip(expression_names, row[EXPRESSION], strict=True))
        if gaze_seen:
            document["gaze"] = dict(zip(GAZE_NAMES, row[GAZE], strict=True))
        documents.append(document)
    return documents


def _face_rows(faces: Faces) -> list[list[float]]:
    """The rounded numbers of each face, in one row. All are rounded in one array: each call of NumPy takes its time."""
    yaw, pitch, roll = quaternion_to_euler(faces.quaternion)
    columns = (
        faces.score[:, None], faces.box[:, :2], faces.box[:, 2:] - faces.box[:, :2], faces.quaternion,
        yaw[:, None], pitch[:, None], roll[:, None], faces.translation, faces.scale[:, None],
        faces.identity, faces.expression, faces.gaze,
    )  # fmt: skip
    exact = np.concatenate(columns, axis=1, dtype=np.float64)
    rows: list[list[float]] = (np.rint(exact * POWERS) / POWERS).tolist()  # as np.round does it
    return rows


def include_blendshapes(documents: Iterable[dict[str, Any]], weights: Array) -> None:
    """Adds ARKit's weights (N, 52), in the order of ARKIT_NAMES, to the documents of N faces."""
    for document, row in zip(documents, _rounded(weights, COEFFICIENT_DECIMALS), strict=True):
        document["blendshapes"] = dict(zip(ARKIT_NAMES, row, strict=True))


def timing_document(timing: Timing) -> dict[str, float]:
    """Milliseconds of each step; `refine` only where faces were refined."""
    return {name: round(ms, TIME_DECIMALS) for name, ms in vars(timing).items() if name != "refine" or ms}


def server_timing(timing: Mapping[str, float]) -> str:
    """A timing_document as a Server-Timing header."""
    return ", ".join([f"{name};dur={ms:.{TIME_DECIMALS}f}" for name, ms in timing.items()])


def model_document(models: Models) -> dict[str, Any]:
    """The answer to GET /model."""
    manifest = models.manifest
    inputs = {"mfn": manifest.networks.mfn.input, "sfn": manifest.networks.sfn.input}
    return {
        "name": manifest.name,
        "version": manifest.version,
        "precision": models.execution.precision,
        "networks": {
            name: {"file": loaded.file, "sha256": loaded.sha256, "input": inputs[name].shape}
            for name, loaded in models.files.items()
        },
        "input_sizes": list(models.priors),
        "expression_names": list(manifest.expression_names),
        "arkit_names": list(ARKIT_NAMES),
        "gaze_names": list(manifest.gaze_names),
        "unobserved_arkit": list(manifest.unobserved_arkit),
        "accuracy": manifest.accuracy,
    }


def _rounded(values: Array, decimals: int) -> Any:
    """Rounds an array to nested lists of numbers; as float64, so that JSON has no trailing float32 digits."""
    return np.round(values.astype(np.float64), decimals).tolist()
