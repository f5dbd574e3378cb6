"""The open inference protocol's health and metadata, against its specification and what infer answers."""

import httpx2
import pytest

from service.inference.pipeline import Pipeline
from service.server.auth import ApiKeys
from service.server.rest.app import RestApp
from service.server.rest.readiness import Readiness
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from tests.service.server.rest.conftest import Serve
from tests.service.server.rest.test_app import is_problem

KEY = "a-key-of-some-length"
HEALTH = ("/v2/health/live", "/v2/health/ready", "/v2/models/mfn/ready", "/v1/models/mfn")
METADATA = ("/v2", "/v2/models/mfn")


def is_error(answer: httpx2.Response, status: int, *words: str) -> bool:
    """Asserts that an answer is as clients of KServe's protocols expect errors, and a problem document besides."""
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document.pop("error") == document["detail"]
    headers = answer.headers | {"content-type": "application/problem+json"}
    return is_problem(httpx2.Response(answer.status_code, json=document, headers=headers), status, *words)


def test_health(client: httpx2.Client) -> None:
    assert [client.get(path).json() for path in HEALTH] == [
        {"live": True},
        {"ready": True},
        {"name": "mfn", "ready": True},
        {"name": "mfn", "ready": True},
    ]
    assert client.get("/v1/models").json() == {"models": ["mfn"]}


def test_the_server(client: httpx2.Client) -> None:
    assert client.get("/v2").json() == {"name": "mfn", "version": "9.9.9", "extensions": ["binary_tensor_data"]}


def test_the_model_is_what_infer_answers(client: httpx2.Client, png: bytes) -> None:
    document = client.get("/v2/models/mfn").json()
    assert (document["name"], document["versions"], document["platform"]) == ("mfn", ["9.9.9"], "onnxruntime_onnx")
    assert document["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    answer = client.post("/v2/models/mfn/infer", content=png, headers={"Inference-Header-Content-Length": "0"}).json()
    told = {tensor.pop("name"): tensor for tensor in document["outputs"]}
    assert list(told) == [tensor["name"] for tensor in answer["outputs"]]
    for tensor in answer["outputs"]:
        assert tensor["datatype"] == told[tensor["name"]]["datatype"]
        assert [-1, *tensor["shape"][1:]] == told[tensor["name"]]["shape"]


@pytest.mark.parametrize("path", ["/v2/models/mfn", "/v2/models/mfn/ready"])
def test_the_version_is_as_the_model(client: httpx2.Client, path: str) -> None:
    assert client.get(path.replace("mfn", "mfn/versions/9.9.9")).json() == client.get(path).json()


@pytest.mark.parametrize("path", ["/v2/models/face", "/v2/models/face/ready", "/v2/models/MFN", "/v1/models/face"])
def test_another_model(client: httpx2.Client, path: str) -> None:
    name = path.split("/")[3]
    assert is_error(client.get(path), 404, f"no model '{name}'", "'mfn'", f"/{path.split('/')[1]}/models/mfn")


@pytest.mark.parametrize("end", ["", "/ready"])
def test_another_version(client: httpx2.Client, end: str) -> None:
    answer = client.get(f"/v2/models/mfn/versions/1{end}")
    assert is_error(answer, 404, "no version '1' of mfn", "'9.9.9'", "/v2/models/mfn")
    assert is_error(client.get(f"/v2/models/face/versions/1{end}"), 404, "no model 'face'")


def test_what_is_not_served(client: httpx2.Client) -> None:
    assert is_error(client.get("/v2/models/mfn/config"), 404, "/docs")
    assert is_error(client.get("/v2/models/mfn/infer"), 405, "/docs")


def test_a_failure_of_ours(serve: Serve, settings: Settings, pipeline: Pipeline, workers: Workers) -> None:
    class Broken(Readiness):
        def check(self) -> None:
            raise OSError("innards")

    state = ServerState(settings, pipeline, workers)
    client = serve(RestApp(state, Broken(state)))
    for path in ("/readyz", "/v2/health/ready", "/v1/models/mfn"):
        answer = client.get(path)
        assert (is_problem if path == "/readyz" else is_error)(answer, 500, "log")
        assert "innards" not in answer.text


def test_metadata_needs_a_key_and_health_none(
    serve: Serve, settings: Settings, pipeline: Pipeline, workers: Workers
) -> None:
    client = serve(RestApp(ServerState(settings, pipeline, workers, ApiKeys.of_setting(KEY, None))))
    for path in HEALTH:
        assert client.get(path).status_code == 200
    for path in METADATA:
        assert is_error(client.get(path), 401, "missing")
        assert client.get(path, headers={"X-API-Key": KEY}).status_code == 200


@pytest.mark.parametrize("end", ["leaves", "drains"])
def test_readiness_is_that_of_readyz(
    serve: Serve, settings: Settings, pipeline: Pipeline, workers: Workers, end: str
) -> None:
    state = ServerState(settings, pipeline, workers)
    readiness = Readiness(state)
    client = serve(RestApp(state, readiness))
    if end == "leaves":
        readiness.set_not_ready()
    else:
        state.draining.set()
    for path in ("/readyz", "/v2/health/ready", "/v2/models/mfn/ready", "/v1/models/mfn"):
        answer = client.get(path)
        assert (is_problem if path == "/readyz" else is_error)(answer, 503, "shut", "another")
        assert answer.headers["retry-after"] == "1"
    for path in ("/livez", "/v2/health/live", *METADATA):
        assert client.get(path).status_code == 200


def test_they_are_counted_by_their_paths(
    serve: Serve, settings: Settings, pipeline: Pipeline, workers: Workers
) -> None:
    client = serve(RestApp(ServerState(settings, pipeline, workers)))
    client.get("/v2/models/mfn")
    client.get("/v2/models/face")
    client.get("/v1/models/mfn")
    client.get("/v2/models/mfn/versions/9.9.9/ready")
    metrics = client.get("/metrics").text
    for method, code in (
        ("GET /v2/models/mfn", 200),
        ("GET other", 404),
        ("GET /v1/models/mfn", 200),
        ("GET /v2/models/mfn/versions/9.9.9/ready", 200),
    ):
        assert f'mfn_request_duration_seconds_count{{code="{code}",method="{method}",transport="http"}} 1.0' in metrics


def test_openapi_documents_them(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    codes = {
        f"{method} {path}": set(operation["responses"])
        for path, operations in paths.items()
        if path.startswith(("/v1", "/v2"))
        for method, operation in operations.items()
    }
    looks = {"200", "400", "401", "404", "408", "413", "415", "422", "429", "503", "504"}
    assert codes == {
        "get /v1/models": {"200"},
        "get /v1/models/{model}": {"200", "404", "422", "503"},
        "post /v1/models/{model}:predict": looks,
        "get /v2": {"200", "401"},
        "get /v2/health/live": {"200"},
        "get /v2/health/ready": {"200", "503"},
        **{
            f"{method} /v2/models/{{model}}{version}{end}": expected
            for version in ("", "/versions/{version}")
            for method, end, expected in (
                ("get", "", {"200", "401", "404", "422"}),
                ("get", "/ready", {"200", "404", "422", "503"}),
                ("post", "/infer", looks),
            )
        },
    }
