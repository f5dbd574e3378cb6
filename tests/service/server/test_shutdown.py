"""SIGTERM: nobody waits for clients that send nothing, what is in work is answered, and the log stays quiet."""

import contextlib
import fcntl
import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.service.processes import free_port, server, wait_until_ready

DRAIN_SECONDS = 60
PROMPT_SECONDS = 10  # far less than that; it takes a fraction of a second
UNAVAILABLE = "The server is shutting down."
HELD_PICTURES = """
import os, time
from service.inference.pipeline import Pipeline
from service.tracking.session import Session

def held(process):
    def hold(*given):
        if os.path.exists({lock!r}):
            os.write(2, b"begun\\n")  # at once: threads do not mix their lines
        while os.path.exists({lock!r}):
            time.sleep(0.01)
        return process(*given)
    return hold

Session.process_frame = held(Session.process_frame)
Pipeline.retarget_source = held(Pipeline.retarget_source)
"""  # while the file `lock` exists


@dataclass
class Clients:
    """Connections to a server that stay open until the test's end. trust: of TLS, None without it."""

    stack: ExitStack
    http_port: int
    grpc_port: int
    authority: trustme.CA | None = None
    streams: list[grpc.Call] = field(default_factory=list)
    sockets: list[ClientConnection] = field(default_factory=list)

    def trust(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cadata=self.authority.cert_pem.bytes().decode()) if self.authority else None

    def tcp(self, port: int, first: bytes = b"") -> socket.socket:
        connection = self.stack.enter_context(socket.create_connection(("localhost", port)))
        connection.sendall(first)
        return connection

    def http(self, first: bytes = b"") -> socket.socket:
        connection, trust = self.tcp(self.http_port), self.trust()
        if trust is not None:
            connection = self.stack.enter_context(trust.wrap_socket(connection, server_hostname="localhost"))
        connection.sendall(first)
        return connection

    def websocket(self, *messages: str | bytes) -> ClientConnection:
        url = f"ws{'s' if self.authority else ''}://localhost:{self.http_port}/retarget/stream"
        opened = self.stack.enter_context(connect(url, proxy=None, ssl=self.trust()))
        for message in messages:
            opened.send(message)
        self.sockets.append(opened)
        return opened

    def channel(self) -> grpc.Channel:
        address = f"localhost:{self.grpc_port}"
        if self.authority is None:
            return self.stack.enter_context(grpc.insecure_channel(address))
        credentials = grpc.ssl_channel_credentials(self.authority.cert_pem.bytes())
        return self.stack.enter_context(grpc.secure_channel(address, credentials))

    def silent(self, *first: Any) -> Iterator[Any]:
        """Messages, and then none until the test's end."""
        end = threading.Event()
        self.stack.callback(end.set)

        def messages() -> Iterator[Any]:
            yield from first
            end.wait(PROMPT_SECONDS)

        return messages()

    def call(self, method: str) -> None:
        """Opens a call that sends nothing."""
        self.streams.append(self.channel().stream_stream(method, None, None)(self.silent()))

    def open_all(self) -> None:
        """Every kind of connection that has nothing in work."""
        self.http()
        self.http(b"POST /retarget HTTP/1.1\r\nHost: x\r\nX-")
        assert self.http(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").recv(2**16).startswith(b"HTTP/1.1 200")
        self.tcp(self.http_port)
        self.tcp(self.http_port, b"\x16\x03\x01\x02\x00\x01")  # the beginning of a TLS handshake
        for first in (b"", b"PRI * HTTP/2.0\r\n", b"\x16\x03\x01\x02\x00\x01"):
            self.tcp(self.grpc_port, first)
        self.websocket()
        assert "model" in json.loads(self.websocket("{}").recv(PROMPT_SECONDS))
        grpc.channel_ready_future(self.channel()).result(PROMPT_SECONDS)
        self.call("/grpc.health.v1.Health/Watch")  # of health and reflection one: a second would end it soon
        self.call("/mfn.v1.RetargetService/Retarget")
        self.call("/mfn.v1.RetargetService/RetargetStream")
        stream = retarget_pb2_grpc.RetargetServiceStub(self.channel()).RetargetStream(
            self.silent(pb.RetargetStreamRequest(config=pb.StreamConfig()))
        )
        assert next(stream).WhichOneof("message") == "model"
        self.streams.append(stream)


def problem(opened: ClientConnection) -> dict[str, Any]:
    """The last message of a stream over WebSocket, which the server closes."""
    messages: list[str | bytes] = []
    with contextlib.suppress(ConnectionClosed):
        for message in opened:
            messages.append(message)  # noqa: PERF402  # all of those that come before the end
    assert opened.close_code == 1013
    told: dict[str, Any] = json.loads(messages[-1])["problem"]
    return told


def read_until(process: subprocess.Popen[str], words: str, count: int = 1) -> None:
    """Reads the log up to the line that has the words for the last time of `count`."""
    assert process.stderr is not None
    for _ in range(count):
        while words not in (line := process.stderr.readline()):
            assert line, "the server has ended"


def alarming(log: str) -> list[str]:
    """The lines of a log that are no usual ones."""
    usual = ('"level": "info"', "begun")
    return [line for line in log.splitlines() if not any(words in line for words in usual)]


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
def test_nobody_waits_for_clients_that_send_nothing(models_dir: Path, encrypted: bool, tmp_path: Path) -> None:
    authority = trustme.CA() if encrypted else None
    settings = {
        "MFN_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "MFN_UPLOAD_GRACE_SECONDS": str(DRAIN_SECONDS),
        "MFN_WORKERS": "2",  # room for three silent messages
    }
    if authority is not None:
        certificate = authority.issue_cert("localhost")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
        certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
        settings |= {
            "MFN_TLS_CERTIFICATE_FILE": str(tmp_path / "chain.pem"),
            "MFN_TLS_KEY_FILE": str(tmp_path / "key.pem"),
        }
    port, grpc_port = free_port(), free_port()
    with server(models_dir, port, MFN_GRPC_PORT=str(grpc_port), **settings) as process, ExitStack() as stack:
        clients = Clients(stack, port, grpc_port, authority)
        read_until(process, "Listening")
        clients.open_all()
        watch = health_pb2_grpc.HealthStub(clients.channel()).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        half = clients.http(b"POST /retarget HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + bytes(500))
        process.terminate()
        answer = HTTPResponse(half)
        answer.begin()
        assert (answer.status, json.load(answer)["detail"][:28]) == (503, UNAVAILABLE)
        _, log = process.communicate(timeout=PROMPT_SECONDS)
        assert process.returncode == 0
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        for stream in (watch, *clients.streams):
            with pytest.raises(grpc.RpcError) as ended:
                next(stream)
            assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
            assert (ended.value.details() or "").startswith(UNAVAILABLE)
        for opened in clients.sockets:
            assert problem(opened)["detail"].startswith(UNAVAILABLE)
    assert alarming(log) == []
    assert json.loads(log.splitlines()[-1])["message"] == "Stopped"


def test_what_is_in_work_is_answered_and_streams_are_told_of_the_end(
    models_dir: Path, png: bytes, tmp_path: Path
) -> None:
    lock = tmp_path / "lock"
    port, grpc_port = free_port(), free_port()
    settings = {"MFN_GRPC_PORT": str(grpc_port), "MFN_WORKERS": "4", "MFN_DRAIN_SECONDS": str(DRAIN_SECONDS)}
    with server(models_dir, port, HELD_PICTURES.format(lock=str(lock)), **settings) as process, ExitStack() as stack:
        wait_until_ready(port)
        lock.touch()
        clients = Clients(stack, port, grpc_port)
        image = pb.Image(encoded=png)
        opened = clients.websocket('{"drop_policy": "none"}', png, png)  # the second one waits
        head = f"POST /retarget HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {len(png)}\r\n\r\n"
        posted = clients.http(head.encode() + png)
        stub = retarget_pb2_grpc.RetargetServiceStub(clients.channel())
        unary = stub.Retarget.future(pb.RetargetRequest(image=image), timeout=PROMPT_SECONDS)
        stream = stub.RetargetStream(
            clients.silent(
                pb.RetargetStreamRequest(config=pb.StreamConfig(drop_policy=pb.DROP_POLICY_NONE)),
                *(pb.RetargetStreamRequest(frame=pb.Frame(sequence=n, timestamp_us=n, image=image)) for n in (1, 2)),
            )
        )
        read_until(process, "begun", 4)
        process.terminate()
        read_until(process, "Shutting down: ")
        lock.unlink()
        assert posted.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"
        assert len(unary.result().faces) == 1
        assert next(stream).WhichOneof("message") == "model"
        assert [next(stream).answer.sequence for _ in range(2)] == [1, 2]
        with pytest.raises(grpc.RpcError, match=UNAVAILABLE):
            next(stream)
        assert "model" in json.loads(opened.recv(PROMPT_SECONDS))
        answers = [json.loads(opened.recv(PROMPT_SECONDS)) for _ in range(2)]
        assert [(answer["sequence"], len(answer["faces"])) for answer in answers] == [(1, 1), (2, 1)]
        assert problem(opened)["detail"].startswith(UNAVAILABLE)
        _, log = process.communicate(timeout=PROMPT_SECONDS)
    assert process.returncode == 0
    assert alarming(log) == []


def test_a_log_that_nobody_reads_stops_neither_the_server_nor_its_end(models_dir: Path, png: bytes) -> None:
    port = free_port()
    with server(models_dir, port) as process, httpx2.Client(timeout=PROMPT_SECONDS) as client:
        wait_until_ready(port)
        assert process.stderr is not None
        fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 4096)
        url, headers = f"http://127.0.0.1:{port}", {"Content-Type": "image/png"}
        for _ in range(100):  # some 250 bytes of a line each
            assert client.get(f"{url}/livez").status_code == 200
        assert client.post(f"{url}/retarget", content=png, headers=headers).status_code == 200
        process.terminate()
        assert process.wait(PROMPT_SECONDS) == 0


def test_what_is_not_finished_in_time_is_told(models_dir: Path, png: bytes, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    port, grpc_port = free_port(), free_port()
    settings = {"MFN_GRPC_PORT": str(grpc_port), "MFN_WORKERS": "3", "MFN_DRAIN_SECONDS": "0.3"}
    with server(models_dir, port, HELD_PICTURES.format(lock=str(lock)), **settings) as process, ExitStack() as stack:
        wait_until_ready(port)
        lock.touch()
        clients = Clients(stack, port, grpc_port)
        opened = clients.websocket("{}", png)
        with httpx2.Client(timeout=PROMPT_SECONDS) as client, ExitStack() as late:
            told: list[httpx2.Response] = []
            url, headers = f"http://127.0.0.1:{port}/retarget", {"Content-Type": "image/png"}
            sending = threading.Thread(target=lambda: told.append(client.post(url, content=png, headers=headers)))
            sending.start()
            late.callback(sending.join)
            unary = retarget_pb2_grpc.RetargetServiceStub(clients.channel()).Retarget.future(
                pb.RetargetRequest(image=pb.Image(encoded=png)), timeout=PROMPT_SECONDS
            )
            read_until(process, "begun", 3)
            process.terminate()
        assert (told[0].status_code, told[0].json()["type"]) == (503, "urn:problem-type:mfn:unavailable")
        assert unary.code() is grpc.StatusCode.UNAVAILABLE
        assert problem(opened)["detail"].startswith(UNAVAILABLE)
        lock.unlink()  # the workers' threads end with their pictures
        _, log = process.communicate(timeout=PROMPT_SECONDS)
    assert process.returncode == 0
    (line,) = alarming(log)
    assert re.search("Stopped 2 requests or streams", line)
