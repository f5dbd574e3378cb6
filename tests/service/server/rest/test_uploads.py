import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from service.errors import OVERLOADED, REQUEST_TIMEOUT, UNAVAILABLE, RequestError
from service.server.draining import Draining
from service.server.held_bytes import HeldBytes
from service.server.rest import uploads as uploads_module
from service.server.rest.uploads import Uploads
from service.settings import Settings

GRACE = 0.4  # seconds
PORTION = 100  # bytes that have to come within it
SETTINGS = Settings(upload_grace_seconds=GRACE, min_upload_rate=round(PORTION / GRACE), deadline_seconds=0.01)


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 10))


def uploads_of(settings: Settings, budget: int) -> Uploads:
    """budget: bytes of all bodies together."""
    return Uploads(settings, HeldBytes(budget), Draining())


async def send(uploads: Uploads, sizes: list[int], pause: float, rest: float = 0) -> int:
    """A body that comes in parts with pauses between, and rests before its end. Returns its size."""
    async with uploads.receive() as upload:
        for size in sizes:
            upload.add(size)
            await asyncio.sleep(pause)
        await asyncio.sleep(rest)
    return upload.size


def test_a_slow_line_has_its_time() -> None:
    """Just as fast as it has to be, for several grace times."""

    async def scene() -> None:
        begin = asyncio.get_running_loop().time()
        assert await send(uploads_of(SETTINGS, 10**6), [PORTION] * 7, 0.5 * GRACE) == 7 * PORTION
        assert asyncio.get_running_loop().time() - begin > 3 * GRACE

    run(scene())


@pytest.mark.parametrize(
    ("sizes", "rest"),
    [([], 3600), ([1] * 10_000, 0), ([PORTION - 1], 3600), ([50_000], 3600), ([50_000] + [1] * 10_000, 0)],
    ids=["nothing", "a trickle", "a beginning", "nearly all at once", "a trickle after much"],
)
def test_what_is_too_slow_is_ended(sizes: list[int], rest: float) -> None:
    async def scene() -> None:
        with pytest.raises(RequestError) as ended:
            await send(uploads_of(SETTINGS, 10**6), sizes, GRACE / 50, rest)
        assert ended.value.kind is REQUEST_TIMEOUT
        assert ended.value.detail == (
            "The body came too slowly: in 0.4 s fewer than 100 bytes, the least allowed (MFN_MIN_UPLOAD_RATE). "
            "Send a smaller picture, or over a faster line."
        )

    run(scene())


def test_without_a_rate_anything_that_comes_is_enough() -> None:
    async def scene() -> None:
        uploads = uploads_of(replace(SETTINGS, min_upload_rate=0), 10**6)
        assert await send(uploads, [1] * 6, 0.5 * GRACE) == 6
        with pytest.raises(RequestError, match=r"in 0\.4 s no bytes at all"):
            await send(uploads, [1], 0, 3600)

    run(scene())


def test_where_there_is_no_room_the_newest_is_refused() -> None:
    async def scene() -> None:
        uploads = uploads_of(replace(SETTINGS, deadline_seconds=60), 1000)
        first = asyncio.create_task(send(uploads, [PORTION] * 9, 0.5 * GRACE))
        await asyncio.sleep(0.01)
        with pytest.raises(RequestError, match="MFN_MAX_WAITING_BYTES") as refused:
            await send(uploads, [950], 0)
        assert (refused.value.kind, refused.value.retry_after) == (OVERLOADED, 1)
        assert await first == 9 * PORTION
        assert await send(uploads, [1000], 0) == 1000  # what was counted is free again

    run(scene())


def test_one_that_has_taken_long_makes_room() -> None:
    async def scene() -> None:
        uploads = uploads_of(SETTINGS, 1000)
        slow = asyncio.create_task(send(uploads, [PORTION] * 9, 0.5 * GRACE))
        slower = asyncio.create_task(send(uploads, [PORTION] * 9, 0.5 * GRACE))
        await asyncio.sleep(0.02)  # longer than the deadline
        assert await send(uploads, [850], 0.01) == 850
        with pytest.raises(RequestError, match="MFN_MAX_WAITING_BYTES") as ended:
            await slow
        assert ended.value.kind is OVERLOADED
        assert await slower == 9 * PORTION
        assert await send(uploads, [1000], 0) == 1000

    run(scene())


def test_whoever_needs_room_may_come_while_the_oldest_is_being_ended() -> None:
    """Its timeout, of its own or of others, has passed, and its task has not heard of that yet."""

    async def scene() -> None:
        uploads = uploads_of(SETTINGS, 1000)
        slow = asyncio.create_task(send(uploads, [900], 3600))
        await asyncio.sleep(0.02)  # longer than the deadline
        async with uploads.receive() as other:
            oldest = next(iter(uploads._open))
            other.add(200)
            while not oldest.limit.expired():
                await asyncio.sleep(0)
            other.add(200)
        with pytest.raises(RequestError, match="MFN_MAX_WAITING_BYTES"):
            await slow

    run(scene())


def test_at_the_shutdown_those_that_fall_silent_are_ended_and_the_others_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "LAST_BYTES_SECONDS", GRACE)

    async def scene() -> None:
        draining = Draining()
        uploads = Uploads(replace(SETTINGS, upload_grace_seconds=3600), HeldBytes(10**6), draining)
        coming = asyncio.create_task(send(uploads, [1] * 6, 0.5 * GRACE))
        silent = asyncio.create_task(send(uploads, [PORTION], 3600))
        await asyncio.sleep(0.01)
        draining.set()
        with pytest.raises(RequestError, match=r"The server is shutting down\.") as ended:
            await silent
        assert (ended.value.kind, ended.value.retry_after) == (UNAVAILABLE, 1)
        assert await coming == 6
        assert uploads.held.free == 10**6

    run(scene())
