import hashlib
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import httpx2
import onnxruntime
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc

from service.cli import health
from service.cores import usable_cores
from service.inference.execution import PROVIDERS
from service.settings import Settings
from tests.service.processes import free_port, has_ipv6, server, wait_until_ready


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def grpc_port() -> int:
    return free_port()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal_and_exits_with_0(
    models_dir: Path, port: int, png: bytes, number: signal.Signals
) -> None:
    with server(models_dir, port) as process:
        wait_until_ready(port)
        answer = httpx2.post(f"http://127.0.0.1:{port}/retarget", content=png, headers={"Content-Type": "image/png"})
        assert len(answer.json()["faces"]) == 1
        process.send_signal(number)
        _, log = process.communicate(timeout=20)
        assert process.returncode == 0
        assert f"http://127.0.0.1:{port}" in log


@pytest.fixture
def studio(tmp_path: Path) -> str:
    """Statements with which a server has a Studio of one page."""
    folder = tmp_path / "studio"
    (folder / "dist").mkdir(parents=True)
    (folder / "dist/index.html").write_text("<title>MFN Studio</title>")
    return (
        "from pathlib import Path; import service.server.main as main; folders = main.published; "
        f"main.published = lambda name: Path({str(folder)!r}) if name == 'studio' else folders(name)"
    )


def test_the_studio_is_where_the_log_says(models_dir: Path, port: int, studio: str) -> None:
    with server(models_dir, port, studio, MFN_LOG_FORMAT="text") as process:
        wait_until_ready(port)
        page = httpx2.get(f"http://127.0.0.1:{port}/", follow_redirects=True)
        assert (page.url.path, page.text) == ("/studio/", "<title>MFN Studio</title>")
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert f"Open http://127.0.0.1:{port}/studio:" in log


@pytest.mark.parametrize(("setting", "told"), [("off", ""), ("on", "There is no Studio: ")])
def test_without_a_studio_the_rest_is_served(
    models_dir: Path, port: int, studio: str, tmp_path: Path, setting: str, told: str
) -> None:
    """Where it is off, and where it is on but not built."""
    if setting == "on":
        (tmp_path / "studio/dist/index.html").unlink()
    with server(models_dir, port, studio, MFN_STUDIO=setting) as process:
        wait_until_ready(port)
        assert {httpx2.get(f"http://127.0.0.1:{port}{path}").status_code for path in ("/", "/studio", "/studio/")} == {
            404
        }
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert told in log
    assert ("Studio" in log) is bool(told)


def test_a_request_that_has_begun_is_finished_after_the_signal(models_dir: Path, port: int, png: bytes) -> None:
    with server(models_dir, port) as process:
        wait_until_ready(port)
        head = (
            f"POST /retarget HTTP/1.1\r\nHost: here\r\nContent-Type: image/png\r\nContent-Length: {len(png)}\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
            connection.sendall(head.encode())
            assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"  # the request has begun
            process.terminate()
            time.sleep(0.3)
            connection.sendall(png)
            answers.readline()
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
        assert process.wait(20) == 0


def test_refuses_to_start_without_the_execution_provider_that_is_asked_for(models_dir: Path, port: int) -> None:
    available = onnxruntime.get_available_providers()
    provider = next(name for name, known in PROVIDERS.items() if known.name not in available)
    with server(models_dir, port, MFN_EXECUTION_PROVIDER=provider) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"mfn: MFN_EXECUTION_PROVIDER asks for {provider}" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_which_form_is_served_is_told_everywhere(models_dir: Path, port: int, grpc_port: int, precision: str) -> None:
    with server(models_dir, port, MFN_GRPC_PORT=str(grpc_port), MFN_PRECISION=precision) as process:
        wait_until_ready(port)
        model = httpx2.get(f"http://127.0.0.1:{port}/model").json()
        metrics = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            answer = stub(channel).GetModel(pb.GetModelRequest()).model
        process.terminate()
        _, log = process.communicate(timeout=20)
    sha256 = hashlib.sha256((models_dir / f"mfn.{precision}.onnx").read_bytes()).hexdigest()
    assert (model["precision"], model["networks"]["mfn"]["sha256"]) == (precision, sha256)
    assert (answer.precision, answer.sha256["mfn"]) == (precision, sha256)
    labels = f'precision="{precision}",provider="cpu",sha256="{sha256}",version="9.9.9"'
    assert f"mfn_model_info{{{labels}}} 1.0" in metrics
    assert "mfn_certificate" not in metrics
    assert f"Serving mfn 9.9.9 in {precision} on cpu" in log
    assert f"{usable_cores().count} workers: {usable_cores().reason}" in log


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_localhost_is_both_of_its_addresses_by_default(models_dir: Path, png: bytes) -> None:
    """Node.js asks ::1 for localhost, others 127.0.0.1."""
    with server(models_dir, 0, MFN_HOST=Settings().host) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"on http://\[::\]:(\d+), .* gRPC on port (\d+), over IPv4 and IPv6", line):
                break
        else:
            pytest.fail("it does not say where it listens")
        port, grpc_port = found.groups()
        for host in ("127.0.0.1", "[::1]"):
            url = f"http://{host}:{port}/retarget"
            answer = httpx2.post(url, content=png, headers={"Content-Type": "image/png"})
            assert answer.status_code == 200
            with grpc.insecure_channel(f"{host}:{grpc_port}") as channel:
                assert stub(channel).Retarget(pb.RetargetRequest(image=pb.Image(encoded=png)), timeout=20).faces
        assert health.main({"MFN_HTTP_PORT": port}) == 0
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert log.count('"client": "127.0.0.1"') == 3  # two pictures and the health check
    assert log.count('"client": "::1"') == 2


