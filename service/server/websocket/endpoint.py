"""The WebSocket transport, for browsers: a configuration in JSON, then one picture in each message; answers in JSON.

From the client, in this order:
    text    {"drop_policy": "latest" | "none", "min_score", "max_faces", "refine", "input_size", "follow",
            "detect_every", "smoothing": {"min_cutoff", "beta"}, "neutral": {"browDown_L": 0.1, ... 46 names},
            "include": ["landmarks", "blendshapes"], "exclude": ["identity"], "stamped": false, "rotation": 0, "key"};
            all optional, {} is enough. neutral: everybody's resting face. rotation: degrees by which the frames have to
            be turned clockwise to be upright. key: an API key, since pages cannot set headers.
    binary  a JPEG, PNG, WebP or AVIF picture; with "stamped": true after 16 bytes, little-endian: uint64 sequence and
            int64 timestamp in microseconds. Otherwise frames are numbered from 1 and stamped when they come; then a
            picture may also come as text: a data URL.
    text    at any time: {"calibration": "take_neutral" | "reset"}, or {"rotation": 0 | 90 | 180 | 270} for the frames
            after it.

To the client: {"model": ...} once, then {"sequence", "timestamp_us", "dropped", "restarted", "image", "timing_ms",
"faces"} for each frame that is not dropped, as of POST /retarget, or "problem" in place of the last four. A stream that
the server ends says why in a last {"problem": ...}.
"""

import asyncio
import logging
import random
import struct
from functools import partial
from time import monotonic_ns
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, ValidationError
from pydantic_core import to_json
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from service import errors
from service.errors import RequestError
from service.inference.models import Models
from service.server import schema
from service.server.draining import LAST_MESSAGE_SECONDS, shutting_down
from service.server.problems import codes_of, problem_document
from service.server.proxies import FORWARDED_FOR, FORWARDED_HOST
from service.server.state import ServerState
from service.server.streaming.mailbox import DropPolicy
from service.server.streaming.producer import StreamProducer
from service.server.streaming.stream import Answer, Calibration, Frame, Stream
from service.server.telemetry.request_log import REQUEST_ID_HEADER, RequestLog
from service.server.websocket.frame_image import FrameImage, is_picture
from service.settings import Settings
from service.tracking.options import SmoothingOptions, StreamOptions
from service.vision.face_model import EXPRESSIONS
from service.vision.upright import ROTATIONS, check_rotation, upright

LOGGER: Final = logging.getLogger("mfn.websocket")
Message = TypeVar("Message", bound=BaseModel)
Rotation = Annotated[int, Field(json_schema_extra={"enum": list(ROTATIONS)})]
Weights = Annotated[
    dict[str, StrictFloat], Field(json_schema_extra={"minProperties": EXPRESSIONS, "maxProperties": EXPRESSIONS})
]
STAMP: Final = struct.Struct("<Qq")
AGE_JITTER: Final = 0.1  # of a stream's greatest age, up or down
PATH: Final = "/retarget/stream"
MAX_TEXT: Final = 4096  # characters of a message that is no picture
MAX_REASON: Final = 123  # bytes of a close frame's reason, RFC 6455 section 5.5
NORMAL_CLOSURE: Final = 1000  # RFC 6455, section 7.4.1


class SmoothingMessage(BaseModel):
    """Parameters of the One-Euro filter that smooths the faces."""

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
    neutral: Weights | None = None
    include: list[schema.Include] = []
    exclude: list[schema.Exclude] = []
    stamped: bool = False
    rotation: Rotation = 0
    key: str = ""

    def options(self, settings: Settings) -> StreamOptions:
        """The stream's options, with defaults of the settings. Raises RequestError BAD_PARAMETER."""
        check_rotation(self.rotation)
        smoothing = self.smoothing
        return StreamOptions(
            min_score=settings.default_min_score if self.min_score is None else self.min_score,
            max_faces=settings.default_max_faces if self.max_faces is None else self.max_faces,
            refine=self.refine,
            input_size=self.input_size,
            follow=self.follow,
            detect_every=self.detect_every,
            smoothing=SmoothingOptions(smoothing.min_cutoff, smoothing.beta) if smoothing else None,
        )


class CalibrationMessage(BaseModel):
    """A request about the neutral expressions."""

    model_config = ConfigDict(extra="forbid")
    calibration: Calibration


