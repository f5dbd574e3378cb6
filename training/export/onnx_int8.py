"""A network as int8 ONNX: quantize and dequantize operations (QDQ) about every layer, as runtimes expect them.

Activations are uint8 with a range each, weights int8 with a scale a channel: on x86 the products of u8 and s8 are one
instruction (VNNI), those of s8 and s8 are not. Ranges are the least and the greatest value on the calibration pictures.
Weights go from -64 to 64, see training/export/reduced_range.py.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from training.export.onnx_float import drop_unused, strip

# -1 to 1, what scaled columns are clipped to: see training/export/inference_graph.py
UNIT_RANGE = {"scale": np.array(1 / 127, np.float32), "zero_point": np.array(128, np.uint8)}


class Pictures(CalibrationDataReader):
    """Hands pictures (N, S, S, 3) uint8 to the calibration one by one."""

    def __init__(self, pictures: np.ndarray) -> None:
        self.batches: Iterator[np.ndarray] = (picture[None] for picture in pictures)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next picture by its input's name, None at the end."""
        batch = next(self.batches, None)
        return None if batch is None else {"image": batch}


def write_int8(source: Path, pictures: np.ndarray, version: str, path: Path) -> None:
    """Writes an int8 network. source: what training.export.onnx_float wrote of a network with weights of 7 bits.
    pictures: (N, S, S, 3) uint8, checked by the caller; ranges that are taken at one input size hold for the others."""
    original = onnx.load(source)
    # units that multiply an output, and SFN's last layers: a few numbers, whose precision is the answer's
    last = [node.name for node in original.graph.node if node.op_type in ("Mul", "Gemm") and is_output(original, node)]
    logging.disable(logging.WARNING)  # advice about shapes that this graph does not need
    try:
        quantize_static(
            original,
            path,
            Pictures(pictures),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            reduce_range=True,
            nodes_to_exclude=last,
            extra_options={"TensorQuantOverrides": {name: [UNIT_RANGE] for name in in_units(original)}},
        )
    finally:
        logging.disable(logging.NOTSET)
    model = onnx.load(path)
    share_constants(model)
    drop_unused(model)
    strip(model, version)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def in_units(model: onnx.ModelProto) -> set[str]:
    """Names of the values that an output's unit multiplies, back to the last layers they come from."""
    makers = {output: node for node in model.graph.node for output in node.output}
    following = [node for node in model.graph.node if node.op_type == "Mul" and is_output(model, node)]
    names: set[str] = set()
    while following:
        node = following.pop()
        for name in node.input:
            if name in makers and node.op_type not in ("Conv", "Gemm"):
                names.add(name)
                following.append(makers[name])
    return names


def is_output(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    """Whether a node writes an output of the model."""
    return node.output[0] in {output.name for output in model.graph.output}


def share_constants(model: onnx.ModelProto) -> None:
    """Keeps one of constants that are alike: each layer brings its own zeros."""
    first: dict[tuple[int, tuple[int, ...], bytes], str] = {}
    same: dict[str, str] = {}
    for constant in model.graph.initializer:
        content = constant.data_type, tuple(constant.dims), onnx.numpy_helper.to_array(constant).tobytes()
        same[constant.name] = first.setdefault(content, constant.name)
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = same.get(name, name)
