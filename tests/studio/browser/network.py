"""What may lie between a browser and a server: a slow line, since Chromium's own throttling lets WebSockets through; a
proxy that serves it below a prefix."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

PIECE = 2**16  # bytes that are read at once


class Network:
    """Passes on what comes to an address of its own, each piece after a delay; what waits for it arrives together.

    delay_seconds: one way, may be changed while connections are open.
    """

    def __init__(self, port: int, prefix: str = "") -> None:
        """port: of the server on this machine. prefix: as "/faces", of the only paths that are passed on, without it;
        then requests have no body."""
        self.delay_seconds = 0.0
        self._port = port
        self._prefix = prefix.encode()
        self._own_port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._ready = threading.Event()
        self._end: Callable[[], object] = self._ready.set  # until there is something to end
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        """Where the server answers now, without a slash at the end."""
        return f"http://127.0.0.1:{self._own_port}{self._prefix.decode()}"

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
            asked = self._pass(reader, other_writer, self._without_prefix)
            await asyncio.gather(asked, self._pass(other_reader, writer, bytes))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, changed: Callable[[bytes], bytes]
    ) -> None:
        try:
            while piece := await reader.read(PIECE):
                await asyncio.sleep(self.delay_seconds)
                writer.write(changed(piece))
                await writer.drain()
        except OSError:
            pass  # either side has gone
        finally:
            writer.close()

    def _without_prefix(self, piece: bytes) -> bytes:
        """A request's beginning as the server is to have it; anything else as it is."""
        if not self._prefix or not piece.startswith(b"GET /"):
            return piece
        if piece.startswith(b"GET %b/" % self._prefix):
            return piece.replace(self._prefix, b"", 1)
        return piece.replace(b" ", b" /outside", 1)  # where nothing is
