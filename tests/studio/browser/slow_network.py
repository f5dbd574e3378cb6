"""A network between a browser and a server that can be made slow. Chromium's own throttling lets WebSockets through."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

PIECE = 2**16  # bytes that are read at once


class SlowNetwork:
    """Passes on what comes to an address of its own, each piece after a delay; what waits for it arrives together.

    delay_seconds: one way, may be changed while connections are open.
    """

    def __init__(self, port: int) -> None:
        """port: of the server on this machine."""
        self.delay_seconds = 0.0
        self._port = port
        self._own_port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._ready = threading.Event()
        self._end: Callable[[], object] = self._ready.set  # until there is something to end
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._own_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._thread.join()

    async def _serve(self) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self._own_port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await ended.wait()
        server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.sleep(0)  # they close in the loop's next round

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        self._writers += [writer, other_writer]
        with suppress(asyncio.CancelledError):  # which Python 3.11 would log
            await asyncio.gather(self._pass(reader, other_writer), self._pass(other_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(PIECE):
                await asyncio.sleep(self.delay_seconds)
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass  # either side has gone
        finally:
            writer.close()
