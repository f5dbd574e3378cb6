"""The producer of a stream: reads the client's messages beside the task that answers them."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from service import errors
from service.errors import RequestError
from service.server.state import ServerState
from service.server.streaming.stream import Calibration, Frame, Stream


class StreamProducer:
    """Reads a transport's events into a stream while its block runs. Ends the stream on silence, age or shutdown."""

    def __init__(
        self,
        state: ServerState,
        read: Callable[[], Awaitable[Frame | Calibration | None]],
        stream: Stream[Any],
        age: float | None = None,
    ) -> None:
        """read: reads the client's next message, and returns None after the last; a RequestError ends the stream. age:
        seconds after which it ends, None for never."""
        self._state = state
        self._age = age
        self._read_next = read
        self._stream = stream
        self._problem: RequestError | None = None

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._end_at_limit())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # What ended a task holds its frame, which holds this object and perhaps a client's frame: nothing would let go
        # of them before the garbage collector comes.
        self._tasks.clear()
        self._stream.abandon()

    def raise_for_end(self) -> None:
        """Raises RequestError where the stream was not ended by its client. Call this when the stream is finished."""
        if self._problem is not None:
            raise self._problem

    async def _read(self) -> None:
        idle = self._state.settings.stream_idle_seconds
        try:
            while True:
                async with asyncio.timeout(idle):
                    event = await self._read_next()
                if event is None:
                    return
                if isinstance(event, Frame):
                    event = self._stream.admit(event)
                    await self._stream.offer(event)
                else:
                    self._stream.calibrate(event)
                del event  # so that no frame is kept while the next one comes
                await asyncio.sleep(0)  # others have their turn where messages come faster than they are read
        except RequestError as problem:
            self._problem = problem
        except TimeoutError:
            self._problem = RequestError(
                errors.DEADLINE_PASSED,
                f"No message came in full for {idle:g} s. Open the stream again when there are frames.",
            )
        finally:
            await self._stream.finish()

    async def _end_at_limit(self) -> None:
        """Ends the stream at its age, or when the server shuts down."""
        try:
            async with asyncio.timeout(self._age):
                await self._state.draining.wait()
            detail = "The server is shutting down. Open the stream again, to another."
        except TimeoutError:
            detail = "The stream is old, and others may have more room. Open it again, which chooses a server anew."
        self._problem = RequestError(errors.UNAVAILABLE, detail, retry_after=1)
        await self._stream.finish()
