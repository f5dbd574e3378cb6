"""Admission control of gRPC messages: bounds the memory of those that are received and held at once.

A message's size is unknown until all of it has been received.
"""

import asyncio
import contextlib
import math
from types import TracebackType
from typing import Final, Self

from service.errors import OVERLOADED, REQUEST_TIMEOUT, RequestError
from service.server.grpc.reading import Context, MessageReader
from service.server.held_bytes import largest_raw
from service.settings import Settings

ENVELOPE_BYTES: Final = 64 * 2**10  # of a message, besides its picture: names, sizes and options
# How much more gRPC receives than can be served. It ends a call with a larger message before it receives that, but
# without a problem's name; the sender of a picture that is a little too large, or of one pixel format of many, reads
# the reason.
LENIENCE: Final = 9 / 8
LEAST_WAIT: Final = 1.0  # seconds for a turn, so that a busy moment refuses nobody


def largest_served(settings: Settings) -> int:
    """Bytes of the largest message that can be served: with an encoded picture, or with raw pixels."""
    return max(settings.max_bytes, largest_raw(settings)) + ENVELOPE_BYTES


def largest_received(settings: Settings) -> int:
    """Bytes of the largest message that gRPC receives."""
    return math.ceil(LENIENCE * largest_served(settings))


class Admission:
    """A budget of memory for messages: each counts as the largest while it is received, then with its size.

    A call has `longest` seconds to send its message. Where the budget is used up, calls wait, and a call that takes
    longer than `grace` seconds is ended. The newest waiting call is admitted first: among many calls that send nothing,
    the oldest is hardly a real client, and a client that sends at once waits for one grace period at most, not for one
    for each of them.

    At most `waiting` calls wait, each for two grace periods or LEAST_WAIT. One more ends the oldest, whose turn would
    come last, since what a call has sent before its message is read takes memory, too, up to gRPC's flow control
    window.
    """

    def __init__(
        self,
        reader: MessageReader,
        messages: int,
        largest: int,
        grace: float,
        longest: float | None,
        waiting: int,
    ) -> None:
        """messages: number of messages of `largest` bytes in the budget. grace, longest: seconds; None for any time.
        waiting: at least 1."""
        self.largest = largest
        self._reader = reader
        self._most_waiting = waiting
        self._grace, self._longest = grace, longest
        self._free = messages * largest
        self._waiting: list[asyncio.Future[bool]] = []  # resolved to whether it is admitted; the oldest first
        self._receiving: set[_Reading] = set()

    def slot(self) -> "Slot":
        """A slot for one message: an asynchronous context manager, at whose end the message is no longer held."""
        return Slot(self)

    async def acquire(self) -> None:
        """Takes room for the largest message, or waits for it.

        Raises RequestError OVERLOADED where too many calls have come to wait since, or it has waited for too long.
        """
        if self._free >= self.largest:
            self._free -= self.largest
            return
        for reading in self._receiving:
            reading.limit_time()
        try:
            async with asyncio.timeout(max(LEAST_WAIT, 2 * self._grace)):
                admitted = await self._wait_for_turn()
        except TimeoutError:
            admitted = False
        if not admitted:
            raise RequestError(
                OVERLOADED,
                "The message was not read: other calls send theirs, and more wait than can be served. "
                "Send it again when the server is less busy.",
                retry_after=1,
            )

    async def _wait_for_turn(self) -> bool:
        """Waits for room. Returns whether it is there: it is not where too many calls have come to wait since."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if len(self._waiting) > self._most_waiting:
            oldest = self._waiting.pop(0)
            if not oldest.done():
                oldest.set_result(False)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with contextlib.suppress(ValueError):
                    self._waiting.remove(turn)
            elif turn.result():
                self.release(self.largest)
            raise

    def release(self, size: int) -> None:
        """Returns bytes to the budget, and admits waiting calls for which there is room now."""
        self._free += size
        while self._waiting and self._free >= self.largest:
            turn = self._waiting.pop()
            if not turn.done():
                self._free -= self.largest
                turn.set_result(True)

    async def read(self, context: Context) -> bytes | None:
        """Reads a call's next message, None after its last.

        Raises RequestError: OVERLOADED where it takes longer than the grace period while others wait, REQUEST_TIMEOUT
        where it takes longer than any may, and what the reader raises.
        """
        reading = _Reading(self._grace, self._longest)
        try:
            async with reading.limit:
                self._receiving.add(reading)
                if self._waiting:
                    reading.limit_time()
                try:
                    return await self._reader.read(context)
                finally:
                    self._receiving.remove(reading)
        except TimeoutError as error:
            if not reading.limited:
                raise RequestError(
                    REQUEST_TIMEOUT,
                    f"The message was not complete after {self._longest:g} s, the most allowed "
                    "(MFN_STREAM_IDLE_SECONDS). Send a smaller picture, or over a faster line.",
                ) from error
            raise RequestError(
                OVERLOADED,
                f"The message was not complete after {self._grace:g} s, and others wait to send theirs. Send a smaller "
                "one, or send it again when the server is less busy.",
                retry_after=1,
            ) from error


class _Reading:
    """The reading of a message. limit: its timeout. limited: whether that is the grace period, since others wait."""

    def __init__(self, grace: float, longest: float | None) -> None:
        self.limit = asyncio.timeout(longest)
        self.limited = False
        self._end = asyncio.get_running_loop().time() + grace

    def limit_time(self) -> None:
        """Ends the reading one grace period after it began, unless it is being ended already."""
        end = self.limit.when()
        if not self.limit.expired() and (end is None or self._end < end):
            self.limited = True
            self.limit.reschedule(self._end)


class Slot:
    """Room for one message, acquired when it is received and released at the block's end."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._taken = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admission.release(self._taken)

    async def receive(self, context: Context) -> bytes | None:
        """Reads a call's next message as bytes, None after its last. Await it once.

        Raises RequestError as Admission.read does.
        """
        await self._admission.acquire()
        self._taken = self._admission.largest
        message = await self._admission.read(context)
        size = len(message) if message is not None else 0
        self._admission.release(self._taken - size)
        self._taken = size
        return message
