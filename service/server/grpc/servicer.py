"""The gRPC transport: the three calls of proto/mfn/v1/retarget.proto."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar
from urllib.parse import unquote

import grpc
from mfn.v1 import retarget_pb2 as pb

from service import errors
from service.errors import RequestError
from service.server.core import RetargetService
from service.server.draining import LAST_MESSAGE_SECONDS
from service.server.grpc import images, messages
from service.server.grpc.admission import Admission, largest_received, largest_served
from service.server.grpc.ending import abort, release
from service.server.grpc.messages import Included
from service.server.grpc.parsing import parsed, parsed_of_stream
from service.server.grpc.reading import Context, MessageReader
from service.server.problems import CODES, codes_of
from service.server.proxies import FORWARDED_FOR
from service.server.state import ServerState
from service.server.streaming.producer import StreamProducer
from service.server.streaming.stream import Calibration, Frame, Stream
from service.server.telemetry.request_log import REQUEST_ID_HEADER, RequestLog

Answer = TypeVar("Answer")
CALIBRATIONS: Final = {
    pb.CALIBRATION_TAKE_NEUTRAL: Calibration.TAKE_NEUTRAL,
    pb.CALIBRATION_RESET: Calibration.RESET,
}
# Messages of the largest size that may be received besides those in progress; clients on slow lines share them. A
# server with keys has more, since it reads messages of its own clients only.
OPEN_SPARE, KEYED_SPARE = 1, 16
SERVICE: Final = pb.DESCRIPTOR.services_by_name["RetargetService"].full_name


class NotReadError(Exception):
    """The client did not read an answer within a frame's deadline."""


