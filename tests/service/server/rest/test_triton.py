"""Triton's own client in front of the open inference protocol."""

import base64
import json
from collections.abc import Iterator

import httpx2
import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

NAMES = (
    "face_count", "image_size", "score", "box", "quaternion", "translation", "scale", "identity", "expression", "gaze",
    "landmarks", "blendshapes", "answer",
)  # fmt: skip


@pytest.fixture
def triton(client: httpx2.Client) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(client.base_url.netloc.decode()) as triton:
        yield triton


def pictures(*data: bytes, binary: bool = True) -> InferInput:
    image = InferInput("image", [len(data)], "BYTES")
    image.set_data_from_numpy(np.array(data, object), binary_data=binary)
    return image


def test_health_and_metadata(triton: InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("mfn")
    assert triton.is_model_ready("mfn", "9.9.9")
    assert not triton.is_model_ready("mfn", "1")
    assert triton.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = triton.get_model_metadata("mfn")
    assert metadata == triton.get_model_metadata("mfn", "9.9.9")
    assert tuple(output["name"] for output in metadata["outputs"]) == NAMES


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_infer(triton: InferenceServerClient, png: bytes, binary: bool, compression: str | None) -> None:
    data = png if binary else base64.b64encode(png)
    result = triton.infer(
        "mfn",
        [pictures(data, data, binary=binary)],
        model_version="9.9.9",
        request_id="my own",
        request_compression_algorithm=compression,
        response_compression_algorithm=compression,
        parameters={"max_faces": 3, "include": "landmarks"},
    )
    assert result.get_response()["id"] == "my own"
    assert result.as_numpy("face_count").tolist() == [1, 1]
    assert result.as_numpy("box").tolist() == [[80, 16, 64, 64]] * 2
    assert result.as_numpy("identity").shape == (2, 50)
    assert np.isnan(result.as_numpy("gaze")).all()
    answers = [json.loads(text) for text in result.as_numpy("answer")]
    assert np.shape(answers[1]["faces"][0]["landmarks"]) == (68, 2)


@pytest.mark.parametrize("binary", [True, False])
def test_chosen_outputs(triton: InferenceServerClient, png: bytes, binary: bool) -> None:
    outputs = [InferRequestedOutput(name, binary_data=binary) for name in ("gaze", "answer", "score")]
    result = triton.infer("mfn", [pictures(png)], outputs=outputs)
    assert [output["name"] for output in result.get_response()["outputs"]] == ["gaze", "answer", "score"]
    assert result.as_numpy("gaze").shape == (1, 8)
    assert np.isnan(result.as_numpy("gaze")).all()
    assert json.loads(result.as_numpy("answer")[0])["image"] == {"width": 192, "height": 192}


def test_side_by_side(triton: InferenceServerClient, png: bytes) -> None:
    waiting = [triton.async_infer("mfn", [pictures(png)], request_id=str(number)) for number in range(3)]
    assert [request.get_result().get_response()["id"] for request in waiting] == ["0", "1", "2"]


def test_errors_are_told(triton: InferenceServerClient, png: bytes) -> None:
    with pytest.raises(InferenceServerException, match="not a picture that can be read") as refused:
        triton.infer("mfn", [pictures(b"no picture")])
    assert refused.value.status() == "400"
    with pytest.raises(InferenceServerException, match="no model 'face' here"):
        triton.infer("face", [pictures(png)])
    with pytest.raises(InferenceServerException, match="min_score is 2"):
        triton.infer("mfn", [pictures(png)], parameters={"min_score": 2})
