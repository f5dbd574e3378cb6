"""Loads and checks the published models; a server starts only if all checks pass."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime

from service.errors import BAD_PARAMETER, RequestError, StartError
from service.inference.execution import Execution
from service.inference.manifest import (
    MANIFEST,
    MAX_SIDE,
    FileSpec,
    Manifest,
    NetworkSpec,
    UpsideDownSpec,
    read_manifest,
)
from service.vision.arkit import NEVER_OBSERVED, WITHOUT_GAZE, arkit_matrix
from service.vision.arrays import Array, Pixels
from service.vision.crops import CROP_SIDE
from service.vision.decoding import Level, Priors, build_priors
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES, FaceModel
from service.vision.gaze import GAZE_COEFFICIENTS, GAZE_NAMES
from service.vision.letterbox import PAD_GREY
from service.vision.upside_down import UpsideDown

# Names and widths of the outputs that both networks have.
COEFFICIENTS: Final = (("pose", 7), ("identity", IDENTITY_MODES), ("expression", EXPRESSIONS))

MAX_PRIORS: Final = 2**17  # 15 times as many as the published network has at 576 pixels
CROPS: Final = 2  # number of crops that the Single Face Network is tried with: a request may have more than one face

Shape = tuple[int | None, ...]  # None matches any number
Shapes = dict[str, Shape]


@dataclass(frozen=True)
class Network:
    """A loaded network. Several threads may run it at once."""

    session: onnxruntime.InferenceSession
    input: str
    outputs: tuple[str, ...]

    def run(self, images: Pixels) -> dict[str, Array]:
        """Runs the network on images (B, side, side, 3) uint8. Returns its raw outputs by name, float32."""
        return dict(zip(self.outputs, self.session.run(self.outputs, {self.input: images}), strict=True))


@dataclass(frozen=True)
class Models:
    """The models that are served, checked.

    side: default side in pixels of MFN's square input. priors: by the sides that a request may choose, the default
    first. arkit: matrix (46, 52), see service.vision.arkit. upside_down: None where the manifest has none.
    """

    manifest: Manifest
    execution: Execution
    face_model: FaceModel
    mfn: Network
    sfn: Network
    side: int
    priors: Mapping[int, Priors]
    arkit: Array
    upside_down: UpsideDown | None

    def input_size(self, chosen: int | None) -> int:
        """The side in pixels of MFN's square input that a request has chosen, or the default for None.

        Raises RequestError BAD_PARAMETER where the network does not accept it.
        """
        size = self.side if chosen is None else chosen
        if size not in self.priors:
            offered = " or ".join(", ".join(map(str, self.priors)).rsplit(", ", 1))
            raise RequestError(BAD_PARAMETER, f"The parameter input_size is {size}; expected {offered}.")
        return size

    @property
    def crop_factor(self) -> float:
        """Side of a crop relative to the longer side of the landmarks' box, see service.vision.crops.crop_around."""
        return self.manifest.networks.sfn.crop_factor

    @property
    def files(self) -> dict[str, FileSpec]:
        """The files that are loaded, by the networks' names."""
        networks, form = self.manifest.networks, self.execution.form
        return {"mfn": networks.mfn.forms[form], "sfn": networks.sfn.forms[form]}

    @classmethod
    def load(cls, folder: Path, execution: Execution | None = None) -> "Models":
        """Reads and checks the models in a folder; of each network only the form that will be run.

        Raises StartError, which names the file that is wrong and why, or the execution provider that is missing.
        """
        execution = execution or Execution()
        execution.prepare()
        manifest = read_manifest(folder / MANIFEST)
        _checked_bytes(folder, manifest.face_model)
        try:
            face_model = FaceModel.load(folder / manifest.face_model.file)
            arkit = arkit_matrix(face_model.expression_names)
        except (OSError, ValueError) as error:
            raise StartError(
                f"The model file {folder / manifest.face_model.file} is not a face model: {error}. "
                "Restore the one that was published with the manifest, or set MFN_MODELS_DIR."
            ) from error
        if manifest.expression_names != face_model.expression_names:
            raise StartError(f"{folder / MANIFEST} and {manifest.face_model.file} name different expressions.")
        mfn, sfn = manifest.networks.mfn, manifest.networks.sfn
        sizes = mfn.input_sizes or [size for size in mfn.input.shape[1:2] if isinstance(size, int)]
        if not sizes:
            raise StartError(f"{folder / MANIFEST}: mfn needs input_sizes, or an input of shape [1, side, side, 3].")
        levels = [Level(level.stride, tuple(level.anchors)) for level in mfn.levels]
        if any(not 0 < size <= MAX_SIDE or size % level.stride for size in sizes for level in levels):
            raise StartError(
                f"{folder / MANIFEST}: the input sizes of mfn are {sizes}; "
                f"expected multiples of every level's stride, at most {MAX_SIDE}."
            )
        most = max(sum((size // level.stride) ** 2 * len(level.anchors) for level in levels) for size in sizes)
        if most > MAX_PRIORS:
            raise StartError(
                f"{folder / MANIFEST}: the levels of mfn have {most} priors; expected at most {MAX_PRIORS}."
            )
        priors = {size: build_priors(levels, size) for size in sizes}
        for size in sizes:
            count = len(priors[size].centre)
            mfn_outputs: Shapes = {name: (1, count, width) for name, width in (("detection", 5), *COEFFICIENTS)}
            _expect(folder, "mfn", mfn, (1, size, size, 3), mfn_outputs)
        sfn_outputs: Shapes = {name: (None, size) for name, size in (*COEFFICIENTS, *_gaze(folder, manifest))}
        _expect(folder, "sfn", sfn, (None, CROP_SIDE, CROP_SIDE, 3), sfn_outputs)
        if mfn.pad_value != PAD_GREY:
            raise StartError(f"{folder / MANIFEST}: pad_value is {mfn.pad_value}; this server pads with {PAD_GREY}.")
        return cls(
            manifest=manifest,
            execution=execution,
            face_model=face_model,
            mfn=_load_network(folder, "mfn", mfn, execution, sizes, (1, len(priors[sizes[0]].centre))),
            sfn=_load_network(folder, "sfn", sfn, execution, [CROP_SIDE], (CROPS,)),
            side=sizes[0],
            priors=priors,
            arkit=arkit,
            upside_down=_upside_down(manifest.upside_down),
        )


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


def _gaze(folder: Path, manifest: Manifest) -> tuple[tuple[str, int], ...]:
    """Name and width of the Single Face Network's gaze output; none in models before 0.6, which do not have it.

    Raises StartError where the manifest contradicts itself.
    """
    names, output = manifest.gaze_names, "gaze" in manifest.networks.sfn.outputs
    if bool(names) != output:
        has, lacks = ("gaze_names", "an output gaze of sfn") if names else ("an output gaze of sfn", "gaze_names")
        raise StartError(
            f"{folder / MANIFEST}: there is {has} without {lacks}. "
            "Restore the manifest that was published with the networks."
        )
    if output and names != GAZE_NAMES:
        raise StartError(f"{folder / MANIFEST}: gaze_names are {', '.join(names)}; expected {', '.join(GAZE_NAMES)}.")
    expected = NEVER_OBSERVED if output else WITHOUT_GAZE
    if set(manifest.unobserved_arkit) != set(expected):
        raise StartError(
            f"{folder / MANIFEST}: unobserved_arkit is {', '.join(manifest.unobserved_arkit) or 'empty'}; of networks "
            f"{'with' if output else 'without'} gaze expected {', '.join(expected)}."
        )
    return (("gaze", GAZE_COEFFICIENTS),) if output else ()


def _upside_down(spec: UpsideDownSpec | None) -> UpsideDown | None:
    return None if spec is None else UpsideDown(np.array(spec.identity, np.float32), spec.score, spec.constant)


def _expect(folder: Path, name: str, spec: NetworkSpec, input_shape: Shape, outputs: Shapes) -> None:
    """Raises StartError unless the manifest declares the shapes that the pipeline needs."""
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


def _load_network(
    folder: Path, name: str, spec: NetworkSpec, execution: Execution, sides: Sequence[int], rows: tuple[int, ...]
) -> Network:
    """Opens a network and runs it once, since the file alone does not tell how many rows its outputs have.

    sides: of its square input in pixels; it is run at the first. rows: number of images and, of the network that
    answers for priors, of these: what its outputs are to have before their last dimension. Raises StartError.
    """
    file = spec.forms.get(execution.form)
    if file is None:
        raise StartError(
            f"{folder / MANIFEST} lists no form {execution.form} of {name}, only {', '.join(spec.forms) or 'nothing'}. "
            "Set MFN_PRECISION to a precision that is there as .onnx, or publish this form."
        )
    data = _checked_bytes(folder, file)
    path = folder / file.file
    try:
        session = execution.open(data)
    except StartError:
        raise
    except Exception as error:  # onnxruntime's own exceptions have no common base class
        raise _not_a_network(path, error) from error
    declared = {node.name: node.shape for node in (*session.get_inputs(), *session.get_outputs())}
    inputs = [(spec.input.name, (rows[0], side, side, 3)) for side in sides]
    for node, shape in [*inputs, *spec.outputs.items()]:
        if node not in declared or not _fits(declared[node], shape):
            raise StartError(
                f"The model file {path} has {node} of shape {declared.get(node)}; {MANIFEST} says {shape}. "
                "Restore the two files that belong together."
            )
    if session.get_inputs()[0].type != "tensor(uint8)":
        raise StartError(f"The model file {path} takes {session.get_inputs()[0].type}; expected tensor(uint8).")
    network = Network(session, spec.input.name, tuple(spec.outputs))
    try:
        raw = network.run(np.zeros(inputs[0][1], np.uint8))
    except Exception as error:
        raise _not_a_network(path, error) from error
    for output, array in raw.items():
        if array.dtype != np.float32 or array.shape[:-1] != rows:
            raise StartError(
                f"The model file {path} gives {array.dtype} {array.shape} as {output} of {name}; by {MANIFEST} it is "
                f"float32 with {rows[-1]} rows. Restore the two files that belong together."
            )
    return network


def _not_a_network(path: Path, error: Exception) -> StartError:
    reason = " ".join(str(error).split())
    return StartError(
        f"The model file {path} is not a network that can be run: {reason} "
        "Restore the one that was published with the manifest, or set MFN_MODELS_DIR."
    )


def _fits(shape: Sequence[Any], expected: Sequence[Any]) -> bool:
    """Whether two shapes are equal in every dimension that is a number in both."""
    return len(shape) == len(expected) and all(
        a == b for a, b in zip(shape, expected, strict=True) if isinstance(a, int) and isinstance(b, int)
    )
