"""Clients that send the same call again and again and cost next to nothing: ready bytes out, bytes of the answer in."""

import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import grpc
from mfn.v1 import retarget_pb2 as pb

from deploy.planning.capacity.served import Served

HOST: Final = "127.0.0.1"
UNARY: Final = "/mfn.v1.RetargetService/Retarget"

# Sends the call once and waits for the answer, whose body it returns.
Send = Callable[[], bytes]


@dataclass(frozen=True)
class Call:
    """What is sent. name: in words. faces: that the picture shows. body: of HTTP, or the message of gRPC where query is
    None."""

    name: str
    faces: int
    body: bytes
    query: str | None = None

    @contextmanager
    def sender(self, served: Served) -> Iterator[Send]:
        """Over a connection of its own, as long as the block runs."""
        if self.query is None:
            with channel_of(served) as channel:
                send = channel.unary_unary(UNARY, request_serializer=None, response_deserializer=None)
                yield partial(send, self.body)
        else:
            with _connected(served) as connection:
                yield _post(self.body, self.query, connection)


def unary(name: str, faces: int, image: pb.Image) -> Call:
    """A call of gRPC's Retarget."""
    return Call(name, faces, pb.RetargetRequest(image=image).SerializeToString())


def _connected(served: Served) -> socket.socket:
    connection = socket.create_connection((HOST, served.http_port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if served.certificate is None:
        return connection
    return ssl.create_default_context(cafile=served.certificate).wrap_socket(connection, server_hostname=HOST)


def _post(body: bytes, query: str, connection: socket.socket) -> Send:
    answers = connection.makefile("rb")
    head = (
        f"POST /retarget{query} HTTP/1.1\r\nHost: {HOST}\r\n"
        f"Content-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body

    def send() -> bytes:
        connection.sendall(request)
        if b" 200 " not in (status := answers.readline()):
            sys.exit(f"A request was answered with {status!r}.")
        length = 0
        while (line := answers.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return answers.read(length)

    return send


def channel_of(served: Served) -> grpc.Channel:
    """A channel with a connection of its own: gRPC would share one among channels that are alike."""
    address, options = f"{HOST}:{served.grpc_port}", [("grpc.use_local_subchannel_pool", 1)]
    if served.certificate is None:
        return grpc.insecure_channel(address, options)
    trusted = grpc.ssl_channel_credentials(served.certificate.read_bytes())
    return grpc.secure_channel(address, trusted, options)
