"""The WebSocket door for browsers: a configuration as JSON, then a picture a message; an answer a frame as JSON.

From the client, in this order:
    text    {"drop_policy": "latest" | "none", "min_score", "max_faces", "refine", "input_size", "follow",
            "detect_every", "smoothing": {"min_cutoff", "beta"}, "include": ["landmarks", "blendshapes"],
            "stamped": false, "key"}; all optional, {} will do. key: an API key, for pages cannot set headers.
    binary  a JPEG, PNG or WebP picture; with "stamped": true after 16 bytes, little-endian: uint64 sequence and int64
            timestamp in microseconds. Otherwise frames are numbered from 1 and stamped when they come.
    text    at any time: {"calibration": "take_neutral" | "reset"}.

To the client: {"model": ...} once, then {"sequence", "timestamp_us", "dropped", "image", "timing_ms", "faces"} for each
frame that is not dropped, as of POST /retarget, or "problem" in place of the last three. A stream that the server ends
says why in a last {"problem": ...}.
"""

import asyncio
import random
import struct
from collections.abc import AsyncIterator
from functools import partial
from time import monotonic_ns
from typing import Any, Final, Literal, TypeVar

from fastapi import FastAPI, WebSocket
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json
from starlette.websockets import WebSocketDisconnect, WebSocketState

from service import errors
from service.errors import RequestError
from service.inference.models import Models
from service.server import schema
from service.server.state import ServerState
from service.server.streaming.feed import Feed
from service.server.streaming.mailbox import DropPolicy
from service.server.streaming.stream import Answer, Calibration, Frame, Stream
from service.server.telemetry.request_log import REQUEST_ID_HEADER, RequestLog
from service.tracking.options import SmoothingOptions, StreamOptions
from service.vision.image import ImageLoader, decode

Message = TypeVar("Message", bound=BaseModel)
STAMP: Final = struct.Struct("<Qq")
AGE_JITTER: Final = 0.1
MAX_TEXT: Final = 4096  # characters of a message that is no picture
CLOSED_NORMALLY, POLICY_VIOLATED, FAILED, TRY_LATER = 1000, 1008, 1011, 1013  # RFC 6455 section 7.4.1, and IANA's
CLOSE_CODES: Final = {errors.OVERLOADED: TRY_LATER, errors.UNAVAILABLE: TRY_LATER, errors.INTERNAL: FAILED}


class SmoothingMessage(BaseModel):
    model_config = ConfigDict(extra="forbid")
    min_cutoff: float = SmoothingOptions.min_cutoff
    beta: float = SmoothingOptions.beta


class Configuration(BaseModel):
    """The first message."""

    model_config = ConfigDict(extra="forbid")
    drop_policy: DropPolicy = DropPolicy.LATEST
    min_score: float | None = None
    max_faces: int | None = None
    refine: bool = False
    input_size: int | None = None
    follow: bool = False
    detect_every: int = StreamOptions.detect_every
    smoothing: SmoothingMessage | None = None
    include: list[Literal["landmarks", "blendshapes"]] = []
    stamped: bool = False
    key: str = ""


class CalibrationMessage(BaseModel):
    model_config = ConfigDict(extra="forbid")
    calibration: Calibration


def add_stream(app: FastAPI, runtime: ServerState) -> None:
    """Serves the door at /retarget/stream."""
    origins = {origin.strip() for origin in runtime.settings.cors_origins.split(",")} - {""}

    @app.websocket("/retarget/stream")
    async def stream(socket: WebSocket) -> None:
        headers = socket.headers
        record = RequestLog(
            runtime.telemetry,
            "websocket",
            "/retarget/stream",
            headers.get(REQUEST_ID_HEADER),
            headers.get("traceparent"),
        )
        code = "499"
        try:
            # browsers let any page open a socket: pages of other hosts are refused here, as CORS refuses them elsewhere
            if not _may_open(headers.get("origin"), headers.get("host", ""), origins):
                code = "403"
                await socket.close(POLICY_VIOLATED)
                return
            await socket.accept(headers=[(REQUEST_ID_HEADER.encode(), record.request_id.encode())])
            code = await _serve(socket, runtime)
        except WebSocketDisconnect:
            pass
        finally:
            record.end(code, observed=False)


def _may_open(origin: str | None, host: str, allowed: set[str]) -> bool:
    """Programs other than browsers send no origin."""
    return origin is None or "*" in allowed or origin in allowed or origin.partition("://")[2] == host


async def _serve(socket: WebSocket, runtime: ServerState) -> str:
    """The status that HTTP would have ended with."""
    try:
        await _answer(socket, runtime)
    except RequestError as problem:
        await _end(socket, CLOSE_CODES.get(problem.kind, POLICY_VIOLATED), problem)
        return str(problem.kind.status)
    except (WebSocketDisconnect, asyncio.CancelledError):
        raise
    except Exception:
        await _end(socket, FAILED, RequestError(errors.INTERNAL, "The server failed; the error is in its log."))
        raise
    await _end(socket, CLOSED_NORMALLY)
    return "200"


