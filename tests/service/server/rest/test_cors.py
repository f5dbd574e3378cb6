"""What browsers ask on behalf of pages, and what they need to be told."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from service.inference.pipeline import Pipeline
from service.server.rest.app import RestApp
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from tests.service.server.rest.conftest import running

PAGE = "https://page.example"
OTHER = "https://other.example"


@pytest.fixture(scope="module")
def named(settings: Settings, pipeline: Pipeline, workers: Workers) -> Iterator[httpx2.Client]:
    """A server that names one origin, and apps."""
    settings = replace(settings, cors_origins=f"{PAGE}, null, tauri://localhost")
    with running(RestApp(ServerState(settings, pipeline, workers))) as client:
        yield client


def preflight(client: httpx2.Client, origin: str, **more: str) -> httpx2.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    headers |= {"Access-Control-Request-Headers": "content-type,x-api-key"} | more
    return client.request("OPTIONS", "/retarget", headers=headers)


@pytest.mark.parametrize("origin", [PAGE, "null", "tauri://localhost"])
def test_a_named_origin_may_ask(named: httpx2.Client, png: bytes, origin: str) -> None:
    allowed = preflight(named, origin).headers
    assert allowed["access-control-allow-origin"] == origin
    assert "POST" in allowed["access-control-allow-methods"]
    assert {"content-type", "x-api-key"} <= set(allowed["access-control-allow-headers"].split(","))
    assert "access-control-allow-private-network" not in allowed
    answer = named.post("/retarget", content=png, headers={"Content-Type": "image/png", "Origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin
    assert "server-timing" in answer.headers["access-control-expose-headers"].lower()


def test_a_page_of_a_public_server_may_ask_one_in_a_private_network(named: httpx2.Client) -> None:
    """Chrome asks first (Private Network Access), and needs to be told so."""
    ask = {"Access-Control-Request-Private-Network": "true"}
    allowed = preflight(named, PAGE, **ask)
    assert (allowed.status_code, allowed.headers["access-control-allow-private-network"]) == (200, "true")
    refused = preflight(named, OTHER, **ask)
    assert refused.status_code == 403
    assert not [name for name in refused.headers if name.startswith("access-control-allow")]


def test_a_refused_page_is_told_which_setting_names_it(
    named: httpx2.Client, client: httpx2.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """By servers that name others, and by those that name nobody."""
    for server in (named, client):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            refused = preflight(server, OTHER)
        document = refused.json()
        assert (refused.status_code, document["type"]) == (403, "urn:problem-type:mfn:origin-refused")
        assert document["detail"] == (
            f"The server's MFN_CORS_ORIGINS does not name the page's origin, {OTHER}. Add it there."
        )
        (line,) = caplog.records
        assert line.getMessage() == f"refused a page: {document['detail']}"
        assert vars(line)["fields"]["request_id"] == refused.headers["x-request-id"]
        assert "access-control-allow-origin" not in server.get("/livez", headers={"Origin": OTHER}).headers


def test_options_of_programs_are_no_preflights(client: httpx2.Client) -> None:
    assert client.request("OPTIONS", "/retarget").status_code == 405
