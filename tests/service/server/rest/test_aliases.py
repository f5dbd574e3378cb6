"""Paths with a slash at their end, and HEAD."""

import contextlib
import http.client
import json
import logging

import httpx2
import pytest
from starlette.routing import Route
from websockets.sync.client import connect

from service.server.rest.app import RestApp

GETS = (
    "/livez", "/readyz", "/model", "/docs", "/openapi.json", "/v2", "/v2/health/live", "/v2/health/ready",
    "/v1/models", "/v1/models/mfn", "/v1/models/mfn:predict", "/v2/models/mfn", "/v2/models/mfn/ready",
    "/v2/models/mfn/versions/9.9.9",
    "/v2/models/mfn/versions/9.9.9/ready", "/v2/models/other", "/nothing",
)  # fmt: skip


def test_every_path_is_served_with_a_slash_at_its_end(client: httpx2.Client, png: bytes) -> None:
    for path in GETS:
        plain, slash = client.get(path), client.get(f"{path}/")
        assert (slash.status_code, slash.headers["content-type"]) == (plain.status_code, plain.headers["content-type"])
        assert path == "/nothing" or slash.content == plain.content
    assert client.get("/metrics/").status_code == 200
    answer = client.post("/retarget/?max_faces=1", content=png, headers={"Content-Type": "image/png"})
    assert (answer.status_code, len(answer.json()["faces"])) == (200, 1)
    assert client.post("/retarget//", content=png).status_code == client.get("/").status_code == 404


def test_a_stream_is_opened_with_a_slash_too(client: httpx2.Client) -> None:
    url = str(client.base_url).replace("http", "ws") + "/retarget/stream/"
    with connect(url, proxy=None) as socket:
        socket.send("{}")
        assert "model" in json.loads(socket.recv(20))


def test_what_is_counted_has_one_name(client: httpx2.Client) -> None:
    client.get("/v2/health/live/")
    assert 'method="GET /v2/health/live"' in client.get("/metrics").text
    assert "live/" not in client.get("/metrics").text


def test_head_is_as_get_without_the_body(client: httpx2.Client, caplog: pytest.LogCaptureFixture) -> None:
    """Told by a connection that goes on with what comes next."""
    address = (client.base_url.host, client.base_url.port)
    caplog.set_level(logging.INFO, "mfn.requests")  # to the end: a line is written once its answer is out
    with contextlib.closing(http.client.HTTPConnection(*address, timeout=20)) as connection:
        for path in (*GETS, "/retarget", "/retarget/stream", "/livez/"):
            connection.request("HEAD", path)
            head = connection.getresponse()
            assert head.read() == b""
            get = client.get(path)
            assert head.status == get.status_code
            told = {name.lower(): value for name, value in head.getheaders()}
            for name in get.headers.keys() - {"date", "x-request-id"}:
                assert told[name] == get.headers[name], (path, name)
            assert int(told["content-length"]) == len(get.content) > 0
        connection.request("HEAD", "/metrics")
        metrics = connection.getresponse()
        assert (metrics.status, int(metrics.headers["content-length"]) > 1000, metrics.read()) == (200, True, b"")
    assert "HEAD /livez" in [record.fields["method"] for record in caplog.records if hasattr(record, "fields")]


def test_every_get_of_the_document_is_among_those(app: RestApp) -> None:
    served = {route.path for route in app.paths.routes if isinstance(route, Route) and "GET" in (route.methods or ())}
    assert {path.replace("{model}", "mfn").replace("{version}", "9.9.9") for path in served} <= {*GETS, "/metrics"}


def test_a_path_says_that_it_has_head(client: httpx2.Client) -> None:
    assert client.post("/livez").headers["allow"] == "GET, HEAD"
    assert client.head("/retarget").headers["allow"] == "POST"
