"""uvicorn's WebSocket (RFC 6455) with limits: a message is read only when the application asks for it.

The application asks for a second message once it has accepted the first. Before that, no message may be longer than a
configuration. Messages are never compressed.
"""

import asyncio
from typing import Any, Final

from pydantic_core import to_json
from uvicorn import Config
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Close, CloseCode, Frame, Opcode

from service.errors import TOO_LARGE, RequestError, too_many_bytes
from service.server.problems import problem_document
from service.server.rest.connections import Connections
from service.server.websocket.endpoint import MAX_TEXT
from service.server.websocket.frame_image import longest_message
from service.settings import Settings

FIRST_MESSAGE_BYTES: Final = 4 * MAX_TEXT  # a character has up to four bytes in UTF-8
# Frames are limited, since empty frames and pings cost more time to handle than to send.
FIRST_FRAMES: Final = 64  # of a configuration
MESSAGE_FRAMES: Final = 16_384  # of a later message: enough for a picture of 10 MiB in fragments of 1 KiB
FRAMES_AT_ONCE: Final = 128  # parsed in one iteration of the event loop, so that others have their turn
TOO_LARGE_REASONS: Final = (  # at most 123 bytes, RFC 6455 section 5.5
    f"The first message is too large. Send the configuration first, at most {MAX_TEXT} characters.",
    "The picture has more bytes than allowed. Scale it down or compress it more.",
)
LINGER_SECONDS: Final = 1.0  # after a message that is too large: a close with unread bytes would lose the reason
CLOSING_SECONDS: Final = 15.0  # for the client to read what was written last; uvicorn waits 10 for it to close
# Bytes of a frame's header, RFC 6455 section 5.2: two, then two or eight more of a longer length, and a mask of four.
SHORT_HEAD: Final = 6
LONGER_HEADS: Final = {
    126: (8, 4),
    127: (14, 10),
}  # by the second byte's length: bytes of the header, end of the length
MASK_BIT: Final = 0x80


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket connection, from its opening request. It is closed where the client does not read in time.

    The application ends it where no configuration comes.
    """

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
        self.received_at = 0.0  # the loop's time at which bytes came last
        self._held = bytearray()  # bytes that have been read but not parsed
        self._frame_left = 0  # bytes left of the current frame
        self._frames_allowed = FIRST_FRAMES
        self._parsing: asyncio.Handle | None = None  # goes on with the held bytes
        self._asked = 0  # messages that the application has asked for
        self._asking = False  # whether it waits for one
        self._fragments = bytearray()  # of a fragmented message
        self._refused = False  # for a message that is too large; what follows is not looked at
        self._write_timer: asyncio.TimerHandle | None = None  # for the client to read what was written
        self._closing_timer: asyncio.TimerHandle | None = None  # for it to close the connection, too
        self.conn.max_message_size = FIRST_MESSAGE_BYTES

    @property
    def has_sent_frames(self) -> bool:
        """Whether a message has come after the configuration."""
        return self._asked > 2

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Counts the connection."""
        super().connection_made(transport)
        self._open_connections.open(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops counting the connection and drops what it holds."""
        self._open_connections.close(self)
        self._stop_write_timer()
        if self._closing_timer is not None:
            self._closing_timer.cancel()
        self._held.clear()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Called when the server shuts down. The application ends the stream, once its last frame is answered."""
        self.stop_keepalive()

    def abort(self) -> None:
        """Closes the connection at once, without sending what is left."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parses the opening request; holds later bytes until the application asks for a message."""
        self.received_at = self.loop.time()
        if self._refused:
            return
        if self.handshake_initiated:
            self._held += data
            self._read_frames()
            return
        super().data_received(data)  # the request
        if not self.handshake_initiated:  # it does not open a WebSocket, which uvicorn does not answer
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def _read_frames(self) -> None:
        """Parses held bytes, frame by frame, until a message waits for the application."""
        if self._parsing is not None:
            self._parsing.cancel()
            self._parsing = None
        parsed = 0
        while self._held and self._may_parse():
            if not self._frame_left:
                self._frame_left = _frame_bytes(self._held)
                if not self._frame_left:
                    break
                if not self._frames_allowed:
                    self._refuse_frames()
                    return
                if parsed == FRAMES_AT_ONCE:
                    self._frame_left = 0
                    self._parsing = self.loop.call_soon(self._read_frames)
                    break
                self._frames_allowed -= 1
                parsed += 1
            piece = bytes(self._held[: self._frame_left])
            del self._held[: len(piece)]
            self._frame_left -= len(piece)
            super().data_received(piece)
        if not self.transport.is_closing():
            self._read_on(self._parsing is None and self._may_parse())

    def _may_parse(self) -> bool:
        return not self.transport.is_closing() and not self._refused and (self.close_sent or self._wants_more())

    def _read_on(self, more: bool) -> None:
        """Reads on where more bytes are wanted; where some are held that are not, reading pauses."""
        if more and self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        elif not more and self._held and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def _refuse_frames(self) -> None:
        if self.close_sent:
            self.transport.close()
        else:
            self.conn.fail(CloseCode.POLICY_VIOLATION, "too many frames for a message")
            self.handle_parser_exception()

    def handle_parser_exception(self) -> None:
        """Ends a connection whose client breaks the protocol or a limit, and tells what is too large in own words."""
        assert self.conn.close_sent is not None
        if self.conn.close_sent.code != CloseCode.MESSAGE_TOO_BIG:
            super().handle_parser_exception()
            self._limit_closing()
            return
        self.conn.data_to_send()  # websockets' words
        first = self._asked < 2
        reason = TOO_LARGE_REASONS[0 if first else 1]
        problem = RequestError(TOO_LARGE, reason) if first else too_many_bytes(self._settings.max_bytes)
        text = to_json({"problem": problem_document(problem)})
        close = Close(CloseCode.MESSAGE_TOO_BIG, reason).serialize()
        self.transport.write(
            Frame(Opcode.TEXT, text).serialize(mask=False) + Frame(Opcode.CLOSE, close).serialize(mask=False)
        )
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.MESSAGE_TOO_BIG, "reason": reason})
        self.close_sent = self._refused = True
        self._held.clear()
        self._read_on(True)
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """Called where the client answers no ping: it is gone, or does not read."""
        super().keepalive_timeout()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE})
        self._limit_closing()

    def _wants_more(self) -> bool:
        return self._asking and self.queue.empty()

    async def receive(self) -> ASGIReceiveEvent:
        """The next event for the application; reads the next message."""
        if self.handshake_complete and self.queue.empty():
            self._asked += 1
            if self._asked > 1:
                self._frames_allowed = MESSAGE_FRAMES
                self.conn.max_message_size = longest_message(self._settings.max_bytes)
                self._open_connections.set_busy(self)
            self._asking = True
            self._read_frames()
        try:
            return await self.queue.get()
        finally:
            self._asking = False

    async def send(self, message: ASGISendEvent) -> None:
        """Sends an event of the application. Raises ClientDisconnected once the connection is closed."""
        closed = self.close_sent
        if closed:
            raise ClientDisconnected
        await super().send(message)
        if self.close_sent:  # go on reading to find the client's close; what was on its way before it is dropped
            self._frames_allowed = MESSAGE_FRAMES
            self._read_frames()

    def handle_cont(self, event: Frame) -> None:
        """Appends a fragment to its message, and passes the message on with the last one."""
        self._fragments += self.frames.pop() if self.frames else b""
        self._fragments += event.data
        if event.fin:
            self.frames, self._fragments = [bytes(self._fragments)], bytearray()
            self.send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answers a ping, unless the client does not read."""
        if self.writable.is_set():
            super().handle_ping()
        else:  # pongs would pile up
            self.conn.data_to_send()

    def pause_writing(self) -> None:
        """Called when the write buffer is full: limits the time for the client to read."""
        super().pause_writing()
        self._stop_write_timer()
        self._write_timer = self.loop.call_later(self._settings.frame_deadline_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Called when the client has read enough."""
        super().resume_writing()
        self._stop_write_timer()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Called when the application is finished: limits the time until the connection is closed."""
        super().on_task_complete(task)
        if not self.disconnected:
            self._limit_closing()

    def _limit_closing(self) -> None:
        """Limits the time until the connection is closed: a close waits for the client to read what was written."""
        if self._closing_timer is None:
            self._closing_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def _frame_bytes(begin: bytearray) -> int:
    """Number of bytes of the frame that begins here; 0 where too few are here to tell."""
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
