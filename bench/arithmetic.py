"""How much arithmetic a network is, and the least time it takes a core."""

import math

import onnx

USUAL_SIDE = 288  # pixels of the Multiple Face Network's square input
PRODUCTS_A_CYCLE = 64  # of bytes, added up: one 512-bit VNNI instruction (vpdpbusd)


def multiply_adds(network: onnx.ModelProto, side: int = USUAL_SIDE) -> int:
    """Multiply-adds of all convolutions and matrix products, for one picture; side as of layer_multiply_adds."""
    return sum(layer_multiply_adds(network, side).values())


def layer_multiply_adds(network: onnx.ModelProto, side: int = USUAL_SIDE) -> dict[str, int]:
    """Multiply-adds of each convolution and matrix product by its second factor's name, for one picture.

    side: pixels of the input's height and width where these may vary; a batch that may vary counts as 1.

    Raises ValueError where a shape does not follow from the file, or where there is nothing to count.
    """
    graph = onnx.ModelProto()
    graph.CopyFrom(network)
    for value in graph.graph.input:
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if not dimension.HasField("dim_value"):
                dimension.dim_value = side if axis else 1
    graph = onnx.shape_inference.infer_shapes(graph, strict_mode=True, data_prop=True)
    shapes = {constant.name: list(constant.dims) for constant in graph.graph.initializer}
    for value in (*graph.graph.input, *graph.graph.value_info, *graph.graph.output):
        shapes[value.name] = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
    counts: dict[str, int] = {}
    for node in graph.graph.node:
        if node.op_type not in ("Conv", "Gemm", "MatMul"):
            continue
        first, second, result = (shapes.get(name, []) for name in (*node.input[:2], node.output[0]))
        if not (first and second and result and all(first + second + result)):
            raise ValueError(f"The shapes of {node.op_type} {node.name} do not follow from the file.")
        match node.op_type:
            case "Conv":
                depth = math.prod(second[1:])  # input channels of a group times the kernel
            case "Gemm":
                turned = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
                depth = first[0 if turned else 1]
            case _:
                depth = first[-1]
        counts[node.input[1]] = counts.get(node.input[1], 0) + math.prod(result) * depth
    if not counts:
        raise ValueError("The file has neither Conv nor Gemm nor MatMul. Expected a network as it is published.")
    return counts


def floor_ms(count: int, ghz: float) -> float:
    """Milliseconds that so many multiply-adds of bytes take a core at least, at one VNNI instruction a cycle."""
    return count / PRODUCTS_A_CYCLE / (ghz * 1e6)
