"""The blocking client: calls wait for their answers, and a stream's frames come from an iterable in a thread."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
from mfn.v1 import retarget_pb2 as pb
from mfn.v1.retarget_pb2_grpc import RetargetServiceStub

from mfn_client.answers import Answer, FrameAnswer, Model, answer_of, frame_answer_of, model_of
from mfn_client.channel import OPTIONS, TIMEOUT, Metadata, target_of
from mfn_client.errors import error_of
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


class Client:
    """A connection to a server, opened at the first call. Threads may share it."""

    def __init__(self, address: str, key: str | None = None, tls: bool | str | Path | None = None) -> None:
        """address: host:port, or dns:///host:port; calls go in turn to all addresses of the name.

        key: an API key, sent with every call. tls: True for the authorities that gRPC trusts, or a PEM file of root
        certificates; without TLS everything, the key too, is sent unencrypted.
        """
        target = target_of(address, key, tls)
        if target.credentials is None:
            self._channel = grpc.insecure_channel(target.address, OPTIONS)
        else:
            self._channel = grpc.secure_channel(target.address, target.credentials, OPTIONS)
        self._metadata = target.metadata
        self._stub = RetargetServiceStub(self._channel)

    def close(self) -> None:
        """Closes the connection and ends calls in progress."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def model(self, *, timeout: float | None = TIMEOUT) -> Model:
        """Asks which model answers. timeout: seconds. Raises MfnError."""
        try:
            response = self._stub.GetModel(pb.GetModelRequest(), timeout, self._metadata)
        except grpc.RpcError as error:
            raise error_of(error) from error
        return model_of(response.model)

    def retarget(
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
            return answer_of(self._stub.Retarget(request, timeout, self._metadata))
        except grpc.RpcError as error:
            raise error_of(error) from error

    def stream(self, frames: Iterable[Sendable], config: StreamConfig | None = None) -> "Answers":
        """Opens a stream: frames in, answers out, at the same time.

        frames: Frame or (image, seconds), with TAKE_NEUTRAL or RESET among them. They are iterated over in a separate
        thread, no faster than the server accepts them.
        """
        return Answers(self._stub, self._metadata, frames, config or StreamConfig())


class Answers(Iterator[FrameAnswer]):
    """The answers of one stream, in the order of its frames.

    The iteration ends after the last frame's answer. It raises an exception of your frames' iterator, after the answers
    to the frames before it, and MfnError where the stream fails. To end the stream early, leave a `with` block, or drop
    the object.
    """

    def __init__(
        self, stub: RetargetServiceStub, metadata: Metadata, frames: Iterable[Sendable], config: StreamConfig
    ) -> None:
        self._outgoing = _Outgoing()
        self._call = stub.RetargetStream(self._outgoing.messages(frames, config), metadata=metadata)
        self._model: Model | None = None

    @property
    def model(self) -> Model:
        """The model that answers; waits for the server's first message, which tells it. Raises MfnError."""
        if self._model is None:
            self._model = model_of(self._next().model)
        return self._model

    def close(self) -> None:
        """Ends the stream at once; answers that have not arrived are lost."""
        self._call.cancel()

    def __next__(self) -> FrameAnswer:
        if self._model is None:
            self._model = model_of(self._next().model)
        return frame_answer_of(self._next().answer)

    def _next(self) -> pb.RetargetStreamResponse:
        try:
            response: pb.RetargetStreamResponse = next(self._call)
        except StopIteration:
            self._outgoing.raise_error()
            raise
        except grpc.RpcError as error:
            raise error_of(error) from error
        return response

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Outgoing:
    """The messages of a stream, created when gRPC asks for them in its own thread, and the error that ended them."""

    def __init__(self) -> None:
        self._error: BaseException | None = None

    def messages(self, frames: Iterable[Sendable], config: StreamConfig) -> Iterator[pb.RetargetStreamRequest]:
        """Yields the messages; iterate once. Only this generator refers to the frames, so they are released with it."""
        yield config_message(config)
        number = 0
        try:
            for item in frames:
                number += not isinstance(item, Calibration)
                yield stream_message(item, number)
        except GeneratorExit:
            raise
        except BaseException as error:  # in gRPC's thread it would not reach the reader of the answers
            self._error = error

    def raise_error(self) -> None:
        """Raises the exception of the frames' iterator, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error
