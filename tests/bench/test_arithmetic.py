"""Multiply-adds of graphs small enough to count them by hand."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.arithmetic import floor_ms, multiply_adds


def network(
    nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], shape: list[int | str], result: str = "y"
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def floats(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def test_a_convolution_with_stride() -> None:
    """3 x 3 with stride 2 on 4 x 6 pixels gives 2 x 3; each of their 8 channels takes 3 * 9 products."""
    conv = helper.make_node("Conv", ["x", "w"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1])
    assert multiply_adds(network([conv], {"w": floats(8, 3, 3, 3)}, [1, 3, 4, 6])) == 2 * 3 * 8 * 27


def test_a_convolution_of_single_channels() -> None:
    conv = helper.make_node("Conv", ["x", "w"], ["y"], group=8, pads=[1, 1, 1, 1])
    assert multiply_adds(network([conv], {"w": floats(8, 1, 3, 3)}, [1, 8, 5, 5])) == 25 * 8 * 9


@pytest.mark.parametrize("turned", [0, 1])
def test_a_matrix_product_of_any_number_of_pictures_counts_for_one(turned: int) -> None:
    """48 numbers to 10, however the second matrix lies."""
    flatten = helper.make_node("Flatten", ["x"], ["flat"])
    gemm = helper.make_node("Gemm", ["flat", "w", "b"], ["y"], transB=turned)
    weights = floats(10, 48) if turned else floats(48, 10)
    model = network([flatten, gemm], {"w": weights, "b": floats(10)}, ["faces", 3, 4, 4])
    assert multiply_adds(model) == 48 * 10


def test_weights_and_pictures_that_come_as_bytes() -> None:
    """The shape of an int8 network's layer follows through its quantize and dequantize operations."""
    constants = {
        "scale": np.float32(0.1),
        "zero": np.uint8(128),
        "scales": np.full(4, 0.1, np.float32),
        "w8": np.zeros((4, 3, 1, 1), np.int8),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["x8"]),
        helper.make_node("DequantizeLinear", ["x8", "scale", "zero"], ["xf"]),
        helper.make_node("DequantizeLinear", ["w8", "scales"], ["wf"], axis=0),
        helper.make_node("Conv", ["xf", "wf"], ["y"]),
    ]
    arrays = {name: np.asarray(array) for name, array in constants.items()}
    assert multiply_adds(network(nodes, arrays, [1, 3, 7, 5])) == 35 * 4 * 3


def test_several_layers_add_up_and_the_model_stays_as_it_is() -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Conv", ["r", "w2"], ["y"]),
    ]
    model = network(nodes, {"w1": floats(2, 3, 1, 1), "w2": floats(5, 2, 2, 2)}, ["n", 3, 4, 4])
    before = model.SerializeToString()
    assert multiply_adds(model) == 16 * 2 * 3 + 9 * 5 * 8
    assert model.SerializeToString() == before


def test_a_network_for_several_sizes_is_counted_at_the_one_asked_for() -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    model = network([node], {"w": floats(5, 3, 1, 1)}, ["n", 3, "side", "side"])
    assert multiply_adds(model, 4) == 16 * 5 * 3
    assert multiply_adds(model) == 288 * 288 * 5 * 3


def test_a_file_without_products_is_refused() -> None:
    with pytest.raises(ValueError, match="neither Conv nor Gemm"):
        multiply_adds(network([helper.make_node("Relu", ["x"], ["y"])], {}, [1, 3]))


def test_the_floor_of_the_papers_network() -> None:
    """756 million multiply-adds are 11.8 million instructions of 64, which take 3.94 ms at 3 GHz."""
    assert floor_ms(756_000_000, 3.0) == pytest.approx(3.9375)
