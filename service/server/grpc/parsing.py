"""Parses messages, of which those of a stream are small unless they are frames."""

from typing import Final, TypeVar

from google.protobuf.message import DecodeError
from mfn.v1 import retarget_pb2 as pb

from service.errors import BAD_BODY, RequestError
from service.server.grpc.admission import ENVELOPE_BYTES

Message = TypeVar("Message", pb.RetargetRequest, pb.RetargetStreamRequest)
LENGTH_DELIMITED: Final = 2  # wire type of a message's field
FRAME_TAG: Final = pb.RetargetStreamRequest.FRAME_FIELD_NUMBER << 3 | LENGTH_DELIMITED
LENGTH_BITS: Final = 7  # of a varint's byte; the eighth says that another one follows
MAX_LENGTH_BYTES: Final = 5  # of a varint with 32 bits


def parsed(kind: type[Message], data: bytes | None) -> Message:
    """Parses a message; None is an empty one. Raises RequestError BAD_BODY where the bytes are no such message."""
    try:
        return kind.FromString(data or b"")
    except DecodeError as error:
        raise RequestError(
            BAD_BODY, f"The message is no {kind.DESCRIPTOR.full_name}. Send one as proto/mfn/v1 has it."
        ) from error


def parsed_of_stream(data: bytes | None) -> pb.RetargetStreamRequest:
    """Parses a message of a stream; None is an empty one.

    Raises RequestError BAD_BODY also where it is more than a frame and has more than ENVELOPE_BYTES: a map of that many
    bytes takes seconds to parse, in which no other call is answered.
    """
    if data is not None and len(data) > ENVELOPE_BYTES and not is_frame(data):
        raise RequestError(
            BAD_BODY,
            f"The message has {len(data)} bytes, and is no frame; a configuration has at most {ENVELOPE_BYTES}. Send a "
            "picture as a frame, after the configuration.",
        )
    return parsed(pb.RetargetStreamRequest, data)


def is_frame(data: bytes) -> bool:
    """Whether a message of a stream holds a frame and nothing else, by its tag and its length."""
    length = 0
    for position, byte in enumerate(data[1 : 1 + MAX_LENGTH_BYTES]):
        length |= (byte & (1 << LENGTH_BITS) - 1) << LENGTH_BITS * position
        if not byte >> LENGTH_BITS:
            return data[0] == FRAME_TAG and len(data) == 2 + position + length
    return False