class RotationMessage(BaseModel):
    """The rotation of the frames after it: degrees by which they have to be turned clockwise to be upright."""

    model_config = ConfigDict(extra="forbid")
    rotation: Rotation


def stream_route(state: ServerState) -> WebSocketRoute:
    """The path of streams, /retarget/stream."""

    async def stream(socket: WebSocket) -> None:
        headers = socket.headers
        client = state.proxies.client_of(_peer(socket), headers.getlist(FORWARDED_FOR))
        log = RequestLog(
            state.telemetry, "websocket", PATH, headers.get(REQUEST_ID_HEADER), headers.get("traceparent"), client
        )
        code = "499"
        try:
            # Accepted whatever its origin: a page does not learn why a WebSocket is refused that was never open.
            await socket.accept(headers=[(REQUEST_ID_HEADER.encode(), log.request_id.encode())])
            code = await _serve(socket, state, log)
        except WebSocketDisconnect:
            pass
        finally:
            log.end(code, observed=False)

    return WebSocketRoute(PATH, stream)


def _peer(socket: WebSocket) -> str:
    """The address of the connection's other end."""
    return socket.client.host if socket.client else ""


async def _serve(socket: WebSocket, state: ServerState, log: RequestLog) -> str:
    """Serves a stream to its end. Returns the corresponding HTTP status."""
    try:
        await _answer(socket, state, log)
    except WebSocketDisconnect:
        raise
    except (Exception, asyncio.CancelledError) as error:
        # Only the server cancels a stream, when it shuts down and the time to finish is over.
        problem = log.problem_of(error) if isinstance(error, Exception) else shutting_down()
        if problem.kind is errors.ORIGIN_REFUSED:
            LOGGER.warning("refused a page: %s", problem.detail, extra={"fields": {"request_id": log.request_id}})
        await _end(socket, codes_of(problem).websocket, problem)
        return str(codes_of(problem).http)
    await _end(socket, NORMAL_CLOSURE)
    return "200"


async def _end(socket: WebSocket, code: int, problem: RequestError | None = None) -> None:
    if socket.application_state is WebSocketState.CONNECTED and socket.client_state is WebSocketState.CONNECTED:
        if problem is not None:
            await socket.send_text(to_json({"problem": problem_document(problem)}).decode())
        await socket.close(code, _reason(problem.detail) if problem else None)


def _reason(sentence: str) -> str:
    """As much of a sentence as a close frame may hold."""
    return sentence.encode()[:MAX_REASON].decode(errors="ignore")


async def _answer(socket: WebSocket, state: ServerState, log: RequestLog) -> None:
    headers = socket.headers
    host = state.proxies.host_of(_peer(socket), headers.get("host", ""), headers.getlist(FORWARDED_HOST))
    state.origins.check(headers.get("origin"), host)
    configuration = await _configuration(socket, state)
    if state.keys.required and not configuration.key:
        state.keys.check(socket.headers)
    else:
        state.keys.check_key(configuration.key)
    options = configuration.options(state.settings)
    models = state.pipeline.models
    with state.stream_slot():
        encode = partial(_encoded_answer, models=models, configuration=configuration)
        stream = Stream(state, options, configuration.drop_policy, log, encode, configuration.neutral)
        await _send(socket, state, _encoded({"model": schema.model_document(models)}))
        messages = _Messages(socket, state, configuration.stamped, configuration.rotation)
        async with StreamProducer(
            state, messages.read, stream, _age(state.settings.max_connection_age_seconds)
        ) as producer:
            async for answer in stream.answers():
                await _send(socket, state, answer)
            producer.raise_for_end()


def _age(most: float) -> float | None:
    """A stream's greatest age in seconds, with jitter as in gRPC, so that streams that began together do not reconnect
    together; None where `most` is 0."""
    return most * random.uniform(1 - AGE_JITTER, 1 + AGE_JITTER) if most else None


async def _configuration(socket: WebSocket, state: ServerState) -> Configuration:
    try:
        async with state.draining.limit(LAST_MESSAGE_SECONDS), asyncio.timeout(state.settings.header_seconds):
            message = await _receive(socket)
    except TimeoutError as error:
        raise RequestError(errors.DEADLINE_PASSED, "No configuration came. Send one first.") from error
    if not isinstance(message, str) or is_picture(message):
        raise RequestError(
            errors.BAD_BODY, "The first message is no configuration. Send the configuration first, {} will do."
        )
    return _parsed(Configuration, message)


