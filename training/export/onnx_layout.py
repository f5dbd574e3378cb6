"""Convolutions' weights of an ONNX file in the order in which TFLite has them.

A Transpose gives each back its own order. It depends on nothing but a constant, so that runtimes calculate it once,
when they load the file, and run the same operations as without it. What is won is in the other files: float32.onnx and
float16.tflite then hold the same runs of bytes, as do int8.onnx, int8.tflite and dynamic.tflite, so that what stores
files by how they differ (git) keeps each of them once.
"""

from pathlib import Path

import numpy as np
import onnx

TO_TFLITE, FROM_TFLITE = (0, 2, 3, 1), (0, 3, 1, 2)  # OIHW to OHWI, and back
DEPTHWISE_TO_TFLITE, DEPTHWISE_FROM_TFLITE = (1, 2, 3, 0), (3, 0, 1, 2)  # C1HW to 1HWC, and back


def lay_out(path: Path) -> None:
    """Rewrites the file. Each constant that a Conv reads, directly or through a Cast or DequantizeLinear, is stored
    transposed, unless that changes nothing. To be called last: quantizers look for weights among the constants."""
    model = onnx.load(path)
    constants = {constant.name: constant for constant in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}
    for node in [node for node in model.graph.node if node.op_type == "Conv"]:
        maker = makers.get(node.input[1])
        reader, place = (maker, 0) if maker is not None else (node, 1)
        constant = constants.get(reader.input[place])
        if constant is None or reader.op_type not in ("Conv", "Cast", "DequantizeLinear"):
            continue
        values = onnx.numpy_helper.to_array(constant)
        depthwise = values.shape[1] == 1
        there, back = (DEPTHWISE_TO_TFLITE, DEPTHWISE_FROM_TFLITE) if depthwise else (TO_TFLITE, FROM_TFLITE)
        stored = np.ascontiguousarray(values.transpose(there))
        if stored.tobytes() == values.tobytes():
            continue
        name = constant.name
        constant.CopyFrom(onnx.numpy_helper.from_array(stored, f"{name}_stored"))
        turning = onnx.helper.make_node("Transpose", [constant.name], [name], f"turn_{name}", perm=back)
        model.graph.node.insert(0, turning)
    onnx.checker.check_model(model)
    onnx.save(model, path)
