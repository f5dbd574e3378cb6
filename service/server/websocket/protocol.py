"""WebSocket (RFC 6455) as uvicorn speaks it, one message at a time: the next is read when the application asks for it.

Before the application has asked for a second message, which it does once it has accepted the first, none may be longer
than a configuration. Messages are never compressed.
"""

import asyncio
from typing import Any, Final

from uvicorn import Config
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame

from service.server.rest.connections import Connections
from service.server.websocket.endpoint import MAX_TEXT, STAMP
from service.settings import Settings

FIRST_MESSAGE_BYTES: Final = 4 * MAX_TEXT  # of characters that have up to four in UTF-8
# Frames may be empty, or pings, so that they cost more time than they take to send.
FIRST_FRAMES: Final = 64  # of a configuration; and after the server has closed, until the client does
MESSAGE_FRAMES: Final = 4096  # of a later message: of the largest picture in fragments of some KiB
POLICY_VIOLATED: Final = 1008  # RFC 6455 section 7.4.1
CLOSING_SECONDS: Final = 15.0  # for the client to take what was written last; uvicorn waits 10 for it to close
# RFC 6455 section 5.2: two bytes and a mask of four; by the length in the second byte, two or eight of length more.
SHORT_HEAD: Final = 6
LONGER_HEADS: Final = {126: (8, 4), 127: (14, 10)}  # bytes of the head, end of the length in it
MASK_BIT: Final = 0x80


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection, from the request that opens it. It is closed where what is sent is not taken in time, as it is in
    the application where no configuration comes."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        settings: Settings,
        open_connections: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, asyncio.get_running_loop())
        self._settings = settings
        self._open_connections = open_connections
        self._held = bytearray()  # what has been read and not yet looked at
        self._frame_left = 0  # bytes of the frame that has begun
        self._frames_allowed = FIRST_FRAMES
        self._asked = 0  # messages that the application has asked for
        self._asking = False  # whether it waits for one
        self._whole = bytearray()  # a message in fragments
        self._timer: asyncio.TimerHandle | None = None  # for the client to take what was written
        self.conn.max_message_size = FIRST_MESSAGE_BYTES

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._open_connections.open(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.close(self)
        self._stop_timer()
        self._held.clear()
        super().connection_lost(exc)

    def abort(self) -> None:
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.handshake_initiated:
            self._held += data
            self._read_frames()
            return
        super().data_received(data)  # the request
        if not self.handshake_initiated:  # it is not one that opens a WebSocket, and uvicorn does not say so
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def _read_frames(self) -> None:
        """Hands over what is held, frame by frame, until a message waits for the application."""
        while self._held and not self.transport.is_closing() and (self.close_sent or self._wants_more()):
            if not self._frame_left:
                self._frame_left = _frame_bytes(self._held)
                if not self._frame_left:
                    return
                if not self._frames_allowed:
                    self._refuse_frames()
                    return
                self._frames_allowed -= 1
            piece = bytes(self._held[: self._frame_left])
            del self._held[: len(piece)]
            self._frame_left -= len(piece)
            super().data_received(piece)
        if self._held and not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    def _refuse_frames(self) -> None:
        if self.close_sent:
            self.transport.close()
        else:
            self.conn.fail(POLICY_VIOLATED, "too many frames for a message")
            self.handle_parser_exception()

    def _wants_more(self) -> bool:
        return self._asking and self.queue.empty()

    async def receive(self) -> ASGIReceiveEvent:
        if self.handshake_complete and self.queue.empty():
            self._asked += 1
            if self._asked > 1:
                self._frames_allowed = MESSAGE_FRAMES
                self.conn.max_message_size = self._settings.max_bytes + STAMP.size
                self._open_connections.work(self)
            self._asking = True
            self._read_frames()
            if self.queue.empty() and self.read_paused:
                self.read_paused = False
                self.transport.resume_reading()
        try:
            return await self.queue.get()
        finally:
            self._asking = False

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if self.close_sent:  # the client's own close is to be found
            self._frames_allowed = FIRST_FRAMES
            self._read_frames()

    def handle_cont(self, event: Frame) -> None:
        self._whole += self.frames.pop() if self.frames else b""
        self._whole += event.data
        if event.fin:
            self.frames, self._whole = [bytes(self._whole)], bytearray()
            self.send_receive_event_to_app()

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:  # its client does not read: pongs would pile up
            self.conn.data_to_send()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._abort_after(self._settings.frame_deadline_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_timer()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        if not self.disconnected:
            self._abort_after(CLOSING_SECONDS)

    def _abort_after(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _frame_bytes(begin: bytearray) -> int:
    """How many bytes the frame has that begins here; 0 where too little of it is here to tell."""
    if len(begin) < 2:
        return 0
    length = begin[1] & ~MASK_BIT
    head = SHORT_HEAD
    if length in LONGER_HEADS:
        head, end = LONGER_HEADS[length]
        if len(begin) < end:
            return 0
        length = int.from_bytes(begin[2:end])
    return head + length
