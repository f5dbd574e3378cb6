"""Messages in any order, pictures of any bytes: a stream ends as it should, soon, and the next is served."""

import grpc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mfn.v1 import retarget_pb2 as pb

from tests.service.server.grpc.conftest import PATIENCE, Running

NUMBERS = st.one_of(st.none(), st.floats(width=64), st.sampled_from([0.0, 0.01, 0.5, 1.0]))


def options(number: float | None) -> pb.Options:
    return pb.Options(include_landmarks=True) if number is None else pb.Options(min_score=number)


def raw(sizes: tuple[int, int, int, int], data: bytes) -> pb.Image:
    pixel_format, width, height, stride = sizes
    # enums are open in proto3: any number may come
    return pb.Image(raw=pb.RawPixels(format=pixel_format, width=width, height=height, stride=stride, data=data))  # type: ignore[arg-type]


UINT32 = st.one_of(st.integers(0, 12), st.integers(0, 2**32 - 1))
IMAGES = st.one_of(
    st.binary(max_size=200).map(lambda data: pb.Image(encoded=data)),
    st.builds(raw, st.tuples(st.integers(0, 7), UINT32, UINT32, UINT32), st.binary(max_size=300)),
    st.just(pb.Image()),
)
FRAMES = st.builds(
    lambda sequence, stamp, image: pb.RetargetStreamRequest(
        frame=pb.Frame(sequence=sequence, timestamp_us=stamp, image=image)
    ),
    st.integers(0, 2**64 - 1),
    st.integers(-(2**63), 2**63 - 1),
    IMAGES,
)
CONFIGURATIONS = st.builds(
    lambda number, policy, every, cutoff: pb.RetargetStreamRequest(
        config=pb.StreamConfig(
            options=options(number),
            drop_policy=policy,
            follow=True,
            detect_every=every,
            smoothing=None if cutoff is None else pb.Smoothing(min_cutoff=cutoff),
        )
    ),
    NUMBERS,
    st.integers(0, 4),
    UINT32,
    NUMBERS,
)
OTHERS = st.one_of(
    st.integers(0, 5).map(lambda value: pb.RetargetStreamRequest(calibration=value)),  # type: ignore[arg-type]
    st.just(pb.RetargetStreamRequest()),
)
GOOD_START = st.just(pb.RetargetStreamRequest(config=pb.StreamConfig(drop_policy=pb.DROP_POLICY_NONE)))
STREAMS = st.one_of(
    st.lists(st.one_of(FRAMES, CONFIGURATIONS, OTHERS), max_size=6),
    st.tuples(GOOD_START, st.lists(st.one_of(FRAMES, OTHERS), max_size=6)).map(lambda parts: [parts[0], *parts[1]]),
)


def assert_refused(error: grpc.RpcError) -> None:
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, error.details()


@given(STREAMS)
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


@given(IMAGES, NUMBERS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_picture_is_answered_or_refused(door: Running, image: pb.Image, number: float | None) -> None:
    try:
        door.stub.Retarget(pb.RetargetRequest(image=image, options=options(number)), timeout=PATIENCE)
    except grpc.RpcError as error:
        assert_refused(error)
