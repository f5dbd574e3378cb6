import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import pytest
from mfn_client import AsyncClient, Client, DropPolicy, MfnError, Sendable, StreamConfig

from tests.service.server.grpc.conftest import PATIENCE, Running

EVERY_FRAME = StreamConfig(drop_policy=DropPolicy.NONE)


def run(address: str, task: Callable[[AsyncClient], Awaitable[None]]) -> None:
    async def with_client() -> None:
        async with asyncio.timeout(PATIENCE), AsyncClient(address) as client:
            await task(client)

    asyncio.run(with_client())


async def frames(*pictures: bytes) -> AsyncIterator[Sendable]:
    for number, picture in enumerate(pictures):
        yield picture, number / 30


def test_calls_answer_as_those_of_the_client_that_waits(address: str, png: bytes) -> None:
    async def task(client: AsyncClient) -> None:
        with Client(address) as waiting:
            assert await client.model() == waiting.model()
            expected = waiting.retarget(png, landmarks=True, refine=True)
        answer = await client.retarget(png, landmarks=True, refine=True)
        (face,), (expected_face,) = answer.faces, expected.faces
        assert face.landmarks is not None
        assert face.identity is not None
        assert (face.landmarks == expected_face.landmarks).all()
        assert (face.identity == expected_face.identity).all()

    run(address, task)


def test_calls_run_beside_each_other(address: str, png: bytes) -> None:
    async def task(client: AsyncClient) -> None:
        answers = await asyncio.gather(*(client.retarget(png) for _ in range(4)))
        assert [len(answer.faces) for answer in answers] == [1] * 4

    run(address, task)


def test_problems(address: str) -> None:
    async def task(client: AsyncClient) -> None:
        with pytest.raises(MfnError) as error:
            await client.retarget(b"no picture")
        assert (error.value.code, error.value.problem) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-picture")
        with pytest.raises(MfnError) as error:
            async for _ in client.stream(frames(b""), StreamConfig(max_faces=1000)):
                pass
        assert error.value.problem == "bad-parameter"

    run(address, task)


def test_a_stream(address: str, png: bytes) -> None:
    async def task(client: AsyncClient) -> None:
        async with client.stream(frames(png, b"no picture", png), EVERY_FRAME) as stream:
            assert await stream.model() == await client.model()
            first, bad, third = [answer async for answer in stream]
        assert [first.sequence, bad.sequence, third.sequence] == [1, 2, 3]
        assert first.faces[0].track_id == third.faces[0].track_id == 1
        assert bad.problem is not None

    run(address, task)


def test_what_the_frames_raise_comes_out_after_the_answers(address: str, png: bytes) -> None:
    async def failing() -> AsyncIterator[Sendable]:
        yield png, 0.0
        raise ZeroDivisionError

    async def task(client: AsyncClient) -> None:
        stream = client.stream(failing(), EVERY_FRAME)
        assert (await anext(stream)).sequence == 1
        with pytest.raises(ZeroDivisionError):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(address, task)


def test_the_server_s_reason_survives_frames_that_are_on_their_way(address: str, png: bytes) -> None:
    """Each time, frames are being sent when the server refuses the stream's configuration."""

    async def endless() -> AsyncIterator[Sendable]:
        number = 0
        while True:
            number += 1
            yield png, number / 30

    async def task(client: AsyncClient) -> None:
        for _ in range(20):
            with pytest.raises(MfnError) as error:
                async for _ in client.stream(endless(), StreamConfig(max_faces=1000)):
                    pass
            assert error.value.problem == "bad-parameter"

    run(address, task)


def test_leaving_early_ends_the_stream(address: str, door: Running, png: bytes) -> None:
    let_go = asyncio.Event()

    async def endless() -> AsyncIterator[Sendable]:
        try:
            number = 0
            while True:
                number += 1
                yield png, number / 30
                await asyncio.sleep(0.001)
        finally:
            let_go.set()

    async def task(client: AsyncClient) -> None:
        async with client.stream(endless()) as stream:
            assert (await anext(stream)).faces
        await let_go.wait()
        while door.state.streams:
            await asyncio.sleep(0.01)

    run(address, task)
