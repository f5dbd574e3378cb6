"""infer of the open inference protocol and predict of KServe's v1, byte by byte as their specifications have them.

What they answer is held against POST /retarget.
"""

import base64
import gzip
import json
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from service.inference.pipeline import Pipeline
from service.server.auth import ApiKeys
from service.server.rest.app import RestApp
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from tests.service.server.rest.conftest import Serve
from tests.service.server.rest.test_open_inference import is_error
from tests.service.tiny_models import encoded

INFER = "/v2/models/mfn/infer"
PREDICT = "/v1/models/mfn:predict"
LENGTH = "Inference-Header-Content-Length"
KEY = "a-key-of-some-length"
DTYPES = {"FP32": "<f4", "INT32": "<i4"}


def text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def request_of(*pictures: bytes, **members: Any) -> dict[str, Any]:
    """A request in JSON."""
    image = {"name": "image", "datatype": "BYTES", "shape": [len(pictures)], "data": [text(p) for p in pictures]}
    return {"inputs": [image], **members}


def binary(*pictures: bytes, **members: Any) -> tuple[bytes, dict[str, str]]:
    """A request with binary data: its body and its headers."""
    data = b"".join(struct.pack("<I", len(picture)) + picture for picture in pictures)
    image = {"name": "image", "datatype": "BYTES", "shape": [len(pictures)]}
    head = json.dumps({"inputs": [image | {"parameters": {"binary_data_size": len(data)}}], **members}).encode()
    return head + data, {LENGTH: str(len(head))}


def tensors(answer: httpx2.Response) -> dict[str, Any]:
    """The outputs of an answer: arrays, and lists of texts."""
    assert answer.status_code == 200, answer.text
    end = int(answer.headers.get(LENGTH, len(answer.content)))
    document, behind = json.loads(answer.content[:end]), answer.content[end:]
    assert (document["model_name"], document["model_version"]) == ("mfn", "9.9.9")
    read: dict[str, Any] = {}
    for output in document["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size")
        if size is None:
            data = output["data"]
        elif output["datatype"] == "BYTES":
            data, position = [], 0
            while position < size:
                (length,) = struct.unpack_from("<I", behind, position)
                data.append(behind[position + 4 : position + 4 + length].decode())
                position += 4 + length
            assert position == size
        else:
            data = np.frombuffer(behind[:size], DTYPES[output["datatype"]])
        behind = behind[size or 0 :]
        if output["datatype"] == "BYTES":
            assert output["shape"] == [len(data)]
        else:
            data = np.array(data, DTYPES[output["datatype"]]).reshape(output["shape"])
        read[output["name"]] = data
    assert behind == b""
    return read


@pytest.fixture(scope="session")
def faces(photo: Image.Image) -> bytes:
    """A picture of several faces."""
    picture = photo.resize((96, 96))
    for place in ((0, 0), (48, 0)):
        picture.paste((210, 210, 210), (*place, place[0] + 16, place[1] + 16))
    return encoded(picture, "PNG")


@pytest.fixture(scope="session")
def nobody() -> bytes:
    return encoded(Image.new("RGB", (9, 7)), "PNG")


def told(client: httpx2.Client, picture: bytes, **options: Any) -> dict[str, Any]:
    """The answer of POST /retarget, without its timing."""
    answer = client.post("/retarget", content=picture, params={"include": "landmarks,blendshapes", **options})
    document: dict[str, Any] = answer.json()
    del document["timing_ms"]
    return document


