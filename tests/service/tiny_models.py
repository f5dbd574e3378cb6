"""Networks small enough to check by hand, in files of the published forms, and pictures drawn for them.

The MFN here sees a 96 x 96 square, or a larger one, in cells of 16 and calls a cell a face where its mean is above 200;
the face is its prior of 32 x 32 pixels, its pose the identity. The SFN answers every crop with the same constants. In
the int8 forms the identities are stored in 8 bits, which tells the forms apart.
"""

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from service.vision.arkit import NEVER_OBSERVED, WITHOUT_GAZE
from service.vision.gaze import GAZE_NAMES

PUBLISHED = Path(__file__).resolve().parents[2] / "models"
SIDE, STRIDE, ANCHOR = 96, 16, 32
SIDES = (SIDE, 192)  # that may be chosen
CELLS = SIDE // STRIDE
PRECISIONS = ("int8", "float32")
FORMS = tuple(f"{precision}.onnx" for precision in PRECISIONS)
IDENTITY = np.linspace(-1, 1, 50, dtype=np.float32)
EXPRESSION_LOGIT = np.linspace(-3, 3, 46, dtype=np.float32)
SFN_IDENTITY = np.linspace(2, 3, 50, dtype=np.float32)
GAZE_LOGIT = np.linspace(-2, 2, 8, dtype=np.float32)
INT8_STEP = np.float32(1 / 32)  # of identities in the int8 forms: -4 to 4 fits into 8 bits


def in_int8(identity: np.ndarray) -> np.ndarray:
    """What the int8 forms make of an identity: whole multiples of the step."""
    return np.round(identity / INT8_STEP) * INT8_STEP


def _constant(name: str, value: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(value, name)


def _identity(value: np.ndarray, precision: str) -> tuple[list[Any], list[onnx.TensorProto]]:
    """Nodes and constants that make "identity_value": stored as it is, or as 8 bits and their step."""
    if precision == "float32":
        return [], [_constant("identity_value", value)]
    node = helper.make_node("DequantizeLinear", ["identity_bits", "identity_step"], ["identity_value"])
    bits = np.round(value / INT8_STEP).astype(np.int8)
    return [node], [_constant("identity_bits", bits), _constant("identity_step", np.asarray(INT8_STEP))]


def _save(path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[Any]) -> None:
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def save_mfn(path: Path, precision: str) -> None:
    node = helper.make_node
    identity_nodes, identity_constants = _identity(IDENTITY, precision)
    values = {"shift": np.zeros(4, np.float32), "pose": np.zeros(7, np.float32)}
    values |= {"identity": IDENTITY, "expression": EXPRESSION_LOGIT}
    nodes = [
        *identity_nodes,
        node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        node("ReduceMean", ["float"], ["grey"], axes=[3], keepdims=0),
        node("Unsqueeze", ["grey", "one"], ["planes"]),
        node("AveragePool", ["planes"], ["cells"], kernel_shape=[STRIDE, STRIDE], strides=[STRIDE, STRIDE]),
        node("Reshape", ["cells", "rows"], ["means"]),
        node("Sub", ["means", "threshold"], ["logit"]),
        node("Mul", ["logit", "zero"], ["nothing"]),
        *(node("Add", ["nothing", f"{name}_value"], [name]) for name in values),
        node("Concat", ["shift", "logit"], ["detection"], axis=2),
    ]
    constants = [
        _constant("one", np.array([1])),
        _constant("zero", np.array(0, np.float32)),
        _constant("rows", np.array([1, -1, 1])),
        _constant("threshold", np.array(200, np.float32)),
        *identity_constants,
        *(_constant(f"{name}_value", value) for name, value in values.items() if name != "identity"),
    ]
    float_output = [("detection", 5), ("pose", 7), ("identity", 50), ("expression", 46)]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, "priors", size]) for n, size in float_output]
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "side", "side", 3])]
    _save(path, nodes, inputs, outputs, constants)


def save_sfn(path: Path, precision: str, gaze: bool = True) -> None:
    """gaze: whether it has that output, which networks before 0.6 have not."""
    node = helper.make_node
    identity_nodes, identity_constants = _identity(SFN_IDENTITY, precision)
    values = {"pose": np.zeros(7, np.float32), "identity": SFN_IDENTITY, "expression": EXPRESSION_LOGIT}
    values |= {"gaze": GAZE_LOGIT} if gaze else {}
    nodes = [
        *identity_nodes,
        node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        node("ReduceMean", ["float"], ["mean"], axes=[1, 2, 3], keepdims=0),
        node("Mul", ["mean", "zero"], ["nothing"]),
        node("Reshape", ["nothing", "column"], ["rows"]),
        *(node("Add", ["rows", f"{name}_value"], [name]) for name in values),
    ]
    constants = [
        _constant("zero", np.array(0, np.float32)),
        _constant("column", np.array([-1, 1])),
        *identity_constants,
        *(_constant(f"{name}_value", value) for name, value in values.items() if name != "identity"),
    ]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", len(value)]) for name, value in values.items()
    ]
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 128, 128, 3])]
    _save(path, nodes, inputs, outputs, constants)


def write_manifest(folder: Path, gaze: bool = True) -> None:
    """manifest.json over the files that lie in the folder; weights and TFLite forms, which it lists too, do not."""

    def file(name: str) -> dict[str, str]:
        return {"file": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}

    def files(kind: str) -> dict[str, Any]:
        elsewhere = {"file": f"{kind}.float16.tflite", "sha256": "0" * 64}
        return {
            "weights": {"file": f"weights/{kind}.npz", "sha256": "0" * 64},
            "forms": {form: file(f"{kind}.{form}") for form in FORMS} | {"float16.tflite": elsewhere},
        }

    with np.load(PUBLISHED / "face_model.npz") as arrays:
        names = [str(name) for name in arrays["expression_names"]]
    groups = {"pose": 7, "identity": 50, "expression": 46}
    manifest = {
        "name": "mfn",
        "version": "9.9.9",
        "face_model": file("face_model.npz"),
        "networks": {
            "mfn": {
                **files("mfn"),
                "input": {"name": "image", "shape": [1, "side", "side", 3], "dtype": "uint8"},
                "input_sizes": SIDES,
                "outputs": {name: [1, "priors", size] for name, size in {"detection": 5, **groups}.items()},
                "pad_value": 114,
                "levels": [{"stride": STRIDE, "anchors": [[ANCHOR, ANCHOR]]}],
            },
            "sfn": {
                **files("sfn"),
                "input": {"name": "image", "shape": ["batch", 128, 128, 3], "dtype": "uint8"},
                "outputs": {name: ["batch", size] for name, size in (groups | ({"gaze": 8} if gaze else {})).items()},
                "crop_factor": 1.4,
            },
        },
        "expression_names": names,
        "unobserved_arkit": list(NEVER_OBSERVED if gaze else WITHOUT_GAZE),
        "accuracy": {"multi_val": {"AP50": 12.5}},
    }
    if gaze:
        manifest["gaze_names"] = list(GAZE_NAMES)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def write_models(folder: Path, gaze: bool = True) -> None:
    """gaze: whether the second network sees it, as those before 0.6 do not."""
    (folder / "face_model.npz").write_bytes((PUBLISHED / "face_model.npz").read_bytes())
    for precision in PRECISIONS:
        save_mfn(folder / f"mfn.{precision}.onnx", precision)
        save_sfn(folder / f"sfn.{precision}.onnx", precision, gaze)
    write_manifest(folder, gaze)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
