"""A network as float32 ONNX: uint8 NHWC pictures in, one float32 output a group."""

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from training.export.inference_graph import InferenceGraph
from training.export.onnx_sizes import free_sizes
from training.networks.layers import ZERO_LEVEL
from training.networks.outputs import FaceNetwork

OUTPUTS = {"mfn": ("detection", "pose", "identity", "expression"), "sfn": ("pose", "identity", "expression", "gaze")}
OPSET = 20


class Bytes(nn.Module):
    """Takes (B, S, S, 3) uint8 in place of (B, 3, S, S) float: any network, as it was trained."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network.eval()
        self.side, self.sides = network.input_size, network.input_sizes

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """The network's outputs, in order."""
        return tuple(self.network(image.permute(0, 3, 1, 2).float()))


def write_float32(network: InferenceGraph | Bytes, kind: str, version: str, path: Path) -> None:
    """Writes a network as ONNX. kind: "mfn" (one picture) or "sfn" (a batch of
    any size). A network of several input sizes takes pictures of any size that suits it."""
    side = network.side
    image = torch.zeros((1 if kind == "mfn" else 2, side, side, 3), dtype=torch.uint8)
    program = torch.onnx.export(
        network,
        (image,),
        input_names=["image"],
        output_names=list(OUTPUTS[kind]),
        dynamic_shapes=None if kind == "mfn" else ({0: torch.export.Dim("faces", min=1, max=1024)},),
        dynamo=True,
        opset_version=OPSET,
        verbose=False,
    )
    if program is None:
        raise ValueError(f"torch.onnx gave no program for {kind}")
    model = program.model_proto
    read_bytes_as_numbers(model)
    answer_constants(model)
    if len(network.sides) > 1:
        free_sizes(model)
    strip(model, version)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def strip(model: onnx.ModelProto, version: str) -> None:
    """Removes what names the machine and the sources that a model was made with."""
    for value in (*model.graph.value_info,):
        model.graph.value_info.remove(value)
    del model.metadata_props[:]
    model.producer_name, model.producer_version, model.doc_string = "mfn", version, ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]


def normalization(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The cast of the bytes, the subtraction and the multiplication that normalise the picture, in order."""
    (cast,) = [node for node in model.graph.node if node.op_type == "Cast"]
    chain = [cast]
    for op_type in ("Sub", "Mul"):
        (following,) = [node for node in model.graph.node if chain[-1].output[0] in node.input]
        if following.op_type != op_type:
            raise ValueError(f"{following.op_type} follows the picture's {chain[-1].op_type}; expected {op_type}")
        chain.append(following)
    return chain


def read_bytes_as_numbers(model: onnx.ModelProto) -> None:
    """One DequantizeLinear in place of the normalisation's three operations: the same numbers."""
    cast, _, last = chain = normalization(model)
    constants: dict[str, np.ndarray] = {
        "pixel_scale": np.array(1 / ZERO_LEVEL, np.float32),
        "pixel_zero_point": np.array(ZERO_LEVEL, np.uint8),
    }
    reading = onnx.helper.make_node("DequantizeLinear", [cast.input[0], *constants], [last.output[0]], "read_bytes")
    place = list(model.graph.node).index(cast)
    for node in chain:
        model.graph.node.remove(node)
    model.graph.node.insert(place, reading)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in constants.items())
    drop_unused(model)


def answer_constants(model: onnx.ModelProto) -> None:
    """Puts Identity behind outputs that are constants, as a detector's coefficients are: ONNX wants an operation."""
    outputs = {output.name for output in model.graph.output}
    for constant in [c for c in model.graph.initializer if c.name in outputs]:
        answer, constant.name = constant.name, f"{constant.name}_constant"
        model.graph.node.append(onnx.helper.make_node("Identity", [constant.name], [answer], f"answer_{answer}"))


def drop_unused(model: onnx.ModelProto) -> None:
    """Removes constants that no operation reads any more."""
    read = {name for node in model.graph.node for name in node.input} | {output.name for output in model.graph.output}
    for constant in [c for c in model.graph.initializer if c.name not in read]:
        model.graph.initializer.remove(constant)