def stub(channel: grpc.Channel) -> retarget_pb2_grpc.RetargetServiceStub:
    return retarget_pb2_grpc.RetargetServiceStub(channel)


def test_both_doors_share_one_model_and_one_account(models_dir: Path, port: int, grpc_port: int, png: bytes) -> None:
    with server(models_dir, port, MFN_GRPC_PORT=str(grpc_port)) as process:
        wait_until_ready(port)
        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            answer = stub(channel).Retarget(pb.RetargetRequest(image=pb.Image(encoded=png)))
        rest = httpx2.post(f"http://127.0.0.1:{port}/retarget", content=png, headers={"Content-Type": "image/png"})
        assert answer.faces[0].score == pytest.approx(rest.json()["faces"][0]["score"], abs=1e-5)
        metrics = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
        for transport, method, code in (("grpc", "Retarget", "OK"), ("http", "POST /retarget", "200")):
            labels = f'code="{code}",method="{method}",transport="{transport}"'
            assert f"mfn_request_duration_seconds_count{{{labels}}} 1.0" in metrics
        process.terminate()
        assert process.wait(20) == 0


def test_streams_are_told_of_the_end_and_what_is_in_work_is_answered(
    models_dir: Path, port: int, grpc_port: int, png: bytes
) -> None:
    with server(models_dir, port, MFN_GRPC_PORT=str(grpc_port)) as process:
        wait_until_ready(port)
        more = threading.Event()

        def messages() -> Iterator[pb.RetargetStreamRequest]:
            yield pb.RetargetStreamRequest(config=pb.StreamConfig())
            yield pb.RetargetStreamRequest(frame=pb.Frame(sequence=1, image=pb.Image(encoded=png)))
            more.wait(20)

        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            stream = stub(channel).RetargetStream(messages())
            assert next(stream).WhichOneof("message") == "model"
            assert next(stream).answer.sequence == 1
            process.terminate()
            with pytest.raises(grpc.RpcError) as ended:
                next(stream)
            more.set()
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        assert process.wait(20) == 0


def test_no_answer_is_lost_when_the_server_ends_under_load(models_dir: Path, port: int, png: bytes) -> None:
    """Requests that were taken are answered; those that come too late find nobody, and none is cut off."""
    answered, refused, cut_off = list[bytes](), list[int](), list[bytes]()
    stopped = threading.Event()

    def send() -> None:
        while not stopped.is_set():
            with socket.socket() as connection:
                try:
                    connection.connect(("127.0.0.1", port))
                except (ConnectionRefusedError, ConnectionResetError):  # nobody listens any more
                    refused.append(1)
                    return
                head = (
                    "POST /retarget HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
                    f"Content-Length: {len(png)}\r\n\r\n"
                )
                try:
                    connection.sendall(head.encode() + png)
                    line = connection.makefile("rb").readline()
                except ConnectionResetError:
                    line = b""
                # a connection that waits in the backlog when the listener closes was never taken
                (answered if line else cut_off).append(line)

    with server(models_dir, port, MFN_LOG_LEVEL="warning") as process:  # nobody reads its log here
        wait_until_ready(port)
        senders = [threading.Thread(target=send) for _ in range(4)]
        for sender in senders:
            sender.start()
        time.sleep(0.5)
        process.terminate()
        assert process.wait(20) == 0
        stopped.set()
        for sender in senders:
            sender.join(20)
    assert {line.split()[1] for line in answered} <= {b"200", b"429", b"503"}
    assert sum(b"200" in line for line in answered) > 10
    assert len(cut_off) <= len(senders)


