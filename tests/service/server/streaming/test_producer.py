"""The producer of a stream, without a transport."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from service.inference.pipeline import Pipeline
from service.server.state import ServerState
from service.server.streaming.mailbox import DropPolicy
from service.server.streaming.producer import StreamProducer
from service.server.streaming.stream import Calibration, Frame, Stream
from service.server.telemetry.request_log import RequestLog
from service.server.workers import Workers
from service.settings import Settings
from service.tracking.options import StreamOptions
from service.vision.image import Picture


@pytest.fixture
def state(settings: Settings, pipeline: Pipeline) -> Iterator[ServerState]:
    workers = Workers(1, 0)
    yield ServerState(settings, pipeline, workers)
    workers.close()


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Without the garbage collector, which comes late in a server that does little."""
    gc.disable()
    yield
    gc.enable()


def never_loaded(_: int) -> Picture:
    raise AssertionError("nobody takes an answer")


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("policy", list(DropPolicy))
def test_frames_of_a_stream_that_breaks_off_are_let_go_of_at_once(state: ServerState, policy: DropPolicy) -> None:
    """Both the one that waits, and with DropPolicy.NONE the one that waits for room."""
    empty = state.held.free
    held = []

    async def broken_off() -> None:
        log = RequestLog(state.telemetry, "grpc", "RetargetStream")
        stream = Stream(state, StreamOptions(), policy, log, encode=lambda answer: answer)
        sequences = iter(range(2))

        async def read() -> Frame | Calibration | None:
            if (sequence := next(sequences, None)) is None:
                await asyncio.Event().wait()
            return Frame(sequence or 0, 0, never_loaded, 1000)

        async with StreamProducer(state, read, stream):
            for _ in range(10):  # until all that may be read has been
                await asyncio.sleep(0)
            held.append(empty - state.held.free)
            raise ConnectionError

    async def scene() -> int:
        with pytest.raises(ConnectionError):
            await broken_off()
        await asyncio.sleep(0)  # the loop's own handle of what has just ended goes, too
        return empty - state.held.free

    assert asyncio.run(scene()) == 0
    assert held == [{DropPolicy.LATEST: 1000, DropPolicy.NONE: 2000}[policy]]
