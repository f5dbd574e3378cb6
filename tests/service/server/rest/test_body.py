import asyncio
import base64
import gzip
import json
import random
import zlib
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from service.errors import BAD_BODY, OVERLOADED, TOO_LARGE, ProblemKind, RequestError
from service.server.draining import Draining
from service.server.held_bytes import HeldBytes
from service.server.rest.body import ENVELOPE_BYTES, BodyReader, kind_of, picture_bytes
from service.server.rest.media_types import parse_media_type
from service.server.rest.uploads import Uploads
from service.settings import Settings

HANG_UP = None


def request(chunks: Sequence[bytes | None], headers: dict[str, str] | None = None) -> tuple[Request, list[int]]:
    """A request whose body comes in chunks, None for a sender who hangs up; and the lengths read so far."""
    read: list[int] = []

    async def messages() -> AsyncIterator[Message]:
        for i, chunk in enumerate(chunks):
            if chunk is None:
                yield {"type": "http.disconnect"}
            else:
                read.append(len(chunk))
                yield {"type": "http.request", "body": chunk, "more_body": i < len(chunks) - 1}

    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, messages().__anext__), read


def reader_of(max_bytes: int, budget: int = 2**20) -> BodyReader:
    """budget: bytes of all bodies together."""
    settings = Settings(max_bytes=max_bytes)
    return BodyReader(settings, Uploads(settings, HeldBytes(budget), Draining()))


def problem_of(reader: BodyReader, chunks: Sequence[bytes | None], kind: str = "image/png") -> ProblemKind:
    with pytest.raises(RequestError) as refused:
        asyncio.run(reader.read(request(chunks)[0], kind))
    return refused.value.kind


def test_chunks_are_joined() -> None:
    assert asyncio.run(reader_of(10).read(request([b"ab", b"", b"cde"])[0], "image/png")).data == b"abcde"


def test_limit_stops_the_reading() -> None:
    sent, read = request([bytes(6)] * 100)
    with pytest.raises(RequestError) as refused:
        asyncio.run(reader_of(10).read(sent, "image/png"))
    assert refused.value.kind is TOO_LARGE
    assert read == [6, 6]


def test_announced_length_is_enough_to_refuse() -> None:
    sent, read = request([bytes(6)] * 3, {"Content-Length": "18"})
    with pytest.raises(RequestError) as refused:
        asyncio.run(reader_of(10).read(sent, "image/png"))
    assert refused.value.kind is TOO_LARGE
    assert read == []


def test_envelopes_have_room_for_the_largest_picture() -> None:
    reader = reader_of(1000)
    encoded = base64.b64encode(bytes(1000))
    assert asyncio.run(reader.read(request([encoded, bytes(ENVELOPE_BYTES)])[0], "application/json")).data
    assert problem_of(reader, [encoded, bytes(ENVELOPE_BYTES + 1)], "application/json") is TOO_LARGE
    assert asyncio.run(reader.read(request([bytes(1000 + ENVELOPE_BYTES)])[0], "multipart/form-data")).data


def test_sender_who_hangs_up() -> None:
    assert problem_of(reader_of(10), [b"ab", HANG_UP]) is BAD_BODY


def test_bodies_that_come_or_wait_share_a_bound_and_give_it_back() -> None:
    async def scenario() -> None:
        reader = reader_of(3 * ENVELOPE_BYTES, 5 * ENVELOPE_BYTES)
        chunk = bytes(3 * ENVELOPE_BYTES)
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> Message:
            if begun.is_set():
                await go_on.wait()
                return {"type": "http.request", "body": b"", "more_body": False}
            begun.set()
            return {"type": "http.request", "body": chunk, "more_body": True}

        first = asyncio.create_task(reader.read(Request({"type": "http", "headers": []}, slow), "image/png"))
        await begun.wait()
        with pytest.raises(RequestError) as refused:
            await reader.read(request([chunk])[0], "image/png")
        assert refused.value.kind is OVERLOADED
        go_on.set()
        body = await first
        assert len(body.data) == len(chunk)
        with pytest.raises(RequestError, match="MFN_MAX_WAITING_BYTES"):
            await reader.read(request([chunk])[0], "image/png")  # it waits, and is still held
        del first, body, refused  # the refusal's frames hold what was being received
        await asyncio.sleep(0)  # the loop lets go of the task
        for _ in range(5):
            body = await reader.read(request([chunk])[0], "image/png")
            assert len(body.data) == len(chunk)
            del body

    asyncio.run(scenario())


def test_a_body_that_announces_more_than_fits_is_not_read() -> None:
    reader = reader_of(10, 15)
    held = asyncio.run(reader.read(request([bytes(6)])[0], "image/png"))
    sent, read = request([bytes(10)], {"Content-Length": "10"})
    with pytest.raises(RequestError) as refused:
        asyncio.run(reader.read(sent, "image/png"))
    assert (refused.value.kind, refused.value.retry_after, read) == (OVERLOADED, 1, [])
    assert len(asyncio.run(reader.read(request([bytes(9)], {"Content-Length": "9"})[0], "image/png")).data) == 9
    assert len(held.data) == 6