def test_for_a_while_it_is_not_ready_and_serves_all_the_same(
    models_dir: Path, port: int, grpc_port: int, png: bytes
) -> None:
    """Until those who send have found out; a second signal cuts the while short."""
    settings = {"MFN_GRPC_PORT": str(grpc_port), "MFN_DRAIN_DELAY_SECONDS": "600"}
    url = f"http://127.0.0.1:{port}"
    with (
        server(models_dir, port, **settings) as process,
        httpx2.Client(base_url=url, timeout=20) as client,
        grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel,
    ):
        wait_until_ready(port)
        health = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(health).status == health_pb2.HealthCheckResponse.SERVING
        assert client.get("/livez").headers.get("connection") is None
        process.terminate()
        assert next(health).status == health_pb2.HealthCheckResponse.NOT_SERVING
        for path in ("/readyz", "/v2/health/ready", "/v2/models/mfn/ready"):
            refused = client.get(path)
            assert (refused.status_code, refused.json()["type"]) == (503, "urn:problem-type:mfn:unavailable")
        for path in ("/livez", "/v2/health/live", "/model"):
            assert client.get(path).status_code == 200
        answer = client.post("/retarget", content=png, headers={"Content-Type": "image/png"})
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        assert stub(channel).Retarget(pb.RetargetRequest(image=pb.Image(encoded=png)), timeout=20).faces
        stream = stub(channel).RetargetStream(iter([pb.RetargetStreamRequest(config=pb.StreamConfig())]))
        assert [message.WhichOneof("message") for message in stream] == ["model"]
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "what comes within 600 s is still taken" in log


def test_a_second_signal_stops_at_once(models_dir: Path, port: int) -> None:
    with server(models_dir, port, MFN_DRAIN_SECONDS="60", MFN_DEADLINE_SECONDS="60") as process:
        wait_until_ready(port)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(
                b"POST /retarget HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 10\r\n\r\n\x89"
            )
            time.sleep(0.2)
            process.terminate()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.7)  # it waits for the upload
            process.terminate()
            _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "second signal" in log


def test_tls_on_both_doors(models_dir: Path, port: int, grpc_port: int, tmp_path: Path) -> None:
    authority = trustme.CA()
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    certificate = authority.issue_cert("localhost", not_after=end)
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    trusted = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    settings = {
        "MFN_TLS_CERTIFICATE_FILE": str(tmp_path / "chain.pem"),
        "MFN_TLS_KEY_FILE": str(tmp_path / "key.pem"),
        "MFN_GRPC_PORT": str(grpc_port),
    }
    with server(models_dir, port, **settings) as process:
        for _ in range(400):
            try:
                assert httpx2.get(f"https://localhost:{port}/readyz", verify=trusted).status_code == 200
                break
            except httpx2.TransportError:
                time.sleep(0.05)
        credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        with grpc.secure_channel(f"localhost:{grpc_port}", credentials) as channel:
            assert stub(channel).GetModel(pb.GetModelRequest()).model.name
        metrics = httpx2.get(f"https://localhost:{port}/metrics", verify=trusted).text
        (told,) = re.findall(r"^mfn_certificate_expiry_timestamp_seconds (\S+)$", metrics, re.MULTILINE)
        assert float(told) == end.timestamp()
        with socket.create_connection(("127.0.0.1", grpc_port)) as connection:
            connection.sendall(b"no handshake")
            assert connection.recv(1) == b""  # of which gRPC would write a line of its own
        process.terminate()
        _, log = process.communicate(timeout=20)
        assert process.returncode == 0
        assert all(json.loads(line)["logger"] for line in log.splitlines())


