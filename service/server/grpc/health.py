"""Bounds what health and reflection receive: they need no key, so any client may send them anything."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError

from service.errors import BAD_BODY, NOT_FOUND, OVERLOADED, TOO_LARGE, RequestError
from service.server.draining import Draining
from service.server.grpc.admission import Admission
from service.server.grpc.ending import abort
from service.server.grpc.reading import Context, MessageReader

# A message may be as large as one with a picture, since gRPC has one limit for all methods. A probe's message comes
# with its call and is read at once, so few are enough, for a short time each.
MAX_RECEIVING: Final = 2  # messages received at once
GRACE_SECONDS: Final = 0.025
MAX_WAITING: Final = 100  # calls that wait to be read, each with unread bytes up to gRPC's window
LARGEST_PROBE: Final = 4 * 2**10  # bytes of a message; a watched service's name is kept while it is watched
MAX_WATCHES: Final = 1024  # calls that stay open: health's Watch, and reflection
SHOWN: Final = 100  # characters of a method's name
LAST_SECONDS: Final = 0.1  # of each call once the server shuts down, so that who watches is told NOT_SERVING


class HealthInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs alone
    """Interceptor that reads the messages of all services except our own, within limits, before their handlers; calls
    of methods that there are not are refused."""

    def __init__(self, service: str, largest: int, draining: Draining) -> None:
        """service: full name of our own. largest: bytes of the largest message that gRPC receives."""
        self._draining = draining
        self._own = f"/{service}/"
        reader = MessageReader(LARGEST_PROBE)
        self._admission = Admission(reader, MAX_RECEIVING, largest, GRACE_SECONDS, None, MAX_WAITING)
        self._watches = 0

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Returns the handler of a call, of which only the metadata has been received."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return grpc.stream_stream_rpc_method_handler(partial(_refuse, handler_call_details.method))
        if handler_call_details.method.startswith(self._own):
            return handler
        if not handler.response_streaming:
            return grpc.stream_unary_rpc_method_handler(self._answer(handler), None, handler.response_serializer)
        return grpc.stream_stream_rpc_method_handler(self._watch(handler), None, handler.response_serializer)

    def _answer(self, handler: Any) -> Any:
        async def answer(_: object, context: Context) -> Any:
            async with self._limited(context):
                async for message in self._messages(handler, context):
                    return await handler.unary_unary(message, context)
                raise RequestError(BAD_BODY, "There is no message. Send one.")

        return answer

    def _watch(self, handler: Any) -> Any:
        async def watch(_: object, context: Context) -> None:
            async with self._limited(context):
                if self._watches >= MAX_WATCHES:
                    raise RequestError(
                        OVERLOADED, f"All {MAX_WATCHES} places for calls that watch are taken. Try again later."
                    )
                self._watches += 1
                try:
                    messages = self._messages(handler, context)
                    if handler.request_streaming:
                        async for answer in handler.stream_stream(messages, context):
                            await context.write(answer)
                    else:
                        async for message in messages:
                            await handler.unary_stream(message, context)
                            return
                finally:
                    self._watches -= 1

        return watch

    @contextlib.asynccontextmanager
    async def _limited(self, context: Context) -> AsyncIterator[None]:
        """A block that the server's shutdown ends. A RequestError in it ends the call."""
        try:
            async with self._draining.limit(LAST_SECONDS):
                yield
        except RequestError as problem:
            await abort(context, problem)

    async def _messages(self, handler: Any, context: Context) -> AsyncIterator[Any]:
        """The messages of a call. Raises RequestError."""
        while True:
            async with self._admission.slot() as slot:
                message = await slot.receive(context)
            if message is None:
                return
            if (size := len(message)) > LARGEST_PROBE:
                del message  # gRPC keeps the frames of an aborted call for a while
                raise RequestError(TOO_LARGE, f"The message has {size} bytes; at most {LARGEST_PROBE} are read here.")
            try:
                parsed = handler.request_deserializer(message)
            except DecodeError as error:
                raise RequestError(BAD_BODY, "The message is none of this method. Send one of its contract.") from error
            yield parsed


async def _refuse(method: str, _: object, context: Context) -> None:
    detail = f"There is no method {method[:SHOWN]}. Reflection and proto/mfn/v1 name those that there are."
    await abort(context, RequestError(NOT_FOUND, detail))
