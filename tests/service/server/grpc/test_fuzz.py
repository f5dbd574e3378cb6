"""Messages in any order, pictures of any bytes: a stream ends as it should, soon, and the next is served."""

import grpc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mfn.v1 import retarget_pb2 as pb

from bench.fuzzing.grpc_messages import NUMBERS, images, options, streams
from bench.fuzzing.pictures import mutated, seeds
from tests.service.server.grpc.conftest import PATIENCE, Running

ENCODED = st.one_of(st.binary(max_size=200), mutated(seeds()))


def assert_refused(error: grpc.RpcError) -> None:
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, error.details()


@given(streams(ENCODED))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_messages_ends_as_it_should(
    door: Running, png: bytes, messages: list[pb.RetargetStreamRequest]
) -> None:
    call = door.stub.RetargetStream(iter(messages), timeout=PATIENCE)
    try:
        answers = [response.answer for response in call if response.WhichOneof("message") == "answer"]
    except grpc.RpcError as error:
        assert_refused(error)
    else:
        assert not any(answer.problem.name == "internal" for answer in answers)
        numbers = [message.frame.sequence for message in messages if message.WhichOneof("message") == "frame"]
        assert len(answers) + (answers[-1].dropped if answers else 0) == len(numbers)
    assert door.stub.Retarget(pb.RetargetRequest(image=pb.Image(encoded=png))).faces


@given(images(ENCODED), NUMBERS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_picture_is_answered_or_refused(door: Running, image: pb.Image, number: float | None) -> None:
    try:
        door.stub.Retarget(pb.RetargetRequest(image=image, options=options(number)), timeout=PATIENCE)
    except grpc.RpcError as error:
        assert_refused(error)
