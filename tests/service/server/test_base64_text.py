"""Base64 in every form that clients send, against the standard library's encoders."""

import base64
import random
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BAD_BODY, RequestError
from service.server.base64_text import PIECE, decode_base64, encoded_size, is_data_url

FORMS: dict[str, Callable[[bytes], bytes]] = {
    "section 4": base64.b64encode,
    "section 5": base64.urlsafe_b64encode,
    "without padding": lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
    "lines of MIME": base64.encodebytes,
    "lines of CRLF": lambda data: base64.encodebytes(data).replace(b"\n", b"\r\n"),
    "indented": lambda data: b"\t " + base64.encodebytes(data).replace(b"\n", b"\n    "),
    "a space between every two": lambda data: b" ".join(bytes([c]) for c in base64.b64encode(data)),
    "a data URL": lambda data: b"data:image/jpeg;base64," + base64.b64encode(data),
    "with parameters": lambda data: b"DATA:image/png;name=a.png;Base64," + base64.b64encode(data),
    "with more behind it": lambda data: base64.b64encode(data) + b"===\r\n=" + b" \n" * 20,
    "of no type": lambda data: b"\ndata:;base64, " + base64.urlsafe_b64encode(data),
}


@pytest.mark.parametrize("form", FORMS)
@given(data=st.binary(max_size=300))
def test_every_form(form: str, data: bytes) -> None:
    assert decode_base64(FORMS[form](data), "It") == data
    assert encoded_size(len(data)) == len(base64.b64encode(data))


@pytest.mark.parametrize("form", FORMS)
def test_longer_than_what_is_decoded_at_a_time(form: str) -> None:
    data = random.Random(1).randbytes(PIECE + 1000)
    assert decode_base64(FORMS[form](data), "It") == data


@pytest.mark.parametrize(
    "text",
    [
        b"A",
        b"AAAAA",
        b"AA==AA==",
        b"AAAA" * (PIECE // 4 - 1) + b"AA==AAAA",
        b"AAAA" * (PIECE // 4 - 1) + b"AA==" + b" " * PIECE + b"AAAA",
        b"=AAA",
        b"not base64",
        b"AAA*",
        "AAA\u00e9".encode(),
        b"data:image/png;base64,A",
    ],
)
def test_what_is_none(text: bytes) -> None:
    with pytest.raises(RequestError, match=r"^It is not base64") as refused:
        decode_base64(text, "It")
    assert refused.value.kind is BAD_BODY


@pytest.mark.parametrize("text", [b"data:image/svg+xml,<svg/>", b"data:image/png;base64", b"data:," + b"A" * 9999])
def test_data_urls_of_another_form(text: bytes) -> None:
    assert is_data_url(text)
    with pytest.raises(RequestError, match='expected "data:image/jpeg;base64,"'):
        decode_base64(text, "It")


def test_white_space_takes_no_memory() -> None:
    text = b"A " * 2**20
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        assert len(decode_base64(text, "It")) == 3 * 2**18
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 2 * len(text)
