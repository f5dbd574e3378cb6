import json
from pathlib import Path
from typing import Any

import pytest

from service.errors import StartError
from service.inference.manifest import read_manifest


def test_every_form_is_read_and_what_no_server_needs_is_left_aside(models_dir: Path) -> None:
    networks = read_manifest(models_dir / "manifest.json").networks
    for name, network in (("mfn", networks.mfn), ("sfn", networks.sfn)):
        files = {form: spec.file for form, spec in network.forms.items()}
        assert files == {form: f"{name}.{form}" for form in ("int8.onnx", "float32.onnx", "float16.tflite")}
        assert not hasattr(network, "weights")


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_a_manifest_that_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(StartError, match="is not valid") as refused:
        read_manifest(path)
    assert str(path) in str(refused.value)


def test_a_manifest_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="MFN_MODELS_DIR"):
        read_manifest(tmp_path / "manifest.json")


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({"identity": [0.0] * 49, "score": 0.0, "constant": 0.0}, "upside_down.identity: List should have at least 50"),
        ({"identity": [0.0] * 50, "score": 1e9, "constant": 0.0}, "upside_down.score: Input should be less than"),
        ({"identity": [0.0] * 50, "score": 0.0}, "upside_down.constant: Field required"),
    ],
)
def test_weights_of_another_network_are_refused(
    models_dir: Path, tmp_path: Path, weights: dict[str, Any], reason: str
) -> None:
    manifest = json.loads((models_dir / "manifest.json").read_text())
    assert read_manifest(models_dir / "manifest.json").upside_down is None
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest | {"upside_down": weights}))
    with pytest.raises(StartError, match=reason):
        read_manifest(path)
