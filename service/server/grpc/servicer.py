"""The gRPC door: the three calls of proto/mfn/v1/retarget.proto over the same pipeline as REST."""

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncIterator
from functools import partial
from time import perf_counter
from typing import Final, NoReturn, TypeVar

import grpc
from google.protobuf.message import DecodeError
from mfn.v1 import retarget_pb2 as pb

from service import errors
from service.errors import RequestError, memory_problem
from service.inference.pipeline import RetargetOptions
from service.server.grpc import messages
from service.server.grpc.messages import Included
from service.server.grpc.admission import Admission, Context, largest_message, read
from service.server.state import ServerState
from service.server.streaming.feed import Feed
from service.server.streaming.stream import Calibration, Frame, Stream
from service.server.telemetry.request_log import REQUEST_ID_HEADER, RequestLog
from service.vision.image import ImageLoader

LOGGER: Final = logging.getLogger("mfn.grpc")
PROBLEM_HEADER: Final = "mfn-problem"  # trailing metadata: the problem's name, as in REST's problem documents
CALIBRATIONS: Final = {
    pb.CALIBRATION_TAKE_NEUTRAL: Calibration.TAKE_NEUTRAL,
    pb.CALIBRATION_RESET: Calibration.RESET,
}
FAILED: Final = "The server could not finish this request; the error is in its log. Others are served as before."
# Messages of the largest size that there is room for beside those in work. While one is received it counts as such, so
# that clients on slow lines share these places. A server with keys has more of them: it reads its own clients only.
OPEN_SPARE, KEYED_SPARE = 2, 32
SERVICE: Final = pb.DESCRIPTOR.services_by_name["RetargetService"].full_name
Message = TypeVar("Message", pb.RetargetRequest, pb.RetargetStreamRequest)


class NotReadError(Exception):
    """An answer was not read within a frame's deadline."""


