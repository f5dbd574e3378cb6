"""`python -m service.cli.health` against servers that are ready, are not, or are not there."""

import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme

from service.cli.health import DEFAULT_HOST, DEFAULT_HTTP_PORT, main
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[3]


class Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b'{"detail": "as it is"}')

    def log_message(self, *_: object) -> None:
        pass


class Server(HTTPServer):
    """Answers any GET with `status`, and notes the paths in `asked`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.asked: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        return {"MFN_HTTP_PORT": str(self.server_port)}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", [None, "::", "0.0.0.0", "127.0.0.1", "localhost"])
def test_a_ready_server_is_healthy(server: Server, host: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(server.environment | ({"MFN_HOST": host} if host else {})) == 0
    assert server.asked == ["/readyz"]
    assert capsys.readouterr() == ("", "")


def test_a_server_that_drains_is_not(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.status = 503
    assert main(server.environment) == 1
    assert capsys.readouterr().err == 'mfn: The server is not ready: 503 {"detail": "as it is"}\n'


def test_over_tls_the_name_in_the_certificate_does_not_matter(server: Server, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("faces.example").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    assert main(server.environment | {"MFN_TLS_CERTIFICATE_FILE": str(tmp_path / "chain.pem")}) == 0


def test_nobody_there_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    with Server() as closed:
        environment = closed.environment
    assert main(environment) == 1
    assert "does not answer: [Errno 111] Connection refused" in capsys.readouterr().err


def test_a_port_that_is_no_number_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main({"MFN_HTTP_PORT": "http"}) == 1
    assert "'http'" in capsys.readouterr().err


def test_it_asks_where_the_server_listens_by_default() -> None:
    settings = Settings()
    assert (settings.host, str(settings.http_port)) == (DEFAULT_HOST, DEFAULT_HTTP_PORT)


def test_it_loads_the_standard_library_only() -> None:
    """It runs beside the server every few seconds, where numpy and onnxruntime alone would take 50 MB and a second."""
    program = "import sys, service.cli.health; print(*{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-S", "-c", program]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) - sys.stdlib_module_names == {"service", "__main__"}