class RetargetServicer:
    """Implements the calls. Each is logged and authenticated before its messages are read."""

    def __init__(self, state: ServerState) -> None:
        settings = state.settings
        self.calls = 0  # in work
        self._state = state
        self._service = RetargetService(state)
        self._model = messages.model_of(state.pipeline.models)
        spare = KEYED_SPARE if state.keys.required else OPEN_SPARE
        self._reader = MessageReader(largest_served(settings))
        self._admission = Admission(
            self._reader,
            settings.workers + spare,
            largest_received(settings),
            grace=settings.deadline_seconds / 2,
            longest=settings.stream_idle_seconds,
            waiting=settings.workers + settings.queue_length + settings.max_streams,  # no more could be served
        )

    def add_to(self, server: grpc.aio.Server) -> None:
        """Registers the calls. All are declared as streams of messages: gRPC would read a single message before it
        calls us. Answers with faces are serialized already, in the workers' threads."""
        handlers = {
            "GetModel": grpc.stream_unary_rpc_method_handler(
                self.get_model, None, pb.GetModelResponse.SerializeToString
            ),
            "Retarget": grpc.stream_unary_rpc_method_handler(self.retarget),
            "RetargetStream": grpc.stream_stream_rpc_method_handler(self.retarget_stream),
        }
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])

    async def get_model(self, _: object, context: Context) -> pb.GetModelResponse:
        """Answers GetModel. Its message is empty, and is not read."""
        return await self._logged("GetModel", context, self._get_model)

    async def retarget(self, _: object, context: Context) -> bytes:
        """Answers Retarget: the faces of one picture.

        It also answers while the server drains: gRPC accepts no calls after its GOAWAY, so the client of this one had
        not received that yet. A call whose message does not come then, either, is refused.
        """
        return await self._logged("Retarget", context, self._retarget)

    async def retarget_stream(self, _: object, context: Context) -> None:
        """Answers RetargetStream: the faces of a stream's frames, from its configuration to its end."""
        await self._logged("RetargetStream", context, self._retarget_stream, observed=False)

    async def _get_model(self, _: Context, __: RequestLog) -> pb.GetModelResponse:
        return pb.GetModelResponse(model=self._model)

    async def _retarget(self, context: Context, _: RequestLog) -> bytes:
        async with self._admission.slot() as slot:
            self._state.workers.refuse_when_full()
            async with self._state.draining.limit(LAST_MESSAGE_SECONDS):
                # No variable holds the message: it would be kept until the answer.
                answer = self._answer(parsed(pb.RetargetRequest, await slot.receive(context)))
            return await answer

    def _answer(self, request: pb.RetargetRequest) -> Awaitable[bytes]:
        """Queues a request, of which only the picture is kept."""
        state = self._state
        options = messages.retarget_options(request.options, state.settings)
        load = images.image_loader(request.image, state.settings)
        encode = partial(messages.encoded_response, models=state.pipeline.models, included=Included.of(request.options))
        return self._service.retarget(load, options, encode)

    async def _retarget_stream(self, context: Context, log: RequestLog) -> None:
        with self._state.stream_slot():
            config = await self._configuration(context)
            options = messages.stream_options(config, self._state.settings)
            policy = messages.drop_policy_of(config.drop_policy)
            included = Included.of(config.options)
            encode = partial(messages.encoded_answer, models=self._state.pipeline.models, included=included)
            stream = Stream(self._state, options, policy, log, encode, config.neutral or None)
            await self._write(context, pb.RetargetStreamResponse(model=self._model).SerializeToString())
            async with StreamProducer(self._state, partial(self._event, context), stream) as producer:
                async for message in stream.answers():
                    await self._write(context, message)
                producer.raise_for_end()

    async def _write(self, context: Context, message: bytes) -> None:
        """Sends an answer. Raises NotReadError where the client does not read, since its answers would pile up."""
        try:
            async with asyncio.timeout(self._state.settings.frame_deadline_seconds):
                await context.write(message)
        except TimeoutError as error:
            raise NotReadError from error

    async def _configuration(self, context: Context) -> pb.StreamConfig:
        try:
            async with (
                self._state.draining.limit(LAST_MESSAGE_SECONDS),
                asyncio.timeout(self._state.settings.stream_idle_seconds),
                self._admission.slot() as slot,
            ):
                first = parsed_of_stream(await slot.receive(context))
        except TimeoutError as error:
            raise RequestError(errors.DEADLINE_PASSED, "No configuration came. Send one first.") from error
        if first.WhichOneof("message") != "config":
            raise RequestError(
                errors.BAD_PARAMETER, "The stream's first message is no configuration. Send config first, then frames."
            )
        return first.config

    async def _event(self, context: Context) -> Frame | Calibration | None:
        """Reads the next message after a stream's configuration; None after the last. Raises RequestError."""
        if (data := await self._reader.read(context)) is None:
            return None
        message = parsed_of_stream(data)
        kind = message.WhichOneof("message")
        if kind == "frame":
            frame = message.frame
            # A bad picture is answered for its frame and does not end the stream, so it is decoded later.
            load = partial(images.load_image, frame.image, self._state.settings)
            return Frame(frame.sequence, frame.timestamp_us, load, len(data))
        if kind == "calibration" and message.calibration in CALIBRATIONS:
            return CALIBRATIONS[message.calibration]
        if kind == "config":
            raise RequestError(
                errors.BAD_PARAMETER,
                "A second configuration came; a stream has one. Open another stream for another.",
            )
        raise RequestError(
            errors.BAD_PARAMETER, "A message is neither a frame nor a known calibration. Set one of them."
        )

    async def _logged(
        self,
        method: str,
        context: Context,
        serve: Callable[[Context, RequestLog], Awaitable[Answer]],
        observed: bool = True,
    ) -> Answer:
        """Answers a call by `serve`, where its metadata and key are allowed, and logs it; an error ends it."""
        sent = context.invocation_metadata() or ()
        metadata = {str(key): value for key, value in sent if isinstance(value, str)}
        request_id, trace_parent = metadata.get(REQUEST_ID_HEADER), metadata.get("traceparent")
        forwarded = [metadata[FORWARDED_FOR]] if FORWARDED_FOR in metadata else []
        client = self._state.proxies.client_of(_peer(context), forwarded)
        log = RequestLog(self._state.telemetry, "grpc", method, request_id, trace_parent, client)
        code = "CANCELLED"
        self.calls += 1
        context.set_trailing_metadata(((REQUEST_ID_HEADER, log.request_id),))
        try:
            self._check_size(sum(len(key) + len(value) for key, value in sent))
            self._state.keys.check(metadata)
            answer = await serve(context, log)
            code = "OK"
            return answer
        except NotReadError:
            # A status could not be sent past the unread answers either. A cancelled call is reset without one.
            code = CODES[errors.DEADLINE_PASSED].grpc
            raise asyncio.CancelledError from None
        except Exception as error:
            problem = log.problem_of(error)
            code = codes_of(problem).grpc
            release(error)
            await abort(context, problem, log.request_id)
        finally:
            self.calls -= 1
            log.end(code, observed)

    def _check_size(self, metadata: int) -> None:
        """metadata: bytes of the call's. Raises RequestError HEADERS_TOO_LARGE where they are too many."""
        if metadata > (most := self._state.settings.max_header_bytes):
            raise RequestError(
                errors.HEADERS_TOO_LARGE,
                f"The call's metadata have {metadata} bytes; at most {most} are read. Send less.",
            )


def _peer(context: Context) -> str:
    """The address of the connection's other end, of gRPC's form ipv4:127.0.0.1:80 or ipv6:[::1]:80, percent-encoded."""
    return unquote(context.peer().partition(":")[2]).rpartition(":")[0].strip("[]")