@pytest.mark.parametrize("out", [False, True], ids=["JSON out", "binary out"])
@pytest.mark.parametrize("form", ["JSON", "binary", "compressed"])
def test_it_answers_as_retarget_does(client: httpx2.Client, faces: bytes, nobody: bytes, form: str, out: bool) -> None:
    pictures = (faces, nobody, faces)
    parameters = {"binary_data_output": out, "min_score": 0.3, "refine": True, "include": "landmarks,blendshapes"}
    if form == "JSON":
        answer = client.post(INFER, json=request_of(*pictures, parameters=parameters))
    else:
        body, headers = binary(*pictures, parameters=parameters)
        if form == "compressed":
            body, headers = gzip.compress(body), headers | {"Content-Encoding": "gzip"}
        answer = client.post(INFER, content=body, headers=headers)
    read = tensors(answer)
    documents = [told(client, picture, min_score=0.3, refine=True) for picture in pictures]
    found = [face for document in documents for face in document["faces"]]
    counts = [len(document["faces"]) for document in documents]
    assert counts[0] > 1
    assert counts[1] == 0
    np.testing.assert_array_equal(read["face_count"], counts)
    np.testing.assert_array_equal(read["image_size"], [[d["image"]["width"], d["image"]["height"]] for d in documents])
    flat: dict[str, list[Any]] = {
        "score": [face["score"] for face in found],
        "scale": [face["pose"]["scale"] for face in found],
        "box": [list(face["box"].values()) for face in found],
        "quaternion": [face["pose"]["quaternion"] for face in found],
        "translation": [face["pose"]["translation"] for face in found],
        "identity": [face["identity"] for face in found],
        "landmarks": [face["landmarks"] for face in found],
        **{name: [list(f[name].values()) for f in found] for name in ("expression", "gaze", "blendshapes")},
    }
    for name, expected in flat.items():
        assert read[name].shape == np.shape(expected), name
        np.testing.assert_allclose(read[name], expected, atol=0.006 if name in ("box", "landmarks") else 2e-5)
    answers = [json.loads(document) for document in read["answer"]]
    for document in answers:
        del document["timing_ms"]
    assert answers == documents


def test_no_faces_are_empty_tensors(client: httpx2.Client, nobody: bytes) -> None:
    for out in (False, True):
        read = tensors(client.post(INFER, json=request_of(nobody, parameters={"binary_data_output": out})))
        assert read["face_count"].tolist() == [0]
        assert {name: read[name].shape for name in ("score", "box", "landmarks")} == {
            "score": (0,), "box": (0, 4), "landmarks": (0, 68, 2),
        }  # fmt: skip


def test_outputs_are_chosen_each_in_its_form(client: httpx2.Client, png: bytes) -> None:
    outputs = [
        {"name": "box", "parameters": {"binary_data": True}},
        {"name": "answer"},
        {"name": "gaze", "parameters": {"binary_data": False}},
        {"name": "face_count", "parameters": {"binary_data": True}},
    ]
    answer = client.post(INFER, json=request_of(png, outputs=outputs, id="my own"))
    assert answer.headers["content-type"] == "application/octet-stream"
    document = json.loads(answer.content[: int(answer.headers[LENGTH])])
    assert document["id"] == "my own"
    box, whole, gaze, count = document["outputs"]
    assert box == {"name": "box", "datatype": "FP32", "shape": [1, 4], "parameters": {"binary_data_size": 16}}
    assert json.loads(whole["data"][0])["faces"][0]["box"] == {"x": 80.0, "y": 16.0, "width": 64.0, "height": 64.0}
    assert gaze["data"] == [None] * 8  # there was no second look
    assert answer.content[-20:] == struct.pack("<4fi", 80, 16, 64, 64, 1)
    assert count["parameters"] == {"binary_data_size": 4}


@pytest.mark.parametrize("path", [INFER, "/v2/models/mfn/versions/9.9.9/infer"])
def test_a_picture_alone_as_the_body(client: httpx2.Client, png: bytes, path: str) -> None:
    """The raw binary request of the extension: one input of one element."""
    read = tensors(client.post(path, content=png, headers={LENGTH: "0"}))
    assert read["box"].tolist() == [[80, 16, 64, 64]]


@pytest.mark.parametrize("shape", [[1, 1], [1]])
def test_data_may_be_nested_and_base64_of_any_form(client: httpx2.Client, png: bytes, shape: list[int]) -> None:
    for element in (
        text(png),
        "data:image/png;base64," + text(png),
        base64.urlsafe_b64encode(png).decode().rstrip("="),
    ):
        image = {"name": "image", "datatype": "BYTES", "shape": shape, "data": [[element]] if shape[1:] else [element]}
        read = tensors(client.post(INFER, json={"model_name": "mfn", "inputs": [image | {"parameters": None}]}))
        assert read["face_count"].tolist() == [1]


@pytest.mark.parametrize("option", [{}, {"min_score": 0.9}, {"max_faces": 1}, {"tiles": 2}, {"input_size": 192}])
def test_parameters_are_those_of_retarget(client: httpx2.Client, faces: bytes, option: dict[str, Any]) -> None:
    expected = len(told(client, faces, **option)["faces"])
    parameters = option | {"priority": 1, "timeout": 1000}  # which Triton's clients may send
    assert tensors(client.post(INFER, json=request_of(faces, parameters=parameters)))["face_count"].tolist() == [
        expected
    ]
    predict = {"instances": [{"b64": text(faces)}], "parameters": option}
    (prediction,) = client.post(PREDICT, json=predict).json()["predictions"]
    assert len(prediction["faces"]) == expected


