import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from service.errors import BAD_PICTURE, NO_MEMORY, PROBLEM_KINDS, RequestError, memory_problem, too_many_bytes

# Status and code as the public contract gives them for both doors.
CONTRACT = {
    "bad-picture": (400, "INVALID_ARGUMENT"),
    "bad-body": (400, "INVALID_ARGUMENT"),
    "bad-parameter": (422, "INVALID_ARGUMENT"),
    "unauthenticated": (401, "UNAUTHENTICATED"),
    "too-large": (413, "INVALID_ARGUMENT"),
    "unsupported-media": (415, "INVALID_ARGUMENT"),
    "overloaded": (429, "RESOURCE_EXHAUSTED"),
    "unavailable": (503, "UNAVAILABLE"),
    "no-memory": (503, "UNAVAILABLE"),
    "deadline-passed": (504, "DEADLINE_EXCEEDED"),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_kind_has_the_codes_of_the_contract(name: str) -> None:
    (kind,) = (kind for kind in PROBLEM_KINDS if kind.name == name)
    assert (kind.status, kind.grpc) == CONTRACT[name]


def test_kinds_are_told_apart_by_type_and_title() -> None:
    assert (
        len({kind.type for kind in PROBLEM_KINDS}) == len({kind.title for kind in PROBLEM_KINDS}) == len(PROBLEM_KINDS)
    )


def test_document_has_the_members_of_rfc_9457() -> None:
    assert RequestError(BAD_PICTURE, "No picture. Send one.").document() == {
        "type": "urn:problem-type:mfn:bad-picture",
        "title": "The picture cannot be decoded",
        "status": 400,
        "detail": "No picture. Send one.",
    }


def test_too_many_bytes_names_the_limit() -> None:
    assert "1234 bytes" in too_many_bytes(1234).detail


PETABYTE = 2**50  # of memory: more than any process can be given


def test_an_array_that_does_not_fit_into_memory() -> None:
    with pytest.raises(MemoryError) as failed:
        np.zeros(PETABYTE, np.uint8)
    problem = memory_problem(failed.value)
    assert problem is not None
    assert (problem.kind, problem.retry_after) == (NO_MEMORY, 1)


def test_a_network_that_does_not_fit_into_memory() -> None:
    """Whatever onnxruntime calls it."""
    node = helper.make_node("ConstantOfShape", ["shape"], ["y"])
    inputs = [helper.make_tensor_value_info("shape", TensorProto.INT64, [1])]
    graph = helper.make_graph([node], "huge", inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    with pytest.raises(Exception) as failed:  # noqa: PT011 - the runtime's exceptions have no common base
        session.run(None, {"shape": np.array([PETABYTE // 4])})
    problem = memory_problem(failed.value)
    assert problem is not None
    assert problem.kind is NO_MEMORY


@pytest.mark.parametrize("error", [ValueError("no"), ZeroDivisionError(), OSError(2, "No such file or directory")])
def test_other_failures_are_none_of_memory(error: Exception) -> None:
    assert memory_problem(error) is None
