"""The client over TLS: the server's certificate is checked, and the key travels inside."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import trustme
from mfn_client import Client, MfnError

from service.inference.pipeline import Pipeline
from service.server.auth import ApiKeys
from service.server.grpc.server import GrpcServer
from service.server.state import ServerState
from service.server.tls import load_certificate
from service.server.workers import Workers
from service.settings import Settings
from tests.service.server.grpc.conftest import Running

KEY = "a-key-of-some-length"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure_address(
    authority: trustme.CA, local: Settings, pipeline: Pipeline, workers: Workers, tmp_path: Path
) -> Iterator[str]:
    issued = authority.issue_cert("localhost")
    both = tmp_path / "both.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(both)
    certificate = load_certificate(Settings(tls_certificate_file=both, tls_key_file=both))

    class Secure(Running):
        async def _start(self) -> GrpcServer:
            server = GrpcServer(self.state, certificate)
            await server.start()
            return server

    server = Secure(ServerState(local, pipeline, workers, ApiKeys.of_setting(KEY, None)))
    yield f"localhost:{server.port}"
    server.close()


def test_roots_of_ones_own(authority: trustme.CA, secure_address: str, png: bytes, tmp_path: Path) -> None:
    roots = tmp_path / "roots.pem"
    authority.cert_pem.write_to_path(roots)
    with Client(secure_address, key=KEY, tls=roots) as client:
        assert client.retarget(png).faces


def test_a_server_that_nobody_vouches_for(secure_address: str) -> None:
    with Client(secure_address, key=KEY, tls=True) as client, pytest.raises(MfnError) as error:
        client.model()
    assert error.value.code is grpc.StatusCode.UNAVAILABLE
