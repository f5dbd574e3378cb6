"""The published models: manifest.json, the files it names, and the checks without which nothing is served."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnxruntime
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.arkit import arkit_matrix
from service.candidates import Level, Priors, build_priors
from service.errors import StartError
from service.face_model import EXPRESSIONS, IDENTITY_MODES, FaceModel
from service.letterbox import PAD_GREY, Pixels
from service.refine import CROP_SIDE
from service.rotation import Array

MANIFEST: Final = "manifest.json"
COEFFICIENTS: Final = (("pose", 7), ("identity", IDENTITY_MODES), ("expression", EXPRESSIONS))

Shape = tuple[int | None, ...]  # None fits any number
Shapes = dict[str, Shape]


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


class NetworkSpec(FileSpec):
    input: InputSpec
    outputs: dict[str, list[int | str | None]]


class MfnSpec(NetworkSpec):
    pad_value: int
    levels: list[LevelSpec] = Field(min_length=1)


class SfnSpec(NetworkSpec):
    crop_factor: float = Field(gt=0)


class NetworkSpecs(_Part):
    mfn: MfnSpec
    sfn: SfnSpec


class Manifest(_Part):
    """models/manifest.json: what is published, under which name and version, and how well it does."""

    name: str
    version: str
    face_model: FileSpec
    networks: NetworkSpecs
    expression_names: tuple[str, ...]
    unobserved_arkit: tuple[str, ...]
    accuracy: dict[str, Any] = {}


@dataclass(frozen=True)
class Network:
    """A loaded network. Several threads may run it at once."""

    session: onnxruntime.InferenceSession
    input: str
    outputs: tuple[str, ...]

    def run(self, images: Pixels) -> dict[str, Array]:
        """Raw outputs by name, float32, of images (B, side, side, 3) uint8."""
        return dict(zip(self.outputs, self.session.run(self.outputs, {self.input: images}), strict=True))


@dataclass(frozen=True)
class Models:
    """Everything that models/ holds, checked. arkit: (46, 52), see service.arkit. side: of the MFN's square input."""

    manifest: Manifest
    face_model: FaceModel
    mfn: Network
    sfn: Network
    side: int
    priors: Priors
    arkit: Array

    @property
    def crop_factor(self) -> float:
        return self.manifest.networks.sfn.crop_factor

    @classmethod
    def load(cls, folder: Path, intra_op_threads: int = 1) -> "Models":
        """Reads and checks the models in a folder. Raises StartError, which names the file that is wrong and why."""
        manifest = read_manifest(folder / MANIFEST)
        _checked_bytes(folder, manifest.face_model)
        try:
            face_model = FaceModel.load(folder / manifest.face_model.file)
            arkit = arkit_matrix(face_model.expression_names)
        except (OSError, KeyError, ValueError) as error:
            raise StartError(f"{folder / manifest.face_model.file} is not a face model: {error}.") from error
        if manifest.expression_names != face_model.expression_names:
            raise StartError(f"{folder / MANIFEST} and {manifest.face_model.file} name different expressions.")
        mfn, sfn = manifest.networks.mfn, manifest.networks.sfn
        side = mfn.input.shape[1] if len(mfn.input.shape) == 4 else None
        if not isinstance(side, int):
            raise StartError(f"{folder / MANIFEST}: the input of mfn needs a shape [1, side, side, 3].")
        levels = [Level(level.stride, tuple(level.anchors)) for level in mfn.levels]
        priors = build_priors(levels, side)
        count = len(priors.centre)
        mfn_outputs: Shapes = {name: (1, count, size) for name, size in (("detection", 5), *COEFFICIENTS)}
        sfn_outputs: Shapes = {name: (None, size) for name, size in COEFFICIENTS}
        _expect(folder, "mfn", mfn, (1, side, side, 3), mfn_outputs)
        _expect(folder, "sfn", sfn, (None, CROP_SIDE, CROP_SIDE, 3), sfn_outputs)
        if mfn.pad_value != PAD_GREY:
            raise StartError(f"{folder / MANIFEST}: pad_value is {mfn.pad_value}; this server pads with {PAD_GREY}.")
        return cls(
            manifest=manifest,
            face_model=face_model,
            mfn=_load_network(folder, mfn, intra_op_threads),
            sfn=_load_network(folder, sfn, intra_op_threads),
            side=side,
            priors=priors,
            arkit=arkit,
        )


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


def _checked_bytes(folder: Path, spec: FileSpec) -> bytes:
    path = folder / spec.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StartError(
            f"The model file {path} cannot be read ({error.strerror}). Restore it, or set MFN_MODELS_DIR."
        ) from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != spec.sha256.lower():
        raise StartError(
            f"The model file {path} is not the published one: its sha256 is {actual}, {MANIFEST} says {spec.sha256}. "
            "Restore the file, or publish it with its own manifest."
        )
    return data


def _expect(folder: Path, name: str, spec: NetworkSpec, input_shape: Shape, outputs: Shapes) -> None:
    """Raises StartError unless the manifest promises the shapes that the pipeline needs."""
    if spec.input.dtype != "uint8" or not _fits(spec.input.shape, input_shape):
        raise StartError(
            f"{folder / MANIFEST}: the input of {name} is {spec.input.dtype} {spec.input.shape}; "
            f"expected uint8 {input_shape}."
        )
    for output, shape in outputs.items():
        if not _fits(spec.outputs.get(output, []), shape):
            raise StartError(
                f"{folder / MANIFEST}: the output {output} of {name} is {spec.outputs.get(output)}; expected {shape}."
            )


def _load_network(folder: Path, spec: NetworkSpec, intra_op_threads: int) -> Network:
    data = _checked_bytes(folder, spec)
    path = folder / spec.file
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has exceptions of its own, without a common base
        raise StartError(f"The model file {path} is not a network that can be run: {error}") from error
    found = {node.name: node.shape for node in (*session.get_inputs(), *session.get_outputs())}
    for name, shape in {spec.input.name: spec.input.shape, **spec.outputs}.items():
        if name not in found or not _fits(found[name], shape):
            raise StartError(
                f"The model file {path} has {name} of shape {found.get(name)}; {MANIFEST} says {shape}. "
                "Restore the two files that belong together."
            )
    if session.get_inputs()[0].type != "tensor(uint8)":
        raise StartError(f"The model file {path} takes {session.get_inputs()[0].type}; expected tensor(uint8).")
    return Network(session, spec.input.name, tuple(spec.outputs))


def _fits(shape: Sequence[Any], expected: Sequence[Any]) -> bool:
    """Whether two shapes agree in every dimension that both give as a number."""
    return len(shape) == len(expected) and all(
        a == b for a, b in zip(shape, expected, strict=True) if isinstance(a, int) and isinstance(b, int)
    )