def test_a_renewed_certificate_is_shown_on_both_doors(
    models_dir: Path, port: int, grpc_port: int, tmp_path: Path
) -> None:
    """With a chain and a key that change at once, as kubelet changes a Secret's files; an open channel stays."""
    old, new = trustme.CA(), trustme.CA()
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=90)

    def put(number: int, issued: trustme.LeafCert) -> None:
        folder = tmp_path / f"..{number}"
        folder.mkdir()
        issued.cert_chain_pems[0].write_to_path(folder / "tls.crt")
        issued.private_key_pem.write_to_path(folder / "tls.key")
        (tmp_path / "..data_tmp").symlink_to(folder.name)
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")

    def client(authority: trustme.CA) -> httpx2.Client:
        trusted = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
        return httpx2.Client(base_url=f"https://localhost:{port}", verify=trusted)

    def channel(authority: trustme.CA) -> grpc.Channel:
        credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        return grpc.secure_channel(f"localhost:{grpc_port}", credentials)

    def wait_until_answered(client: httpx2.Client) -> None:
        for _ in range(400):
            try:
                assert client.get("/readyz").status_code == 200
                return
            except httpx2.TransportError:
                time.sleep(0.05)
        pytest.fail("no certificate was shown within 20 seconds that this client trusts")

    put(1, old.issue_cert("localhost", key_type=trustme.KeyType.ECDSA))
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    settings = {
        "MFN_TLS_CERTIFICATE_FILE": str(tmp_path / "tls.crt"),
        "MFN_TLS_KEY_FILE": str(tmp_path / "tls.key"),
        "MFN_GRPC_PORT": str(grpc_port),
    }
    before = "import service.server.tls_reload; service.server.tls_reload.CHECK_SECONDS = 0.05"
    with server(models_dir, port, before, **settings) as process:
        with (
            client(old) as http_before,
            client(new) as http_after,
            channel(old) as rpc_before,
            channel(new) as rpc_after,
        ):
            wait_until_answered(http_before)
            assert stub(rpc_before).GetModel(pb.GetModelRequest(), timeout=20).model.name
            with client(new) as early, pytest.raises(httpx2.ConnectError):
                early.get("/readyz")
            put(2, new.issue_cert("localhost", key_type=trustme.KeyType.RSA, not_after=end))
            wait_until_answered(http_after)
            assert stub(rpc_after).GetModel(pb.GetModelRequest(), timeout=20).model.name
            for _ in range(3):  # gRPC is told once, and goes on with it
                with channel(new) as another:
                    assert stub(another).GetModel(pb.GetModelRequest(), timeout=20).model.name
            with client(old) as late, pytest.raises(httpx2.ConnectError):
                late.get("/readyz")
            with channel(old) as late_channel, pytest.raises(grpc.RpcError) as refused:
                stub(late_channel).GetModel(pb.GetModelRequest(), timeout=20)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
            assert stub(rpc_before).GetModel(pb.GetModelRequest(), timeout=20).model.name
            metrics = http_after.get("/metrics").text
            (told,) = re.findall(r"^mfn_certificate_expiry_timestamp_seconds (\S+)$", metrics, re.MULTILINE)
            assert float(told) == end.timestamp()
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert log.count(f"Took up a renewed certificate, which holds until {end}") == 1


def test_connections_that_fall_silent_cost_the_others_nothing(
    models_dir: Path, port: int, grpc_port: int, png: bytes
) -> None:
    """Opened and never used, or stopped in the middle of a request's head or of HTTP/2's greeting."""
    with server(models_dir, port, MFN_GRPC_PORT=str(grpc_port)) as process, ExitStack() as stack:
        wait_until_ready(port)
        for door in (port, grpc_port):
            for beginning in (b"", b"POST /retarget HTTP/1.1\r\nHost: x\r\nX-", b"PRI * HTTP/2.0\r\n"):
                for _ in range(10):
                    connection = stack.enter_context(socket.create_connection(("127.0.0.1", door)))
                    connection.sendall(beginning)
        answer = httpx2.post(f"http://127.0.0.1:{port}/retarget", content=png, headers={"Content-Type": "image/png"})
        assert answer.status_code == 200
        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            assert stub(channel).Retarget(pb.RetargetRequest(image=pb.Image(encoded=png)), timeout=10).faces
        process.terminate()
        assert process.wait(20) == 0
