"""The schema of models/manifest.json: what is published, under which names, in which forms, with which checksums."""

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.errors import StartError
from service.vision.face_model import IDENTITY_MODES

MANIFEST: Final = "manifest.json"
MAX_SIDE: Final = 2048  # pixels of a network's input: 50 times the work and memory of the published 288
MAX_WEIGHT: Final = 1e6  # of a face's evidence that it is upside down: over 10,000 times the published ones
MAX_PARTS: Final = 16  # of a list of input sizes, levels or anchors; published are 3

Length = Annotated[float, Field(ge=1, le=2 * MAX_SIDE, allow_inf_nan=False)]  # pixels of a network's input
Weight = Annotated[float, Field(ge=-MAX_WEIGHT, le=MAX_WEIGHT, allow_inf_nan=False)]
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=256)]  # it may be a part of a message
Name = Annotated[str, Field(pattern=r"^[\w.+-]+$", max_length=64)]  # also a part of paths


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class InputSpec(_Part):
    """A network's input; a dimension of its shape that may vary is not a number."""

    name: Line
    shape: list[int | Line | None]
    dtype: Line


class LevelSpec(_Part):
    """A level of priors: its grid's stride and its anchors' (width, height), in pixels of the network's input."""

    stride: int = Field(gt=0, le=MAX_SIDE)
    anchors: list[tuple[Length, Length]] = Field(min_length=1, max_length=MAX_PARTS)


class FileSpec(_Part):
    """A published file: its name in the models' folder and the hexadecimal SHA-256 of its content."""

    file: str = Field(pattern=r"^[\w.-]+$")
    sha256: str = Field(pattern=r"^[0-9A-Fa-f]{64}$")


class NetworkSpec(_Part):
    """A network: the files that hold it, by precision and format such as `int8.onnx`, its input and outputs' shapes."""

    forms: dict[Line, FileSpec]
    input: InputSpec
    outputs: dict[Line, list[int | Line | None]]


class MfnSpec(NetworkSpec):
    """The Multiple Face Network.

    pad_value: grey level around pictures in its input. input_sizes: sides in pixels of the square inputs that the ONNX
    forms accept, the default first; where the list is empty, the side in the input's shape. levels: of its priors.
    """

    pad_value: int
    input_sizes: list[int] = Field(default=[], max_length=MAX_PARTS)
    levels: list[LevelSpec] = Field(min_length=1, max_length=MAX_PARTS)


class SfnSpec(NetworkSpec):
    """The Single Face Network. crop_factor: side of a crop relative to the longer side of the landmarks' box.

    A crop below half of that box shows no face, and of one ten times as large the face is a few pixels.
    """

    crop_factor: float = Field(ge=0.5, le=10, allow_inf_nan=False)


class UpsideDownSpec(_Part):
    """Weights of the evidence that the Multiple Face Network's faces are upside down: service.vision.upside_down."""

    identity: list[Weight] = Field(min_length=IDENTITY_MODES, max_length=IDENTITY_MODES)
    score: Weight
    constant: Weight


class NetworkSpecs(_Part):
    """The two networks."""

    mfn: MfnSpec
    sfn: SfnSpec


class Manifest(_Part):
    """The parts of the manifest that a server needs; others, such as the weights' file, are ignored.

    gaze_names: of the Single Face Network's output "gaze"; empty in models before 0.6, which do not have that output.
    upside_down: None where nobody fitted it to the networks: more pictures are inferred twice then.
    """

    name: Name
    version: Name
    face_model: FileSpec
    networks: NetworkSpecs
    expression_names: tuple[Line, ...]
    gaze_names: tuple[Line, ...] = ()
    unobserved_arkit: tuple[Line, ...]
    upside_down: UpsideDownSpec | None = None
    accuracy: dict[str, Any] = {}


def read_manifest(path: Path) -> Manifest:
    """Reads and validates the manifest. Raises StartError where it is missing or invalid."""
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StartError(
            f"The model manifest {path} cannot be read ({error.strerror}). "
            "Set MFN_MODELS_DIR to the folder that holds it."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise StartError(
            f"The model manifest {path} is not valid: {place}: {first['msg']}. "
            "Restore the one that was published with the networks, or set MFN_MODELS_DIR."
        ) from error
