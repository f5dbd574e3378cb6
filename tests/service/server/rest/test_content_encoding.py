"""Content codings, against the standard library's encoders."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BAD_BODY, TOO_LARGE, UNSUPPORTED_ENCODING, RequestError
from service.server.rest.content_encoding import MAX_CODINGS, decode_body, encoded_limit, parse_codings

LIMIT = 100_000


def raw_deflate(data: bytes) -> bytes:
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(data) + encoder.flush()


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate in zlib's format": ("deflate", zlib.compress),
    "deflate with a small window": ("Deflate", lambda data: zlib.compress(data, wbits=9)),
    "deflate without a header": ("deflate", raw_deflate),
    "two": ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    "none": ("identity", lambda data: data),
    "no header": ("", lambda data: data),
}


def decoded(data: bytes, header: str, limit: int = LIMIT) -> bytes:
    return decode_body(data, parse_codings([header]), limit, 1234)


@pytest.mark.parametrize("name", ENCODERS)
@given(data=st.binary(max_size=1000))
def test_what_is_encoded_is_decoded(name: str, data: bytes) -> None:
    header, encode = ENCODERS[name]
    assert decoded(encode(data), header) == data
    assert len(encode(data)) <= encoded_limit(len(data))


def test_headers_are_one_list() -> None:
    assert parse_codings(["identity", " x-gzip ,", "DEFLATE"]) == ("gzip", "deflate")
    assert parse_codings([]) == ()


@pytest.mark.parametrize("name", ["br", "zstd", "compress", "gzip, br", "aes128gcm"])
def test_others_are_named(name: str) -> None:
    with pytest.raises(RequestError, match=rf"'{name.split()[-1]}'; gzip and deflate") as refused:
        parse_codings([name])
    assert refused.value.kind is UNSUPPORTED_ENCODING


def test_so_many_on_one_another() -> None:
    assert len(parse_codings(["gzip, " * MAX_CODINGS])) == MAX_CODINGS
    with pytest.raises(RequestError, match=f"at most {MAX_CODINGS}"):
        parse_codings(["gzip"] * (MAX_CODINGS + 1))


@pytest.mark.parametrize("name", ["gzip", "deflate in zlib's format", "deflate without a header", "two"])
def test_bombs_end_at_the_limit(name: str) -> None:
    header, encode = ENCODERS[name]
    bomb = encode(bytes(50 * 2**20))
    assert len(bomb) < LIMIT
    assert len(decoded(encode(bytes(LIMIT)), header)) == LIMIT
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        with pytest.raises(RequestError, match="more than 1234 bytes") as refused:
            decoded(bomb, header)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.kind is TOO_LARGE
    assert peak - before < 20 * LIMIT


@pytest.mark.parametrize("name", ["gzip", "deflate in zlib's format", "deflate without a header"])
def test_damage_is_told_as_such(name: str) -> None:
    header, encode = ENCODERS[name]
    data = encode(b"a picture" * 100)
    for broken in (b"\xff\xd8\xff\xe0 no such data", b"\xff" + data, data[:-1], b"", data + b"more"):
        with pytest.raises(RequestError, match=header) as refused:
            decoded(broken, header)
        assert refused.value.kind is BAD_BODY