class RetargetServicer:
    """Every call is recorded, checked for a key, and ended with the code of its problem where it has one.

    Messages are read after that, by the call itself.
    """

    def __init__(self, runtime: ServerState) -> None:
        settings = runtime.settings
        self._runtime = runtime
        self._model = messages.model_of(runtime.pipeline.models)
        spare = KEYED_SPARE if runtime.keys.wanted else OPEN_SPARE
        self._admission = Admission(
            settings.workers + spare,
            largest_message(settings.max_bytes),
            settings.deadline_seconds / 2,
            waiting=settings.workers + settings.queue_length + settings.max_streams,  # no more could be served
        )

    def add_to(self, server: grpc.aio.Server) -> None:
        """Registers the calls. To gRPC all of them have a stream of messages: it would read a single one before it
        called us."""
        handlers = {
            "GetModel": grpc.stream_unary_rpc_method_handler(
                self.get_model, None, pb.GetModelResponse.SerializeToString
            ),
            "Retarget": grpc.stream_unary_rpc_method_handler(
                self.retarget, None, pb.RetargetResponse.SerializeToString
            ),
            "RetargetStream": grpc.stream_stream_rpc_method_handler(
                self.retarget_stream, None, pb.RetargetStreamResponse.SerializeToString
            ),
        }
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])

    async def get_model(self, _: object, context: Context) -> pb.GetModelResponse:
        """Its message says nothing, and is not read."""
        async with self._recorded("GetModel", context):
            return pb.GetModelResponse(model=self._model)

    async def retarget(self, _: object, context: Context) -> pb.RetargetResponse:
        async with self._recorded("Retarget", context):
            # Also while the server drains: gRPC hands over no call that comes after its goodbye (GOAWAY), and whoever
            # sent this one had not heard it yet.
            deadline = self._runtime.settings.deadline_seconds
            try:
                async with asyncio.timeout(deadline), self._admission.place() as place:
                    return await self._answer(_parsed(pb.RetargetRequest, await place.receive(context)))
            except TimeoutError as error:
                raise RequestError(
                    errors.DEADLINE_PASSED,
                    f"No answer after {deadline:g} s, the most that a request may take. "
                    "Send a smaller picture, or send it again when the server is less busy.",
                ) from error

    def _answer(self, request: pb.RetargetRequest) -> asyncio.Future[pb.RetargetResponse]:
        """Of the request only the picture is kept."""
        runtime = self._runtime
        options = messages.options_of(request.options, runtime.settings)
        source = messages.source_of(request.image, runtime.settings)
        included = Included.of(request.options)
        # No closure: the frame of one that failed keeps what is closed over for as long as the error is kept.
        job = partial(self._work, source, options, included, submitted=perf_counter())
        return asyncio.wrap_future(runtime.workers.submit(job))

    def _work(
        self, source: ImageLoader, options: RetargetOptions, included: Included, submitted: float
    ) -> pb.RetargetResponse:
        """In a worker's thread. submitted: when it was given to the workers, in seconds of perf_counter."""
        runtime = self._runtime
        models = runtime.pipeline.models
        queue_ms = (perf_counter() - submitted) * 1e3
        result = runtime.pipeline.retarget_source(source, options, queue_ms)
        runtime.metrics.stages(vars(result.timing), len(result.faces))
        return pb.RetargetResponse(
            width=result.width,
            height=result.height,
            faces=messages.faces_of(result.faces, models, result.width, result.height, included),
            timing=messages.timing_of(result.timing),
            model_version=models.manifest.version,
            unobserved_arkit=messages.unobserved_of(result.faces, included),
        )

    async def retarget_stream(self, _: object, context: Context) -> None:
        async with self._recorded("RetargetStream", context, observed=False):
            self._runtime.open_stream()
            try:
                config = await self._configuration(context)
                options = messages.live_options_of(config, self._runtime.settings)
                policy = messages.drop_policy_of(config.drop_policy)
                included = Included.of(config.options)
                stream = Stream(self._runtime, options, policy, "grpc")
                await self._write(context, pb.RetargetStreamResponse(model=self._model))
                async with Feed(self._runtime, self._events(context), stream) as feed:
                    async for answer in stream.answers():
                        message = messages.answer_of(answer, self._runtime.pipeline.models, included)
                        await self._write(context, pb.RetargetStreamResponse(answer=message))
                    feed.raise_for_end()
            finally:
                self._runtime.close_stream()

    async def _write(self, context: Context, message: pb.RetargetStreamResponse) -> None:
        """Raises NotReadError where the client does not read: its answers would pile up."""
        try:
            async with asyncio.timeout(self._runtime.settings.frame_deadline_seconds):
                await context.write(message)
        except TimeoutError as error:
            raise NotReadError from error

    async def _configuration(self, context: Context) -> pb.StreamConfig:
        try:
            async with asyncio.timeout(self._runtime.settings.stream_idle_seconds), self._admission.place() as place:
                first = _parsed(pb.RetargetStreamRequest, await place.receive(context))
        except TimeoutError as error:
            raise RequestError(errors.DEADLINE_PASSED, "No configuration came. Send one first.") from error
        if first.WhichOneof("message") != "config":
            raise RequestError(
                errors.BAD_PARAMETER, "The stream's first message is no configuration. Send config first, then frames."
            )
        return first.config

    async def _events(self, context: Context) -> AsyncIterator[Frame | Calibration]:
        while (data := await read(context)) is not None:
            message = _parsed(pb.RetargetStreamRequest, data)
            kind = message.WhichOneof("message")
            if kind == "frame":
                frame = message.frame
                # what is wrong with a picture is the answer to its frame, and no end of the stream
                source = partial(messages.picture_of, frame.image, self._runtime.settings)
                yield Frame(frame.sequence, frame.timestamp_us, source)
            elif kind == "calibration" and message.calibration in CALIBRATIONS:
                yield CALIBRATIONS[message.calibration]
            elif kind == "config":
                raise RequestError(
                    errors.BAD_PARAMETER,
                    "A second configuration came; a stream has one. Open another stream for another.",
                )
            else:
                raise RequestError(
                    errors.BAD_PARAMETER, "A message is neither a frame nor a known calibration. Set one of them."
                )

    @contextlib.asynccontextmanager
    async def _recorded(self, method: str, context: Context, observed: bool = True) -> AsyncIterator[None]:
        metadata = {str(key): value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        request_id, trace_parent = metadata.get(REQUEST_ID_HEADER), metadata.get("traceparent")
        record = RequestLog(self._runtime.telemetry, "grpc", method, request_id, trace_parent)
        code = "CANCELLED"
        context.set_trailing_metadata(((REQUEST_ID_HEADER, record.request_id),))
        try:
            self._runtime.keys.check(metadata)
            yield
            code = "OK"
        except NotReadError:
            # behind what was not read no status can be sent either; a cancelled call is reset and says nothing
            code = errors.DEADLINE_PASSED.grpc
            raise asyncio.CancelledError from None
        except RequestError as problem:
            code = problem.kind.grpc
            await _abort(context, problem, record)
        except Exception as error:
            failure = memory_problem(error) or RequestError(errors.INTERNAL, FAILED)
            code = failure.kind.grpc
            fields = {"request_id": record.request_id}
            if failure.kind is errors.INTERNAL:
                LOGGER.exception("a call failed", extra={"fields": fields})
            else:
                LOGGER.warning("no memory left for a call: %r", error, extra={"fields": fields})
            await _abort(context, failure, record)
        finally:
            record.end(code, observed)


def _parsed(kind: type[Message], data: bytes | None) -> Message:
    """Raises RequestError BAD_BODY where the bytes are no such message; none at all are an empty one."""
    try:
        return kind.FromString(data or b"")
    except DecodeError as error:
        raise RequestError(
            errors.BAD_BODY, f"The message is no {kind.DESCRIPTOR.full_name}. Send one as proto/mfn/v1 has it."
        ) from error


async def _abort(context: Context, problem: RequestError, record: RequestLog) -> NoReturn:
    _let_go(problem)
    metadata = [(REQUEST_ID_HEADER, record.request_id), (PROBLEM_HEADER, problem.kind.name)]
    if problem.retry_after is not None:
        metadata.append(("retry-after", str(problem.retry_after)))
    await context.abort(grpc.StatusCode[problem.kind.grpc], problem.detail, tuple(metadata))
    raise AssertionError("abort raises")


def _let_go(error: BaseException | None) -> None:
    """Lets go of what the calls held that an error came from, a picture among it: gRPC keeps the error of an aborted
    call in a reference cycle, until the garbage collector happens to find it."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