@pytest.mark.parametrize(
    ("parameters", "status", "words"),
    [
        ({"min_score": 2}, 422, ("min_score is 2;", "0.01 to 1")),
        ({"input_size": 288}, 422, ("input_size is 288", "96 or 192")),
        ({"include": "mesh"}, 422, ("include has 'mesh'", "landmarks or blendshapes")),
        ({"exclude": "box"}, 422, ("exclude has 'box'", "identity")),
        ({"minscore": 0.5}, 400, ("parameters.minscore", "Extra inputs")),
        ({"refine": "perhaps"}, 400, ("parameters.refine", "boolean")),
    ],
)
def test_parameters_that_cannot_be(
    client: httpx2.Client, png: bytes, parameters: dict[str, Any], status: int, words: tuple[str, ...]
) -> None:
    assert is_error(client.post(INFER, json=request_of(png, parameters=parameters)), status, *words)
    predict = {"instances": [{"b64": text(png)}], "parameters": parameters}
    assert is_error(client.post(PREDICT, json=predict), status, *words)


IMAGE = {"name": "image", "datatype": "BYTES", "shape": [1], "data": ["AAAA"]}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", ("not valid JSON", "Expected", LENGTH)),
        (b"[]", ("another form", "Expected")),
        (b'{"inputs": [' + b"0," * 9999 + b"0]}", ("more than is needed",)),
        ({"inputs": []}, ("inputs are: none", "expected one")),
        ({"inputs": [IMAGE, IMAGE]}, ("'image' of BYTES, 'image' of BYTES", "expected one")),
        ({"inputs": [IMAGE | {"name": "picture"}]}, ("'picture' of BYTES", "expected one, 'image' of BYTES")),
        ({"inputs": [IMAGE | {"datatype": "UINT8", "data": []}]}, ("'image' of UINT8",)),
        ({"inputs": [IMAGE | {"data": [1, 2]}]}, ("inputs.0.data",)),
        ({"inputs": [IMAGE | {"data": None}]}, ("no data, or twice",)),
        ({"inputs": [IMAGE | {"parameters": {"shared_memory_region": "a"}}]}, ("shared_memory_region", "Extra inputs")),
        ({"inputs": [IMAGE | {"shape": [2]}]}, ("1 elements", "expected [1]")),
        ({"inputs": [IMAGE | {"shape": [-1]}]}, ("inputs.0.shape.0", "greater than or equal to 0")),
        ({"inputs": [IMAGE | {"shape": [1] * 9}]}, ("inputs.0.shape", "at most 8")),
        ({"inputs": [IMAGE | {"data": ["*"]}]}, ("An element of the input is not base64",)),
        ({"inputs": [IMAGE | {"data": []}]}, ("1 to 64 pictures",)),
        ({"inputs": [IMAGE | {"data": ["AAAA"] * 65, "shape": [65]}]}, ("1 to 64 pictures", "several requests")),
        (
            {"inputs": [IMAGE], "outputs": [{"name": "mesh"}]},
            ("output 'mesh' does not exist", "face_count, image_size"),
        ),
        ({"inputs": [IMAGE], "outputs": [{"name": "box"}] * 2}, ("output 'box' is named twice",)),
        ({"inputs": [IMAGE], "outputs": [{"name": "box", "parameters": {"classification": 3}}]}, ("classification",)),
        ({"inputs": [IMAGE]}, ("JPEG, PNG, WebP or AVIF",)),
    ],
)
def test_requests_of_another_form(client: httpx2.Client, document: Any, words: tuple[str, ...]) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    answer = client.post(INFER, content=body)
    assert is_error(answer, 422 if "output" in words[0] else 400, *words)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        ("9" * 30, ("has 9999", "number of bytes of the JSON")),
        ("-1", ("'-1'",)),
        ("two", ("'two'",)),
        (None, ("not valid JSON",)),
        ("2", ("inputs: Field required",)),
    ],
)
def test_lengths_that_cannot_be(client: httpx2.Client, length: str | None, words: tuple[str, ...]) -> None:
    body = b"{}" + bytes(9997)
    assert is_error(client.post(INFER, content=body, headers={LENGTH: length} if length else {}), 400, *words)


