"""The client for programs that wait: calls block, and a stream's frames are taken from an iterator in a thread."""

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
    """A connection to a server, made when it is first needed. Threads may share it."""

    def __init__(self, address: str, key: str | None = None, tls: bool | str | Path | None = None) -> None:
        """address: host:port; dns:///host:port says the same, and calls go in turn to all that the name stands for.
        key: an API key, sent with every call. tls: True for the authorities that gRPC trusts, or a PEM file of root
        certificates; without it everything, the key too, travels in the clear."""
        target = target_of(address, key, tls)
        if target.credentials is None:
            self._channel = grpc.insecure_channel(target.address, OPTIONS)
        else:
            self._channel = grpc.secure_channel(target.address, target.credentials, OPTIONS)
        self._metadata = target.metadata
        self._stub = RetargetServiceStub(self._channel)

    def close(self) -> None:
        """Ends the calls in work, too."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def model(self, *, timeout: float | None = TIMEOUT) -> Model:
        """The model that answers. Raises MfnError."""
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
        timeout: float | None = TIMEOUT,
    ) -> Answer:
        """The faces in one picture; options as in Options, timeout in seconds.

        Raises MfnError, and TypeError or ValueError for what is no picture.
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
        request = retarget_message(image, options)
        try:
            return answer_of(self._stub.Retarget(request, timeout, self._metadata))
        except grpc.RpcError as error:
            raise error_of(error) from error

    def stream(self, frames: Iterable[Sendable], config: StreamConfig | None = None) -> "Answers":
        """Answers to frames as they come. frames: Frame or (image, seconds), and TAKE_NEUTRAL or RESET among them;
        iterated over in a thread of its own, no faster than the server takes them."""
        return Answers(self._stub, self._metadata, frames, config or StreamConfig())


class Answers(Iterator[FrameAnswer]):
    """The answers of one stream, in the order of its frames.

    Ends when the frames do. An exception that the frames raise comes out here, after the answers to what was sent;
    MfnError where the stream itself fails. Leaving a `with` block, or dropping the object, ends the stream early.
    """

    def __init__(
        self, stub: RetargetServiceStub, metadata: Metadata, frames: Iterable[Sendable], config: StreamConfig
    ) -> None:
        self._outgoing = _Outgoing()
        self._call = stub.RetargetStream(self._outgoing.messages(frames, config), metadata=metadata)
        self._model: Model | None = None

    @property
    def model(self) -> Model:
        """The model that answers; waits until the server has told. Raises MfnError."""
        if self._model is None:
            self._model = model_of(self._next().model)
        return self._model

    def close(self) -> None:
        """Ends the stream, whatever is still on its way."""
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
    """The messages of a stream, made as gRPC asks for them in its own thread, and what stopped them."""

    def __init__(self) -> None:
        self._error: BaseException | None = None

    def messages(self, frames: Iterable[Sendable], config: StreamConfig) -> Iterator[pb.RetargetStreamRequest]:
        """To be iterated over once. Nothing else holds on to the frames, so that they are let go with the stream."""
        yield config_message(config)
        place = 0
        try:
            for item in frames:
                place += not isinstance(item, Calibration)
                yield stream_message(item, place)
        except GeneratorExit:
            raise
        except BaseException as error:  # gRPC's thread would keep it from who reads the answers, or die of it
            self._error = error

    def raise_error(self) -> None:
        """What the frames raised, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error
