"""The schema of models/manifest.json: what is published, under which names, in which forms, with which checksums."""

from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.errors import StartError

MANIFEST: Final = "manifest.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class InputSpec(_Part):
    """A network's input; a dimension of its shape that may vary is not a number."""

    name: str
    shape: list[int | str | None]
    dtype: str


class LevelSpec(_Part):
    """A level of priors: its grid's stride and its anchors' (width, height), in pixels of the network's input."""

    stride: int = Field(gt=0)
    anchors: list[tuple[float, float]] = Field(min_length=1)


class FileSpec(_Part):
    """A published file: its name in the models' folder and the hexadecimal SHA-256 of its content."""

    file: str = Field(pattern=r"^[\w.-]+$")
    sha256: str


class NetworkSpec(_Part):
    """A network: the files that hold it, by precision and format such as `int8.onnx`, its input and outputs' shapes."""

    forms: dict[str, FileSpec]
    input: InputSpec
    outputs: dict[str, list[int | str | None]]


class MfnSpec(NetworkSpec):
    """The Multiple Face Network.

    pad_value: grey level around pictures in its input. input_sizes: sides in pixels of the square inputs that the ONNX
    forms accept, the default first; where the list is empty, the side in the input's shape. levels: of its priors.
    """

    pad_value: int
    input_sizes: list[int] = []
    levels: list[LevelSpec] = Field(min_length=1)


class SfnSpec(NetworkSpec):
    """The Single Face Network. crop_factor: side of a crop relative to the longer side of the landmarks' box."""

    crop_factor: float = Field(gt=0)


class NetworkSpecs(_Part):
    """The two networks."""

    mfn: MfnSpec
    sfn: SfnSpec


class Manifest(_Part):
    """The parts of the manifest that a server needs; others, such as the weights' file, are ignored.

    gaze_names: of the Single Face Network's output "gaze"; empty in models before 0.6, which do not have that output.
    """

    name: str
    version: str
    face_model: FileSpec
    networks: NetworkSpecs
    expression_names: tuple[str, ...]
    gaze_names: tuple[str, ...] = ()
    unobserved_arkit: tuple[str, ...]
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
        raise StartError(f"The model manifest {path} is not valid: {place}: {first['msg']}.") from error
