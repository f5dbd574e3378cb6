"""models/manifest.json: what is published, under which names, in which forms, with which checksums."""

from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.errors import StartError

MANIFEST: Final = "manifest.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class InputSpec(_Part):
    """name, shape and dtype of a network's input; a dimension that may vary is not a number."""

    name: str
    shape: list[int | str | None]
    dtype: str


class LevelSpec(_Part):
    stride: int = Field(gt=0)
    anchors: list[tuple[float, float]] = Field(min_length=1)


class FileSpec(_Part):
    file: str = Field(pattern=r"^[\w.-]+$")
    sha256: str


class NetworkSpec(_Part):
    """forms: the files that hold the network, by precision and format, as in `int8.onnx`."""

    forms: dict[str, FileSpec]
    input: InputSpec
    outputs: dict[str, list[int | str | None]]


class MfnSpec(NetworkSpec):
    """input_sizes: sides in pixels of the square inputs that the ONNX forms are for, the usual one first; where there
    are none, it is the one in the input's shape."""

    pad_value: int
    input_sizes: list[int] = []
    levels: list[LevelSpec] = Field(min_length=1)


class SfnSpec(NetworkSpec):
    crop_factor: float = Field(gt=0)


class NetworkSpecs(_Part):
    mfn: MfnSpec
    sfn: SfnSpec


class Manifest(_Part):
    """What a server needs of the manifest; what else stands there, such as the weights' file, it does not look at.

    gaze_names: of the Single Face Network's output "gaze"; none, as the output, in models before 0.6.
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
    """Raises StartError where the manifest is missing or not what is expected."""
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
