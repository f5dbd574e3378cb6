import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from service.errors import NO_MEMORY, memory_problem, too_many_bytes


def test_too_many_bytes_names_the_limit() -> None:
    assert "1234 bytes" in too_many_bytes(1234).detail


PETABYTE = 2**50  # of memory: more than any process can be given


def test_an_array_that_does_not_fit_into_memory() -> None:
    with pytest.raises(MemoryError) as failed:
        np.zeros(PETABYTE, np.uint8)
    problem = memory_problem(failed.value)
    assert problem is not None
    assert (problem.kind, problem.retry_after) == (NO_MEMORY, 1)


@pytest.mark.parametrize("arena", [True, False])
def test_a_network_that_does_not_fit_into_memory(arena: bool) -> None:
    """Whatever onnxruntime calls it."""
    node = helper.make_node("ConstantOfShape", ["shape"], ["y"])
    inputs = [helper.make_tensor_value_info("shape", TensorProto.INT64, [1])]
    graph = helper.make_graph([node], "huge", inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = arena
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    with pytest.raises(Exception) as failed:  # noqa: PT011 - the runtime's exceptions have no common base
        session.run(None, {"shape": np.array([PETABYTE // 4])})
    problem = memory_problem(failed.value)
    assert problem is not None
    assert problem.kind is NO_MEMORY


@pytest.mark.parametrize("error", [ValueError("no"), ZeroDivisionError(), OSError(2, "No such file or directory")])
def test_other_failures_are_none_of_memory(error: Exception) -> None:
    assert memory_problem(error) is None