@pytest.mark.parametrize("cut", [1, 5, 100, -1])
def test_binary_data_that_end_too_early_or_too_late(client: httpx2.Client, png: bytes, cut: int) -> None:
    body, headers = binary(png)
    broken = body[:-cut] if cut > 0 else body + b"x"
    assert is_error(client.post(INFER, content=broken, headers=headers), 400, "bytes of binary data", "follow the JSON")
    image = {"name": "image", "datatype": "BYTES", "shape": [1]}
    behind = broken[int(headers[LENGTH]) :]
    head = json.dumps({"inputs": [image | {"parameters": {"binary_data_size": len(behind)}}]}).encode()
    answer = client.post(INFER, content=head + behind, headers={LENGTH: str(len(head))})
    assert is_error(answer, 400, "end within an element", "four bytes")


def test_as_many_pictures_as_are_allowed(client: httpx2.Client, nobody: bytes) -> None:
    for body, headers in (binary(*[nobody] * 64), (json.dumps(request_of(*[nobody] * 64)).encode(), {})):
        assert tensors(client.post(INFER, content=body, headers=headers))["face_count"].tolist() == [0] * 64
    body, headers = binary(*[nobody] * 65)
    assert is_error(client.post(INFER, content=body, headers=headers), 400, "1 to 64 pictures")


def test_predict_is_not_the_status_of_a_model(client: httpx2.Client) -> None:
    answer = client.get(PREDICT)
    assert is_error(answer, 405, "GET /v1/models/mfn:predict is not served here")
    assert answer.headers["Allow"] == "POST"
    assert is_error(client.get("/v1/models/face:predict"), 404, "no model 'face'")


def test_which_of_several_pictures_is_wrong(client: httpx2.Client, png: bytes) -> None:
    answer = client.post(INFER, json=request_of(png, b"no picture"))
    assert is_error(answer, 400, "Picture 2 of 2: The bytes are not a picture")
    answer = client.post(PREDICT, json={"instances": [{"b64": text(b"no picture")}, {"b64": text(png)}]})
    assert is_error(answer, 400, "Picture 1 of 2: The bytes are not a picture")
    answer = client.post(INFER, json={"inputs": [IMAGE | {"data": [text(png), "*", text(png)], "shape": [3]}]})
    assert is_error(answer, 400, "Picture 2 of 3: An element of the input is not base64")
    answer = client.post(PREDICT, json={"instances": [{"b64": text(png)}, {"image": "*"}]})
    assert is_error(answer, 400, "Picture 2 of 2: An instance is not base64")


@pytest.mark.parametrize("beyond", [1, 2**20])
def test_too_many_bytes(client: httpx2.Client, settings: Settings, beyond: int) -> None:
    picture = bytes(settings.max_bytes + beyond)
    body, headers = binary(picture)
    assert is_error(client.post(INFER, content=body, headers=headers), 413, str(settings.max_bytes))
    assert is_error(client.post(INFER, json=request_of(picture)), 413, str(settings.max_bytes))
    assert is_error(client.post(PREDICT, json={"instances": [{"b64": text(picture)}]}), 413, str(settings.max_bytes))


def test_codings_are_told(client: httpx2.Client, png: bytes) -> None:
    for path in (INFER, PREDICT):
        answer = client.post(path, content=png, headers={"Content-Encoding": "br"})
        assert is_error(answer, 415, "'br'")
        assert answer.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("form", ["object", "text", "input", "data URL"])
def test_predict_answers_as_retarget_does(client: httpx2.Client, faces: bytes, nobody: bytes, form: str) -> None:
    def instance(picture: bytes) -> Any:
        forms = {"object": {"image": {"b64": text(picture)}}, "text": {"image": text(picture)}}
        forms |= {"input": {"b64": text(picture)}, "data URL": {"image": "data:image/png;base64," + text(picture)}}
        return forms[form]

    parameters = {"refine": True, "include": "landmarks,blendshapes"}
    body = {"instances": [instance(faces), instance(nobody)], "parameters": parameters}
    predictions = client.post(PREDICT, json=body).json()["predictions"]
    for prediction in predictions:
        del prediction["timing_ms"]
    assert predictions == [told(client, picture, refine=True) for picture in (faces, nobody)]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b'{"instances": []}', b'{"instances": [{}]}', b'{"instances": [{"image": 7}]}',
        b'{"instances": [{"data": "AAAA"}]}', b'{"instances": ["AAAA"]}', b'{"instances": [{"image": "*"}]}',
        b'{"instances": [' + b'{"b64": "AAAA"},' * 64 + b'{"b64": "AAAA"}]}', b'{"instances": [' * 300,
    ],
)  # fmt: skip
def test_predict_without_pictures(client: httpx2.Client, body: bytes) -> None:
    assert is_error(client.post(PREDICT, content=body), 400, "base64")


