"""Messages as gRPC compresses them, and as it never would."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mfn.v1 import retarget_pb2 as pb

from service.errors import BAD_BODY, TOO_LARGE, ProblemKind, RequestError
from service.server.grpc.reading import PIECE_BYTES, decompressed, is_compressed

LARGEST = 4 * 2**20


def refused(message: bytes) -> ProblemKind:
    with pytest.raises(RequestError) as problem:
        decompressed(message, LARGEST)
    return problem.value.kind


@given(st.binary(max_size=200), st.integers(1, 9))
def test_what_is_compressed_is_told_and_comes_back(data: bytes, level: int) -> None:
    for message in (gzip.compress(data, level), zlib.compress(data, level)):
        assert is_compressed(message)
        assert decompressed(message, LARGEST) == data


def test_our_own_messages_are_not_taken_for_compressed() -> None:
    """However their fields are numbered, up to the fifteenth, which none of them has."""
    config = pb.RetargetStreamRequest(config=pb.StreamConfig()).SerializeToString()
    calibration = pb.RetargetStreamRequest(calibration=pb.CALIBRATION_RESET).SerializeToString()
    assert not any(map(is_compressed, [b"", b"\x78", config, calibration]))
    assert not any(is_compressed(bytes([field << 3 | kind, 1])) for field in range(15) for kind in range(6))


def test_a_message_up_to_the_limit() -> None:
    assert decompressed(gzip.compress(bytes(LARGEST)), LARGEST) == bytes(LARGEST)
    assert refused(gzip.compress(bytes(LARGEST + 1))) is TOO_LARGE


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_damaged_messages(compress: type[bytes]) -> None:
    whole = bytearray(compress(b"a picture, or most of it"))
    assert refused(bytes(whole[:-1])) is BAD_BODY
    assert refused(bytes(whole[:3])) is BAD_BODY
    whole[-1] ^= 1  # its checksum
    assert refused(bytes(whole)) is BAD_BODY


def test_a_bomb_takes_no_more_than_the_limit() -> None:
    bomb = gzip.compress(bytes(16 * LARGEST))
    tracemalloc.start()
    assert refused(bomb) is TOO_LARGE
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < LARGEST + 4 * PIECE_BYTES
