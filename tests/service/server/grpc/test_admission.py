import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import grpc
import pytest

from service.errors import OVERLOADED, REQUEST_TIMEOUT, RequestError
from service.server.grpc.admission import Admission, largest_received, largest_served
from service.server.grpc.reading import Context, MessageReader
from service.settings import Settings

GRACE = 0.1  # seconds
LONGEST = 60.0
LARGEST = 100
WAITING = 3  # calls


class Sender:
    """A call whose message comes when it is sent; silent: never."""

    def __init__(self) -> None:
        self._message: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def send(self, message: object) -> None:
        self._message.set_result(message)

    async def read(self) -> object:
        return await self._message

    @property
    def context(self) -> Context:
        return cast(Context, self)


def admission_of(messages: int, grace: float, waiting: int, longest: float = LONGEST) -> Admission:
    """One with room for so many of the largest messages."""
    return Admission(MessageReader(LARGEST), messages, LARGEST, grace, longest, waiting)


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 5))


def receiving(admission: Admission, sender: Sender, log: list[str], name: str) -> asyncio.Task[None]:
    async def call() -> None:
        async with admission.slot() as slot:
            try:
                message = await slot.receive(sender.context)
            except RequestError as problem:
                log.append(f"{name} is {problem.kind.name}")
            else:
                log.append(f"{name} sent {message!r}")

    return asyncio.create_task(call())


def test_the_largest_message_is_a_picture_of_either_kind_and_an_envelope() -> None:
    """By default 4096 x 2160 pixels of four bytes, whose rows may have some padding."""
    envelope = 64 * 1024
    assert largest_served(Settings(max_bytes=2**20, max_raw_megapixels=0.01)) == 2**20 + envelope
    assert largest_served(Settings(max_bytes=2**20, max_raw_megapixels=2.0)) == 8_000_000 + envelope
    assert largest_served(Settings()) >= (4096 * 4 + 256) * 2160 + envelope
    assert largest_received(Settings()) < 41e6
    most = Settings(max_bytes=2**30, max_raw_megapixels=256.0)
    assert largest_received(most) < 2**31  # what gRPC can be told


def test_a_message_counts_as_the_largest_until_it_is_there_and_as_what_it_is_until_it_is_let_go_of() -> None:
    async def scene() -> None:
        admission, senders = admission_of(2, GRACE, WAITING), [Sender() for _ in range(5)]
        for sender in senders:
            sender.send(b"x" * 25)
        async with admission.slot() as first:
            assert await first.receive(senders[0].context) == b"x" * 25
            slots = [admission.slot() for _ in range(4)]
            for slot, sender in zip(slots[:3], senders[1:4], strict=True):
                await slot.receive(sender.context)
            async with slots[3] as last:
                await last.receive(senders[4].context)  # 100 bytes are held, and there is room for 100 more
                waiting = asyncio.create_task(admission.acquire())
                await asyncio.sleep(0.01)
                assert not waiting.done()
            await waiting

    run(scene())


def test_where_there_is_no_room_the_newest_is_next_and_the_slowest_is_ended() -> None:
    async def scene() -> None:
        admission, log = admission_of(1, GRACE, WAITING), list[str]()
        senders = [Sender() for _ in range(3)]
        tasks = []
        for name, sender in zip(("slow", "old", "new"), senders, strict=True):
            tasks.append(receiving(admission, sender, log, name))
            await asyncio.sleep(0.01)
        senders[1].send(b"1")
        senders[2].send(b"2")
        await asyncio.gather(*tasks)
        assert log == [f"slow is {OVERLOADED.name}", "new sent b'2'", "old sent b'1'"]

    run(scene())


def test_nobody_is_hurried_where_nobody_waits() -> None:
    async def scene() -> None:
        admission, log, sender = admission_of(1, GRACE, WAITING), list[str](), Sender()
        task = receiving(admission, sender, log, "slow")
        await asyncio.sleep(2 * GRACE)
        sender.send(grpc.aio.EOF)  # type: ignore[attr-defined]  # not in grpc-stubs
        await task
        assert log == ["slow sent None"]

    run(scene())


