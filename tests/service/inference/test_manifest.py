from pathlib import Path

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