async def _end(socket: WebSocket, code: int, problem: RequestError | None = None) -> None:
    if socket.application_state is WebSocketState.CONNECTED and socket.client_state is WebSocketState.CONNECTED:
        if problem is not None:
            await socket.send_text(to_json({"problem": problem.document()}).decode())
        await socket.close(code)


async def _answer(socket: WebSocket, runtime: ServerState) -> None:
    configuration = await _configuration(socket, runtime)
    if runtime.keys.wanted and not configuration.key:
        runtime.keys.check(socket.headers)
    else:
        runtime.keys.check_key(configuration.key)
    settings = runtime.settings
    smoothing = configuration.smoothing
    options = StreamOptions(
        min_score=settings.default_min_score if configuration.min_score is None else configuration.min_score,
        max_faces=settings.default_max_faces if configuration.max_faces is None else configuration.max_faces,
        refine=configuration.refine,
        follow=configuration.follow,
        detect_every=configuration.detect_every,
        input_size=configuration.input_size,
        smoothing=SmoothingOptions(smoothing.min_cutoff, smoothing.beta) if smoothing else None,
    )
    models = runtime.pipeline.models
    runtime.open_stream()
    try:
        stream = Stream(runtime, options, configuration.drop_policy, "websocket")
        await _send(socket, runtime, {"model": schema.model_document(models)})
        events = _events(socket, runtime, configuration.stamped)
        async with Feed(runtime, events, stream, _age(settings.max_connection_age_seconds)) as feed:
            async for answer in stream.answers():
                await _send(socket, runtime, answer_document(answer, models, configuration.include))
            feed.raise_for_end()
    finally:
        runtime.close_stream()


def _age(most: float) -> float | None:
    """A tenth more or less, as gRPC does, lest all that began together come again together; None where `most` is 0."""
    return most * random.uniform(1 - AGE_JITTER, 1 + AGE_JITTER) if most else None


async def _configuration(socket: WebSocket, runtime: ServerState) -> Configuration:
    try:
        async with asyncio.timeout(runtime.settings.header_seconds):
            message = await _receive(socket)
    except TimeoutError as error:
        raise RequestError(errors.DEADLINE_PASSED, "No configuration came. Send one first.") from error
    if not isinstance(message, str):
        raise RequestError(errors.BAD_BODY, "The first message is no text. Send the configuration first, {} will do.")
    return _parsed(Configuration, message)


async def _receive(socket: WebSocket) -> str | bytes:
    """The next message. Raises WebSocketDisconnect at the end."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    data: str | bytes | None = message.get("bytes")
    return message["text"] if data is None else data


def _parsed(kind: type[Message], text: str) -> Message:
    if len(text) > MAX_TEXT:
        raise RequestError(errors.TOO_LARGE, f"A text message has over {MAX_TEXT} characters. Send less.")
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "message"
        raise RequestError(
            errors.BAD_PARAMETER, f"The {where} of a text message is not valid: {first['msg']}."
        ) from error


async def _events(socket: WebSocket, runtime: ServerState, stamped: bool) -> AsyncIterator[Frame | Calibration]:
    sequence = 0
    while True:
        try:
            message = await _receive(socket)
        except WebSocketDisconnect:
            return
        if isinstance(message, str):
            yield _parsed(CalibrationMessage, message).calibration
            continue
        sequence, timestamp = sequence + 1, monotonic_ns() // 1000
        if stamped:
            if len(message) < STAMP.size:
                raise RequestError(
                    errors.BAD_BODY, f"A stamped frame has {len(message)} bytes; its stamp alone has 16."
                )
            sequence, timestamp = STAMP.unpack_from(message)
            message = message[STAMP.size :]
        yield Frame(sequence, timestamp, _source(message, runtime))


def _source(data: bytes, runtime: ServerState) -> ImageLoader:
    return partial(decode, data, max_megapixels=runtime.settings.max_megapixels)


def answer_document(
    answer: Answer, models: Models, include: list[Literal["landmarks", "blendshapes"]]
) -> dict[str, Any]:
    """An answer as JSON types."""
    frame, result = answer.frame, answer.result
    document: dict[str, Any] = {
        "sequence": frame.sequence,
        "timestamp_us": frame.timestamp_us,
        "dropped": answer.dropped,
    }
    if isinstance(result, RequestError):
        return document | {"problem": result.document()}
    faces = schema.face_documents(result.faces, models, result.width, result.height, include, result.seen)
    for face, track_id, neutral in zip(faces, result.track_id.tolist(), result.neutral, strict=True):
        face |= {"track_id": track_id, "neutral": neutral.value}
    return document | {
        "image": {"width": result.width, "height": result.height},
        "timing_ms": schema.timing_document(vars(result.timing)),
        "faces": faces,
        **schema.unobserved_document(result.faces, include),
    }


async def _send(socket: WebSocket, runtime: ServerState, document: dict[str, Any]) -> None:
    """Raises RequestError where the client does not read: its answers would pile up."""
    deadline = runtime.settings.frame_deadline_seconds
    try:
        async with asyncio.timeout(deadline):
            await socket.send_text(to_json(document, inf_nan_mode="null").decode())
    except TimeoutError as error:
        raise RequestError(
            errors.DEADLINE_PASSED, f"An answer was not read for {deadline:g} s. Read answers as they come."
        ) from error
