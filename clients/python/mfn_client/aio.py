"""The client for asyncio: calls are awaited, and a stream's frames come from an asynchronous iterable."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from mfn.v1 import retarget_pb2 as pb
from mfn.v1.retarget_pb2_grpc import RetargetServiceStub

from mfn_client.answers import Answer, FrameAnswer, Model, answer_of, frame_answer_of, model_of
from mfn_client.channel import OPTIONS, TIMEOUT, Metadata, target_of
from mfn_client.errors import MfnError, error_of, error_of_status
from mfn_client.images import Image
from mfn_client.requests import (
    Calibration,
    Options,
    Sendable,
    StreamConfig,
    config_message,
    retarget_message,
    stream_message,
)

CORE_ERROR = "Internal error from Core"  # grpcio's detail where a call ends while a message is being sent
REASON_SECONDS = 1.0  # longest wait for the server's status of such a call, which is on its way already
POLL_SECONDS = 0.001  # between two checks for it


class AsyncClient:
    """A connection to a server, opened at the first call. Use it on the event loop on which you create it."""

    def __init__(self, address: str, key: str | None = None, tls: bool | str | Path | None = None) -> None:
        """address, key, tls: as in Client."""
        target = target_of(address, key, tls)
        if target.credentials is None:
            self._channel = grpc.aio.insecure_channel(target.address, OPTIONS)
        else:
            self._channel = grpc.aio.secure_channel(target.address, target.credentials, OPTIONS)
        self._metadata = target.metadata
        self._stub = RetargetServiceStub(self._channel)

    async def close(self) -> None:
        """Closes the connection and ends calls in progress."""
        await self._channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def model(self, *, timeout: float | None = TIMEOUT) -> Model:
        """Asks which model answers. timeout: seconds. Raises MfnError."""
        try:
            response = await self._stub.GetModel(pb.GetModelRequest(), timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise error_of(error) from error
        return model_of(response.model)

    async def retarget(
        self,
        image: Image,
        *,
        min_score: float | None = None,
        max_faces: int | None = None,
        refine: bool = False,
        landmarks: bool = False,
        blendshapes: bool = False,
        identity: bool = True,
        tiles: int = 1,
        input_size: int | None = None,
        rotation: int = 0,
        timeout: float | None = TIMEOUT,
    ) -> Answer:
        """Finds the faces in one picture. Options as in Options, rotation as in Frame; timeout in seconds.

        Raises MfnError where the call fails, and TypeError or ValueError where `image` is not a picture.
        """
        options = Options(
            min_score=min_score,
            max_faces=max_faces,
            refine=refine,
            landmarks=landmarks,
            blendshapes=blendshapes,
            identity=identity,
            tiles=tiles,
            input_size=input_size,
        )
        request = retarget_message(image, options, rotation)
        try:
            return answer_of(await self._stub.Retarget(request, timeout=timeout, metadata=self._metadata))
        except grpc.RpcError as error:
            raise error_of(error) from error

    def stream(self, frames: AsyncIterable[Sendable], config: StreamConfig | None = None) -> "AsyncAnswers":
        """Opens a stream: frames in, answers out, at the same time.

        frames: Frame or (image, seconds), with TAKE_NEUTRAL or RESET among them. They are iterated over in a separate
        task, no faster than the server accepts them.
        """
        return AsyncAnswers(self._stub, self._metadata, frames, config or StreamConfig())


class AsyncAnswers(AsyncIterator[FrameAnswer]):
    """The answers of one stream, in the order of its frames.

    The iteration ends after the last frame's answer. It raises an exception of your frames' iterator, after the answers
    to the frames before it, and MfnError where the stream fails. To end the stream early, leave an `async with` block,
    or cancel the task that awaits the next answer.
    """

    def __init__(
        self, stub: RetargetServiceStub, metadata: Metadata, frames: AsyncIterable[Sendable], config: StreamConfig
    ) -> None:
        self._outgoing = _Outgoing()
        self._call = stub.RetargetStream(self._outgoing.messages(frames, config), metadata=metadata)
        self._responses = aiter(self._call)
        self._model: Model | None = None
        self._error: MfnError | None = None
        self._call.add_done_callback(self._note_status)

    async def model(self) -> Model:
        """Waits for the server's first message, which tells the model that answers. Raises MfnError."""
        if self._model is None:
            self._model = model_of((await self._next()).model)
        return self._model

    def close(self) -> None:
        """Ends the stream at once; answers that have not arrived are lost."""
        self._call.cancel()

    async def __anext__(self) -> FrameAnswer:
        if self._model is None:
            self._model = model_of((await self._next()).model)
        return frame_answer_of((await self._next()).answer)

    async def _next(self) -> pb.RetargetStreamResponse:
        try:
            response: pb.RetargetStreamResponse = await anext(self._responses)
        except StopAsyncIteration:
            self._outgoing.raise_error()
            raise
        except grpc.RpcError as error:
            if error_of(error).detail == CORE_ERROR:
                await self._wait_for_reason()
            raise self._error or error_of(error) from error
        return response

    async def _wait_for_reason(self) -> None:
        """Waits for the server's status, which replaces grpcio's own error without a callback."""
        now = asyncio.get_running_loop().time
        deadline = now() + REASON_SECONDS
        while self._error is None and now() < deadline:
            await asyncio.sleep(POLL_SECONDS)
            self._note_status(self._call)

    def _note_status(self, call: Any) -> None:
        """Stores the server's status.

        Where a frame is being sent when the status arrives, grpcio reports "Internal error from Core" a moment before,
        or replaces the status by it a moment later (grpc/grpc#36066).
        """
        code, details, trailers = map(_at_once, (call.code(), call.details(), call.trailing_metadata()))
        if code not in (None, grpc.StatusCode.OK) and details != CORE_ERROR:
            self._error = error_of_status(code, details, trailers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Outgoing:
    """The messages of a stream, created when gRPC asks for them in its own task, and the error that ended them."""

    def __init__(self) -> None:
        self._error: Exception | None = None

    async def messages(
        self, frames: AsyncIterable[Sendable], config: StreamConfig
    ) -> AsyncIterator[pb.RetargetStreamRequest]:
        """Yields the messages; iterate once. Only this generator refers to the frames, so they are released with it."""
        yield config_message(config)
        number = 0
        try:
            async for item in frames:
                number += not isinstance(item, Calibration)
                yield stream_message(item, number)
        except Exception as error:  # gRPC would cancel the call without telling the reader of the answers
            self._error = error

    def raise_error(self) -> None:
        """Raises the exception of the frames' iterator, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that finishes without waiting; None where it would wait."""
    try:
        coroutine.send(None)
    except StopIteration as returned:
        return returned.value
    coroutine.close()
    return None
