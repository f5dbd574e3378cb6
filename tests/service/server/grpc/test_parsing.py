"""Messages of streams: only frames may be large."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mfn.v1 import retarget_pb2 as pb

from service.errors import BAD_BODY, RequestError
from service.server.grpc.admission import ENVELOPE_BYTES
from service.server.grpc.parsing import is_frame, parsed_of_stream

LARGE = bytes(ENVELOPE_BYTES)
FRAME = pb.RetargetStreamRequest(frame=pb.Frame(image=pb.Image(encoded=LARGE)))
NAMES = {f"name {number}": 0.5 for number in range(5000)}
CONFIG = pb.RetargetStreamRequest(config=pb.StreamConfig(neutral=NAMES))


@given(st.binary(max_size=300), st.integers(0, 2**64 - 1))
def test_a_frame_is_told_by_its_first_bytes(picture: bytes, sequence: int) -> None:
    frame = pb.RetargetStreamRequest(frame=pb.Frame(sequence=sequence, image=pb.Image(encoded=picture)))
    data = frame.SerializeToString()
    assert is_frame(data)
    assert not is_frame(data[:-1])
    assert not is_frame(data + b"\x00")


@given(st.binary(max_size=20))
def test_any_bytes_are_a_frame_or_not(data: bytes) -> None:
    assert isinstance(is_frame(data), bool)


@pytest.mark.parametrize(
    "message", [pb.RetargetStreamRequest(), pb.RetargetStreamRequest(calibration=pb.CALIBRATION_RESET), CONFIG]
)
def test_other_messages_are_not_taken_for_frames(message: pb.RetargetStreamRequest) -> None:
    assert not is_frame(message.SerializeToString())


def test_frames_of_any_size_are_parsed() -> None:
    assert parsed_of_stream(FRAME.SerializeToString()) == FRAME
    assert parsed_of_stream(None) == pb.RetargetStreamRequest()


@pytest.mark.parametrize("before", [b"", pb.RetargetStreamRequest(frame=pb.Frame()).SerializeToString()])
def test_other_large_messages_are_refused_unparsed(before: bytes) -> None:
    """Also one that begins as a frame: of two fields the last one counts."""
    data = before + CONFIG.SerializeToString()
    assert len(data) > ENVELOPE_BYTES
    with pytest.raises(RequestError, match=f"has {len(data)} bytes, and is no frame") as problem:
        parsed_of_stream(data)
    assert problem.value.kind is BAD_BODY


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(RequestError, match=r"no mfn\.v1\.RetargetStreamRequest") as problem:
        parsed_of_stream(b"\xff")
    assert problem.value.kind is BAD_BODY