def test_rest_of_a_refused_body_is_read_within_bounds() -> None:
    sent, read = request([bytes(10)] * 1000)
    asyncio.run(reader_of(10).drain(sent))
    assert 10 <= len(read) < 50
    sent, read = request([bytes(10)] * 3)
    asyncio.run(reader_of(10).drain(sent))
    assert len(read) == 3


def test_nothing_is_read_of_a_sender_who_asks_first() -> None:
    sent, read = request([bytes(10)] * 3, {"Expect": "100-continue"})
    asyncio.run(reader_of(10).drain(sent))
    assert read == []


@given(st.binary(max_size=3000))
def test_every_byte_survives_every_envelope(data: bytes) -> None:
    head = b'--b"b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n'
    form = head + b"\r\n" + data + b'\r\n--b"b--\r\n'
    document = json.dumps({"image": base64.b64encode(data).decode()}).encode()
    url = b"data:image/png;base64," + base64.b64encode(data)
    encoded = base64.encodebytes(data).strip().replace(b"\n", b"\r\n")
    assert picture_bytes(b"\x89" + data, "image/png", "", 3001) == b"\x89" + data
    assert picture_bytes(document, "application/json", "", 3000) == data
    assert picture_bytes(url, "text/plain", "", 3000) == data
    assert picture_bytes(head + b"\r\n" + url + b'\r\n--b"b--\r\n', "multipart/form-data", 'b"b', 3000) == data
    mail = head + b"Content-Transfer-Encoding: BASE64\r\n\r\n" + encoded + b'\r\n--b"b--\r\n'
    assert picture_bytes(mail, "multipart/form-data", 'b"b', 3000) == data
    if not data.startswith(b"data:"):
        assert picture_bytes(form, "multipart/form-data", 'b"b', 3000) == data


@given(st.binary(max_size=200), st.sampled_from(["multipart/form-data", "application/json"]))
def test_any_body_is_read_or_refused(body: bytes, kind: str) -> None:
    for sent in (body, b"--b\r\n" + body, b'{"image":' + body):
        try:
            assert isinstance(picture_bytes(sent, kind, "b", 1000), bytes)
        except RequestError as refused:
            assert refused.detail  # noqa: PT017


@pytest.mark.parametrize(
    "header", ["text/html; charset=utf-8", "multipart/mixed", "application/pdf", "video/mp4", "image", "\x00"]
)
def test_media_types_of_something_else_are_refused(header: str) -> None:
    with pytest.raises(RequestError, match=r"image/jpeg.*multipart/form-data.*application/json"):
        parse_media_type(header)


@pytest.mark.parametrize(
    ("header", "kind", "boundary"),
    [
        ('Multipart/Form-Data; boundary="a b"', "multipart/form-data", "a b"),
        ("image/webp", "image/webp", ""),
        ("IMAGE/X-PNG; q=1", "image/x-png", ""),
        ("text/plain;charset=UTF-8", "text/plain", ""),
        (None, "", ""),
        (";", "", ""),
    ],
)
def test_media_type_and_boundary(header: str | None, kind: str, boundary: str) -> None:
    assert parse_media_type(header) == (kind, boundary)


@pytest.mark.parametrize("kind", ["", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain"])
def test_bytes_tell_what_types_do_not(kind: str) -> None:
    assert kind_of(b' \n{"image": ""}', kind) == "application/json"
    assert kind_of(b"\x89PNG{", kind) == kind
    assert kind_of(b"{", "image/png") == "image/png"


def test_an_encoded_body_may_be_longer_and_counts_as_it_is_inside() -> None:
    """What cannot be compressed becomes longer by it."""
    picture = random.Random(1).randbytes(100_000)
    reader = reader_of(len(picture))
    for headers in ({"Content-Encoding": "gzip"}, {"Content-Encoding": "gzip, deflate, x-gzip"}):
        sent = gzip.compress(picture)
        if "," in headers["Content-Encoding"]:
            sent = gzip.compress(zlib.compress(sent))
        body = asyncio.run(reader.read(request([sent], headers)[0], "image/png"))
        assert len(body.data) > len(picture)
        assert body.content() == picture
    body = asyncio.run(reader.read(request([gzip.compress(picture + b"x")], {"Content-Encoding": "gzip"})[0], "a/b"))
    assert len(body.content()) == len(picture) + 1  # within the limit of an envelope
    body = asyncio.run(
        reader.read(request([gzip.compress(picture + b"x")], {"Content-Encoding": "gzip"})[0], "image/png")
    )
    with pytest.raises(RequestError, match=f"more than {len(picture)} bytes"):
        body.content()