def test_what_is_excluded_is_left_out_of_documents(client: httpx2.Client, png: bytes) -> None:
    parameters = {"exclude": "identity"}
    predict = {"instances": [{"b64": text(png)}], "parameters": parameters}
    (prediction,) = client.post(PREDICT, json=predict).json()["predictions"]
    answer = tensors(client.post(INFER, json=request_of(png, parameters=parameters)))
    for document in (prediction, json.loads(answer["answer"][0])):
        assert "identity" not in document["faces"][0]
    assert answer["identity"].shape == (1, 50)


def test_another_model_or_version(client: httpx2.Client, png: bytes) -> None:
    assert is_error(client.post("/v1/models/face:predict", json={"instances": []}), 404, "no model 'face'", "/v1/")
    assert is_error(client.post("/v2/models/face/infer", json=request_of(png)), 404, "no model 'face'")
    assert is_error(client.post("/v2/models/mfn/versions/1/infer", json=request_of(png)), 404, "'9.9.9'")


class Waiting(Pipeline):
    """Begins each picture when it is let."""

    def __init__(self, pipeline: Pipeline, seconds: float) -> None:
        super().__init__(pipeline.models, replace(pipeline.settings, deadline_seconds=seconds))
        self.let = threading.Event()
        self.begun = 0

    def retarget_source(self, *given: Any) -> Any:
        self.begun += 1
        assert self.let.wait(20)
        return super().retarget_source(*given)


@pytest.fixture
def workers_of_its_own() -> Iterator[Workers]:
    workers = Workers(1, 0)
    yield workers
    workers.close()


def state_of(pipeline: Pipeline, workers: Workers, keys: ApiKeys | None = None) -> ServerState:
    return ServerState(pipeline.settings, pipeline, workers, keys or ApiKeys())


def test_keys_draining_and_metrics(serve: Serve, pipeline: Pipeline, workers: Workers, png: bytes) -> None:
    state = state_of(pipeline, workers, ApiKeys.of_setting(KEY, None))
    client = serve(RestApp(state))
    requests: dict[str, Any] = {INFER: request_of(png, png), PREDICT: {"instances": [{"b64": text(png)}]}}
    for path, body in requests.items():
        assert is_error(client.post(path, json=body), 401, "missing")
        answer = client.post(path, json=body, headers={"X-API-Key": KEY, "X-Request-Id": "mine"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (200, "mine")
    state.draining.set()
    for path, body in requests.items():
        assert is_error(client.post(path, json=body, headers={"X-API-Key": KEY}), 503, "shutting down")
    metrics = state.metrics.exposition().decode()
    assert "mfn_faces_per_image_count 3.0" in metrics
    for path in requests:
        labels = f'code="200",method="POST {path}",transport="http"'
        assert f"mfn_request_duration_seconds_count{{{labels}}} 1.0" in metrics


@pytest.mark.parametrize("path", [INFER, PREDICT])
def test_deadline_and_queue(
    serve: Serve, pipeline: Pipeline, workers_of_its_own: Workers, png: bytes, path: str
) -> None:
    """A request whose deadline has passed holds its worker for no more than the picture in work."""
    slow = Waiting(pipeline, 0.3)
    client = serve(RestApp(state_of(slow, workers_of_its_own)))
    body: Any = request_of(png, png, png) if path == INFER else {"instances": [{"b64": text(png)}] * 3}
    assert is_error(client.post(path, json=body), 504, "0.3 s")
    assert is_error(client.post(path, json=body), 429, "All 1 places")
    slow.let.set()
    workers_of_its_own.submit(lambda: None, bounded=False).result(20)
    assert slow.begun == 1
    assert client.post(path, json=body).status_code == 200
