"""The open inference protocol's health and metadata, against its specification and what onnxruntime says itself."""

import httpx2
import pytest

from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.server.auth import ApiKeys
from service.server.rest.app import create_app
from service.server.rest.open_inference import metadata_of
from service.server.rest.readiness import Readiness
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from tests.service.server.rest.conftest import Serve
from tests.service.server.rest.test_app import is_problem

KEY = "a-key-of-some-length"
HEALTH = ("/v2/health/live", "/v2/health/ready", "/v2/models/mfn/ready")
METADATA = ("/v2", "/v2/models/mfn")
DATATYPES = {"tensor(uint8)": "UINT8", "tensor(float)": "FP32"}  # onnxruntime's names, the protocol's


def test_health(client: httpx2.Client) -> None:
    assert [client.get(path).json() for path in HEALTH] == [
        {"live": True},
        {"ready": True},
        {"name": "mfn", "ready": True},
    ]


def test_the_server(client: httpx2.Client) -> None:
    assert client.get("/v2").json() == {"name": "mfn", "version": "9.9.9", "extensions": []}


def test_the_model_is_as_onnxruntime_has_it(client: httpx2.Client, models: Models) -> None:
    document = client.get("/v2/models/mfn").json()
    assert (document["name"], document["versions"], document["platform"]) == ("mfn", ["9.9.9"], "onnxruntime_onnx")
    session = models.mfn.session
    for told, nodes in ((document["inputs"], session.get_inputs()), (document["outputs"], session.get_outputs())):
        assert {tensor["name"]: (tensor["datatype"], tensor["shape"]) for tensor in told} == {
            node.name: (DATATYPES[node.type], [size if isinstance(size, int) else -1 for size in node.shape])
            for node in nodes
        }


def test_a_dimension_of_any_size_is_minus_one(models: Models) -> None:
    networks = models.manifest.networks
    spec = networks.mfn.model_copy(update={"outputs": {"pose": ["batch", 7], "score": [None]}})
    manifest = models.manifest.model_copy(update={"networks": networks.model_copy(update={"mfn": spec})})
    assert [tensor["shape"] for tensor in metadata_of(manifest)["outputs"]] == [[-1, 7], [-1]]


@pytest.mark.parametrize("path", ["/v2/models/face", "/v2/models/face/ready", "/v2/models/MFN"])
def test_another_model(client: httpx2.Client, path: str) -> None:
    name = path.split("/")[3]
    assert is_problem(client.get(path), 404, f"no model '{name}'", "'mfn'", "/v2/models/mfn")


def test_the_protocols_infer_is_not_served(client: httpx2.Client) -> None:
    assert is_problem(client.post("/v2/models/mfn/infer", json={}), 404, "/docs")


def test_metadata_needs_a_key_and_health_none(
    serve: Serve, settings: Settings, pipeline: Pipeline, workers: Workers
) -> None:
    client = serve(create_app(ServerState(settings, pipeline, workers, ApiKeys.of_setting(KEY, None))))
    for path in HEALTH:
        assert client.get(path).status_code == 200
    for path in METADATA:
        assert is_problem(client.get(path), 401, "missing")
        assert client.get(path, headers={"X-API-Key": KEY}).status_code == 200


@pytest.mark.parametrize("end", ["leaves", "drains"])
def test_readiness_is_that_of_readyz(
    serve: Serve, settings: Settings, pipeline: Pipeline, workers: Workers, end: str
) -> None:
    state = ServerState(settings, pipeline, workers)
    readiness = Readiness(state)
    client = serve(create_app(state, readiness))
    if end == "leaves":
        readiness.set_not_ready()
    else:
        state.draining.set()
    for path in ("/readyz", "/v2/health/ready", "/v2/models/mfn/ready"):
        answer = client.get(path)
        assert is_problem(answer, 503, "shut", "another")
        assert answer.headers["retry-after"] == "1"
    for path in ("/livez", "/v2/health/live", *METADATA):
        assert client.get(path).status_code == 200


def test_they_are_counted_by_their_paths(
    serve: Serve, settings: Settings, pipeline: Pipeline, workers: Workers
) -> None:
    client = serve(create_app(ServerState(settings, pipeline, workers)))
    client.get("/v2/models/mfn")
    client.get("/v2/models/face")
    metrics = client.get("/metrics").text
    for method, code in (("GET /v2/models/mfn", 200), ("GET other", 404)):
        assert f'mfn_request_duration_seconds_count{{code="{code}",method="{method}",transport="http"}} 1.0' in metrics


def test_openapi_documents_them(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    codes = {path: set(operations["get"]["responses"]) for path, operations in paths.items() if path.startswith("/v2")}
    assert codes == {
        "/v2": {"200", "401"},
        "/v2/health/live": {"200"},
        "/v2/health/ready": {"200", "503"},
        "/v2/models/{model}": {"200", "401", "404", "422"},
        "/v2/models/{model}/ready": {"200", "404", "422", "503"},
    }
