import asyncio

import pytest

from service.server.streaming.mailbox import DropPolicy, Mailbox


@pytest.mark.parametrize("policy", list(DropPolicy))
def test_what_is_put_is_got(policy: DropPolicy) -> None:
    async def scene() -> None:
        mailbox: Mailbox[int] = Mailbox(policy)
        for number in range(3):
            assert await mailbox.put(number)
            assert await mailbox.get() == number
        assert mailbox.dropped == 0

    asyncio.run(scene())


def test_the_latest_replaces_what_waits() -> None:
    async def scene() -> None:
        mailbox: Mailbox[int] = Mailbox(DropPolicy.LATEST)
        for number in range(5):
            await mailbox.put(number)
        assert (await mailbox.get(), mailbox.dropped) == (4, 4)

    asyncio.run(scene())


def test_with_none_dropped_the_sender_waits() -> None:
    async def scene() -> None:
        mailbox: Mailbox[int] = Mailbox(DropPolicy.NONE)
        await mailbox.put(1)
        second = asyncio.create_task(mailbox.put(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not second.done()
        assert await mailbox.get() == 1
        assert await second
        assert (await mailbox.get(), mailbox.dropped) == (2, 0)

    asyncio.run(scene())


@pytest.mark.parametrize("policy", list(DropPolicy))
def test_what_waits_when_it_closes_is_still_got(policy: DropPolicy) -> None:
    async def scene() -> None:
        mailbox: Mailbox[int] = Mailbox(policy)
        await mailbox.put(7)
        await mailbox.close()
        assert not await mailbox.put(8)
        assert (await mailbox.get(), await mailbox.get()) == (7, None)

    asyncio.run(scene())


@pytest.mark.parametrize("policy", list(DropPolicy))
def test_closing_wakes_who_waits_for_a_frame(policy: DropPolicy) -> None:
    async def scene() -> None:
        mailbox: Mailbox[int] = Mailbox(policy)
        receiver = asyncio.create_task(mailbox.get())
        await asyncio.sleep(0)
        await mailbox.close()
        assert await asyncio.wait_for(receiver, 5) is None

    asyncio.run(scene())


def test_closing_wakes_a_sender_that_waits_for_room() -> None:
    async def scene() -> None:
        mailbox: Mailbox[int] = Mailbox(DropPolicy.NONE)
        await mailbox.put(1)
        sender = asyncio.create_task(mailbox.put(2))
        await asyncio.sleep(0)
        await mailbox.close()
        assert not await asyncio.wait_for(sender, 5)
        assert await mailbox.get() == 1

    asyncio.run(scene())


def test_a_cancelled_receiver_loses_nothing() -> None:
    async def scene() -> None:
        mailbox: Mailbox[int] = Mailbox(DropPolicy.LATEST)
        receiver = asyncio.create_task(mailbox.get())
        await asyncio.sleep(0)
        receiver.cancel()
        await asyncio.gather(receiver, return_exceptions=True)
        await mailbox.put(1)
        assert await mailbox.get() == 1

    asyncio.run(scene())


@pytest.mark.parametrize("policy", list(DropPolicy))
def test_a_sender_and_a_receiver_that_race_end_in_order(policy: DropPolicy) -> None:
    """What is got rises, and with what was dropped adds up to what was put."""

    async def scene(pace: int) -> None:
        mailbox: Mailbox[int] = Mailbox(policy)
        got = []

        async def send() -> None:
            for number in range(200):
                await mailbox.put(number)
                for _ in range(number % pace):
                    await asyncio.sleep(0)
            await mailbox.close()

        async def receive() -> None:
            while (number := await mailbox.get()) is not None:
                got.append(number)
                for _ in range(number % 3):
                    await asyncio.sleep(0)

        await asyncio.wait_for(asyncio.gather(send(), receive()), 30)
        assert got == sorted(set(got))
        assert got[-1] == 199
        assert len(got) + mailbox.dropped == 200

    for pace in (1, 2, 5):
        asyncio.run(scene(pace))
