"""Bounds what the gRPC server receives and holds at once: a message's size is not known until all of it is there."""

import asyncio
import contextlib
from types import TracebackType
from typing import Any, Final, Self

import grpc

from service.errors import OVERLOADED, RequestError

Context = grpc.aio.ServicerContext[Any, Any]
ENVELOPE_BYTES: Final = 64 * 2**10  # of a message, beyond its picture: names, sizes and options


def largest_message(max_bytes: int) -> int:
    """Bytes of the largest message where a picture may have max_bytes. gRPC itself refuses a larger one, and stops
    inflating a compressed one there."""
    return max_bytes + ENVELOPE_BYTES


async def read(context: Context) -> bytes | None:
    """A call's next message as it came, None after its last."""
    message = await context.read()
    return None if message is grpc.aio.EOF else message  # type: ignore[attr-defined]  # the stubs lack it


class Admission:
    """Counts a message as the largest while it is received, and as what it is while it is held.

    Where there is no room calls wait, the newest is let in first, and one that takes longer than `grace` seconds to
    send its message is ended. The newest goes first because among many calls that send nothing the oldest is hardly an
    honest one: whoever sends at once waits for one grace at most, and not for one for each of them.

    At most `waiting` calls wait; one more ends the one that has waited for the longest time, whose turn would come
    last. What a call has sent before its message is read lies in memory, up to gRPC's window for each.
    """

    def __init__(self, messages: int, largest: int, grace: float, waiting: int) -> None:
        """messages: how many of `largest` bytes there is room for. waiting: one at least."""
        self.largest = largest
        self._most_waiting = waiting
        self._grace = grace
        self._free = messages * largest
        self._waiting: list[asyncio.Future[bool]] = []  # whether it is let in; the oldest first
        self._receiving: set[_Reading] = set()

    def slot(self) -> "Slot":
        """For one message; a block, at whose end the message is no longer held."""
        return Slot(self)

    async def take(self) -> None:
        """Takes room for the largest message, when there is some. Raises RequestError OVERLOADED where too many others
        have come to wait since."""
        if self._free >= self.largest:
            self._free -= self.largest
            return
        for reading in self._receiving:
            reading.hurry()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if len(self._waiting) > self._most_waiting:
            oldest = self._waiting.pop(0)
            if not oldest.done():
                oldest.set_result(False)
        try:
            let_in = await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with contextlib.suppress(ValueError):
                    self._waiting.remove(turn)
            elif turn.result():
                self.give(self.largest)
            raise
        if not let_in:
            raise RequestError(
                OVERLOADED,
                f"The message was not read: more than {self._most_waiting} calls wait to send theirs. "
                "Send it again when the server is less busy.",
                retry_after=1,
            )

    def give(self, size: int) -> None:
        """Gives room back, and lets in those for whom there is enough."""
        self._free += size
        while self._waiting and self._free >= self.largest:
            turn = self._waiting.pop()
            if not turn.done():
                self._free -= self.largest
                turn.set_result(True)

    async def read(self, context: Context) -> bytes | None:
        """A call's next message, None after its last. Raises RequestError OVERLOADED where it takes longer than the
        grace while others wait."""
        reading = _Reading(self._grace)
        try:
            async with reading.limit:
                self._receiving.add(reading)
                if self._waiting:
                    reading.hurry()
                try:
                    return await read(context)
                finally:
                    self._receiving.remove(reading)
        except TimeoutError as error:
            raise RequestError(
                OVERLOADED,
                f"The message was not complete after {self._grace:g} s, and others wait to send theirs. Send a smaller "
                "one, or send it again when the server is less busy.",
                retry_after=1,
            ) from error


class _Reading:
    """limit: the block in which a message is read, without end unless it is to hurry."""

    def __init__(self, grace: float) -> None:
        self.limit = asyncio.timeout(None)
        self._end = asyncio.get_running_loop().time() + grace

    def hurry(self) -> None:
        """It has its grace from its beginning, and no longer."""
        if self.limit.when() is None:
            self.limit.reschedule(self._end)


class Slot:
    """Room for one message, taken when it is received and given back at the block's end."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._taken = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admission.give(self._taken)

    async def receive(self, context: Context) -> bytes | None:
        """A call's next message as bytes, None after its last. To be awaited once. Raises RequestError OVERLOADED."""
        await self._admission.take()
        self._taken = self._admission.largest
        message = await self._admission.read(context)
        size = len(message) if message is not None else 0
        self._admission.give(self._taken - size)
        self._taken = size
        return message