def test_a_message_that_never_comes_in_full_is_ended_in_the_end() -> None:
    async def scene() -> None:
        admission, log = admission_of(1, GRACE, WAITING, 2 * GRACE), list[str]()
        await receiving(admission, Sender(), log, "slow")
        assert log == [f"slow is {REQUEST_TIMEOUT.name}"]
        sender = Sender()
        sender.send(b"1")
        await receiving(admission, sender, log, "next")
        assert log[1:] == ["next sent b'1'"]

    run(scene())


def test_whoever_comes_while_a_message_is_being_ended_is_none_of_its_failure() -> None:
    """Its timeout has passed, and its task has not heard of that yet."""

    async def scene() -> None:
        log: list[str] = []
        admission = admission_of(1, 3 * GRACE, WAITING, longest=GRACE / 10)
        receiving(admission, Sender(), log, "the first")
        await asyncio.sleep(0)
        (reading,) = admission._receiving
        while not reading.limit.expired():
            await asyncio.sleep(0)
        await admission.acquire()
        assert log == ["the first is request-timeout"]

    run(scene())


def test_nobody_waits_for_ever() -> None:
    async def scene() -> None:
        admission, log = admission_of(1, GRACE, WAITING), list[str]()
        senders = [Sender() for _ in range(3)]
        for sender in senders:
            sender.send(bytes(LARGEST))
        async with admission.slot() as held:
            await held.receive(senders[0].context)
            await receiving(admission, senders[1], log, "late")
            assert log == [f"late is {OVERLOADED.name}"]
        await receiving(admission, senders[2], log, "next")
        assert log[1:] == [f"next sent {bytes(LARGEST)!r}"]

    run(scene())


def test_one_beyond_those_that_may_wait_ends_the_oldest_of_them_unread() -> None:
    async def scene() -> None:
        admission, log = admission_of(1, 60, WAITING), list[str]()
        senders = [Sender() for _ in range(WAITING + 3)]
        tasks = []
        for number, sender in enumerate(senders):
            tasks.append(receiving(admission, sender, log, str(number)))
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert log == [f"1 is {OVERLOADED.name}", f"2 is {OVERLOADED.name}"]
        for sender in senders:
            sender.send(b"")
        await asyncio.gather(*tasks)
        assert log[2:] == [f"{number} sent b''" for number in (0, 5, 4, 3)]

    run(scene())


def test_one_that_is_ended_and_cancelled_gives_back_nothing() -> None:
    async def scene() -> None:
        admission, log = admission_of(1, 60, 1), list[str]()
        first, second, third = (Sender() for _ in range(3))
        one = receiving(admission, first, log, "one")
        await asyncio.sleep(0)
        two = receiving(admission, second, log, "two")
        await asyncio.sleep(0)
        three = receiving(admission, third, log, "three")
        asyncio.get_running_loop().call_soon(two.cancel)  # after `three` has ended it, before it knows
        await asyncio.sleep(0.01)
        assert two.cancelled()
        third.send(b"")
        await asyncio.sleep(0.01)
        assert log == []
        first.send(b"")
        await asyncio.gather(one, three)
        assert log == ["one sent b''", "three sent b''"]

    run(scene())


@pytest.mark.parametrize("let_in", [False, True])
def test_one_that_is_cancelled_gives_its_place_back(let_in: bool) -> None:
    async def scene() -> None:
        admission, log = admission_of(1, GRACE, WAITING), list[str]()
        first, second, third = (Sender() for _ in range(3))
        one = receiving(admission, first, log, "one")
        await asyncio.sleep(0)
        two = receiving(admission, second, log, "two")
        await asyncio.sleep(0)
        if let_in:
            first.send(b"")
            await one
        two.cancel()
        if not let_in:
            first.send(b"")
            await one
        third.send(b"3")
        await receiving(admission, third, log, "three")
        assert log == ["one sent b''", "three sent b'3'"]

    run(scene())
