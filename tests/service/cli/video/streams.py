"""A camera over HTTP (Motion JPEG), whose frames show their number, as many network cameras are."""

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from service.vision.arrays import Pixels

BITS, STRIPE, HEIGHT = 12, 16, 32
PACE_SECONDS = 0.004  # from frame to frame


def numbered(number: int) -> Pixels:
    """A picture with a bright stripe for each bit of a number."""
    bits = np.array([number >> bit & 1 for bit in range(BITS)], np.uint8) * 255
    return np.broadcast_to(bits.repeat(STRIPE)[None, :, None], (HEIGHT, BITS * STRIPE, 3))


def number_in(pixels: Pixels) -> int:
    """The number that such a picture shows."""
    bits = pixels[HEIGHT // 2, STRIPE // 2 :: STRIPE, 0] > 127
    return sum(1 << bit for bit in range(BITS) if bits[bit])


class NetworkCamera:
    """The server. /camera: frames without end; /clip.mp4: a file; anything else: never an answer.

    sent: number of the last frame.
    """

    def __init__(self, clip: bytes = b"") -> None:
        self.sent = 0
        self.asked = threading.Event()
        self._clip = clip
        self._running = threading.Event()
        self._sending = threading.Lock()
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Serves, on the same port as before."""
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None: ...

            def do_GET(self) -> None:
                with contextlib.suppress(OSError):  # nobody watches any more
                    camera._answer(self)

        self._running = threading.Event()
        self._ended = threading.Event()
        self._connections: list[socket.socket] = []
        self._running.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def pause(self) -> None:
        """Sends no more frames."""
        with self._sending:
            self._running.clear()

    def stop(self) -> None:
        """Ends all connections, and lets nobody connect."""
        self._ended.set()
        self._running.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:
            connection.close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        ended, running = self._ended, self._running
        self._connections.append(request.connection)
        self.asked.set()
        if request.path == "/clip.mp4":
            request.send_response(200)
            request.send_header("Content-Length", str(len(self._clip)))
            request.end_headers()
            request.wfile.write(self._clip)
        elif request.path == "/camera":
            request.send_response(200)
            request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            request.end_headers()
            while not ended.wait(PACE_SECONDS):
                running.wait()
                with self._sending:
                    if running.is_set():
                        self._send(request)
        else:
            ended.wait()

    def _send(self, request: BaseHTTPRequestHandler) -> None:
        buffer = BytesIO()
        self.sent += 1
        Image.fromarray(np.ascontiguousarray(numbered(self.sent))).save(buffer, "JPEG")
        data = buffer.getvalue()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
        request.wfile.write(head.encode() + data + b"\r\n")
