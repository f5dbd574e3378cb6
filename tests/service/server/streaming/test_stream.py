"""A stream whose frames fail, without a transport."""

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from service.errors import RequestError
from service.inference.pipeline import Pipeline
from service.server.state import ServerState
from service.server.streaming.mailbox import DropPolicy
from service.server.streaming.stream import Answer, Frame, Stream
from service.server.telemetry.request_log import RequestLog
from service.server.workers import Workers
from service.settings import Settings
from service.tracking.options import StreamOptions
from service.vision.image import Picture, decode


@pytest.fixture
def state(settings: Settings, pipeline: Pipeline) -> Iterator[ServerState]:
    workers = Workers(1, 0)
    yield ServerState(replace(settings, frame_deadline_seconds=0.2), pipeline, workers)
    workers.close()


async def answers(state: ServerState, *frames: Frame) -> list[Answer]:
    """Answers each frame before the next one is offered."""
    log = RequestLog(state.telemetry, "grpc", "RetargetStream")
    stream = Stream(state, StreamOptions(), DropPolicy.NONE, log, encode=lambda answer: answer)
    answered = stream.answers()
    given = []
    for frame in frames:
        await stream.offer(frame)
        given.append(await anext(answered))
    await stream.finish()
    assert await anext(answered, None) is None
    return given


def problem(answer: Answer) -> str:
    return answer.result.kind.name if isinstance(answer.result, RequestError) else "none"


def test_a_failed_frame_leaves_no_error_behind(
    state: ServerState, png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither one whose picture is bad, nor one that fails when its deadline has passed."""
    let = threading.Event()

    def good(side: int) -> Picture:
        return decode(png, side, max_megapixels=1)

    def bad(side: int) -> Picture:
        return decode(b"no picture", side, max_megapixels=1)

    def late(side: int) -> Picture:
        let.wait(20)
        return bad(side)

    async def main() -> list[Answer]:
        first = await answers(state, Frame(1, 1, bad), Frame(2, 2, good), Frame(3, 3, bad), Frame(4, 4, late))
        let.set()
        second = await answers(state, Frame(5, 5, late), Frame(6, 6, good))
        gc.collect()  # an error that nobody has taken is reported when its future goes
        return first + second

    with caplog.at_level(logging.INFO):
        given = asyncio.run(main())
    told = ["bad-picture", "none", "bad-picture", "deadline-passed", "bad-picture", "none"]
    assert list(map(problem, given)) == told
    assert [line.getMessage() for line in caplog.records if line.levelno > logging.INFO] == []


def test_a_frame_is_counted_until_it_is_answered_and_its_stream_keeps_none(state: ServerState) -> None:
    async def scene() -> None:
        log, empty = RequestLog(state.telemetry, "grpc", "RetargetStream"), state.held.free
        stream = Stream(state, StreamOptions(), DropPolicy.LATEST, log, encode=lambda answer: problem(answer))
        answered = stream.answers()
        for sequence in range(3):  # each of which replaces the one before
            await stream.offer(stream.admit(Frame(sequence, sequence, bad_picture, empty // 2)))
            assert state.held.free == empty - empty // 2
        assert await anext(answered) == "bad-picture"
        assert await comes_true(lambda: state.held.free == empty)
        await stream.offer(stream.admit(Frame(4, 4, bad_picture, empty + 1)))
        assert state.held.free == empty  # it has no picture any more
        assert await anext(answered) == "overloaded"

    asyncio.run(scene())


def bad_picture(side: int) -> Picture:
    return decode(b"no picture", side, max_megapixels=1)


async def comes_true(condition: Callable[[], bool]) -> bool:
    """Whether something becomes true soon; a worker's thread is about to do it."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)
    return True
