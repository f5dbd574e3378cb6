"""A service that does what a test says, connection by connection."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

Conduct = Callable[[ServerConnection], None]

MODEL = json.dumps({"model": {"name": "mfn", "version": "1", "expression_names": ["jawOpen"], "input_sizes": [288]}})
POSE = {"quaternion": [0, 0, 0, 1], "yaw": 0, "pitch": 0, "roll": 0, "translation": [0, 0, -50], "scale": 9}
STAMP_BYTES = 16


def stamp(frame: bytes) -> tuple[int, int]:
    """The sequence and the timestamp of a frame."""
    return int.from_bytes(frame[:8], "little"), int.from_bytes(frame[8:STAMP_BYTES], "little", signed=True)


def answer(frame: bytes, *tracks: int, **members: object) -> str:
    """Of the faces with these tracks. members: of each face."""
    sequence, timestamp = stamp(frame)
    faces = [
        {"track_id": track, "neutral": "off", "score": 0.9, "box": {}, "pose": POSE, "expression": {"jawOpen": 0.5}}
        | members
        for track in tracks
    ]
    return json.dumps({
        "sequence": sequence, "timestamp_us": timestamp, "dropped": 0, "restarted": False,
        "image": {"width": 4, "height": 3}, "timing_ms": {}, "faces": faces,
    })  # fmt: skip


def problem(kind: str, detail: str, **members: object) -> str:
    document = {"type": f"urn:problem-type:mfn:{kind}", "title": "T", "status": 400, "detail": detail}
    return json.dumps({"problem": document, **members})


def greet(connection: ServerConnection) -> dict[str, Any]:
    """Takes the configuration, and answers with the model."""
    configuration: dict[str, Any] = json.loads(connection.recv())
    connection.send(MODEL)
    return configuration


def next_frame(connection: ServerConnection) -> bytes:
    """The next frame; texts before it are passed over."""
    while isinstance(message := connection.recv(), str):
        pass
    return message


def serve_faces(*tracks: int, **members: object) -> Conduct:
    """Answers every frame with the same faces, see answer."""

    def conduct(connection: ServerConnection) -> None:
        greet(connection)
        while True:
            connection.send(answer(next_frame(connection), *tracks, **members))

    return conduct


@contextmanager
def fake_service(*conducts: Conduct) -> Iterator[str]:
    """Its address. conducts: of the first connection, the second and so on; the last one's is that of all others."""
    remaining = list(conducts)

    def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        assert connection.request.path == "/retarget/stream"
        conduct = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        with suppress(ConnectionClosed):
            conduct(connection)

    with serve(handle, "127.0.0.1", 0) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.socket.getsockname()[1]}"
        running.shutdown()
        thread.join()
