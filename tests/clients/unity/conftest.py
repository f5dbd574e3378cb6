"""A real server on loopback, and the client, built."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.unity.building import build_client, need_mono
from tests.docs.pages import ROOT
from tests.service.processes import free_port, server, wait_until_ready


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client's assembly."""
    need_mono()
    folder = tmp_path_factory.mktemp("unity")
    build_client(folder)
    return folder


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with the published models."""
    need_mono()
    port = free_port()
    with server(ROOT / "models", port, MFN_WORKERS="1", MFN_LOG_LEVEL="critical"):
        wait_until_ready(port)
        yield f"http://127.0.0.1:{port}"