async def _receive(socket: WebSocket) -> str | bytes:
    """Receives the next message. Raises WebSocketDisconnect at the end."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    data: str | bytes | None = message.get("bytes")
    return message["text"] if data is None else data


def _parsed(kind: type[Message], text: str) -> Message:
    if len(text) > MAX_TEXT:
        raise RequestError(
            errors.BAD_BODY,
            f"A text message has {len(text)} characters, and is no data URL; other texts have at most {MAX_TEXT}. Send "
            'pictures as binary messages, or as "data:image/jpeg;base64," with the base64 after it.',
        )
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "message"
        raise RequestError(
            errors.BAD_PARAMETER, f"The {where} of a text message is not valid: {first['msg']}."
        ) from error


class _Messages:
    """The messages of a stream after its configuration. stamped, rotation: as of that."""

    def __init__(self, socket: WebSocket, state: ServerState, stamped: bool, rotation: int) -> None:
        self._socket = socket
        self._state = state
        self._stamped = stamped
        self._rotation = rotation
        self._sequence = 0

    async def read(self) -> Frame | Calibration | None:
        """Reads the next frame or calibration; None after the last. Raises RequestError."""
        while True:
            try:
                message = await _receive(self._socket)
            except WebSocketDisconnect:
                return None
            if not isinstance(message, str) or is_picture(message):
                return self._frame(message)
            if '"rotation"' not in message:
                return _parsed(CalibrationMessage, message).calibration
            self._rotation = _parsed(RotationMessage, message).rotation
            check_rotation(self._rotation)

    def _frame(self, message: bytes | str) -> Frame:
        self._sequence += 1
        sequence, timestamp = self._sequence, monotonic_ns() // 1000
        if self._stamped:
            if isinstance(message, str):
                raise RequestError(
                    errors.BAD_BODY,
                    "A data URL has no place for a stamp. Send frames as binary messages, or leave `stamped` out of "
                    "the configuration.",
                )
            if len(message) < STAMP.size:
                raise RequestError(
                    errors.BAD_BODY, f"A stamped frame has {len(message)} bytes; its stamp alone has 16."
                )
            sequence, timestamp = STAMP.unpack_from(message)
            message = message[STAMP.size :]
        load = upright(FrameImage(message, self._state.settings).load, self._rotation)
        return Frame(sequence, timestamp, load, len(message))


def answer_document(answer: Answer, models: Models, configuration: Configuration) -> dict[str, Any]:
    """An answer as JSON types, with what the configuration includes and excludes."""
    frame, result = answer.frame, answer.result
    document: dict[str, Any] = {
        "sequence": frame.sequence,
        "timestamp_us": frame.timestamp_us,
        "dropped": answer.dropped,
    }
    if isinstance(result, RequestError):
        return document | {"problem": problem_document(result)}
    include, exclude = configuration.include, configuration.exclude
    faces = schema.face_documents(
        result.faces, models, result.width, result.height, include, exclude, result.uncalibrated
    )
    for face, track_id, neutral in zip(faces, result.track_id.tolist(), result.neutral, strict=True):
        face |= {"track_id": track_id, "neutral": neutral.value}
    return document | {
        "restarted": result.restarted,
        "image": {"width": result.width, "height": result.height},
        "timing_ms": schema.timing_document(result.timing),
        "faces": faces,
        **schema.unobserved_document(result.faces, include),
    }


def _encoded_answer(answer: Answer, models: Models, configuration: Configuration) -> str:
    """An answer as JSON; called in a worker's thread."""
    return _encoded(answer_document(answer, models, configuration))


def _encoded(document: dict[str, Any]) -> str:
    return to_json(document, inf_nan_mode="null").decode()


async def _send(socket: WebSocket, state: ServerState, text: str) -> None:
    """Sends a document. Raises RequestError where the client does not read, since its answers would pile up."""
    deadline = state.settings.frame_deadline_seconds
    try:
        async with asyncio.timeout(deadline):
            await socket.send_text(text)
    except TimeoutError as error:
        raise RequestError(
            errors.DEADLINE_PASSED, f"An answer was not read for {deadline:g} s. Read answers as they come."
        ) from error
