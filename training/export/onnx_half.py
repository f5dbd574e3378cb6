"""Large constants of a float32 ONNX file as float16: half the bytes, the same numbers.

A Cast widens each of them again. It depends on nothing but a constant, so that runtimes calculate it once, when they
load the file (constant folding, in onnxruntime from the basic level of optimisation on), and run the same float32
operations as without it.
"""

from pathlib import Path

import numpy as np
import onnx

from training.export.rounding import narrowest

LEAST = 256  # numbers: the Cast itself takes about a hundred bytes


def halve(path: Path) -> None:
    """Rewrites the file. Constants that float16 does not hold exactly stay as they are.

    To be called when nothing has to be made from the file any more: quantizers look for weights among the constants.
    """
    model = onnx.load(path)
    casts = []
    for constant in model.graph.initializer:
        values = onnx.numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < LEAST or (half := narrowest(values)).dtype == np.float32:
            continue
        name = constant.name
        constant.CopyFrom(onnx.numpy_helper.from_array(half, f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [constant.name], [name], f"widen_{name}", to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    onnx.save(model, path)
