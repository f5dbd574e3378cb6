import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.errors import StartError
from service.model_files import Models
from tests.service.tiny_models import CELLS, IDENTITY, SFN_IDENTITY, SIDE, write_manifest


def refused(folder: Path) -> str:
    with pytest.raises(StartError) as error:
        Models.load(folder)
    return str(error.value)


def change_manifest(folder: Path, change: Callable[[Any], None]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_models_are_read(models: Models) -> None:
    assert (models.manifest.name, models.manifest.version) == ("mfn", "9.9.9")
    assert models.side == SIDE
    assert models.priors.centre.shape == (CELLS * CELLS, 2)
    assert models.crop_factor == 1.4
    assert models.face_model.landmarks.mean.shape == (68, 3)


def test_networks_run(models: Models) -> None:
    raw = models.mfn.run(np.full((1, SIDE, SIDE, 3), 210, np.uint8))
    assert set(raw) == {"detection", "pose", "identity", "expression"}
    np.testing.assert_allclose(raw["detection"][0, :, 4], 10, rtol=1e-4)
    np.testing.assert_array_equal(raw["identity"][0, 5], IDENTITY)
    assert all(array.dtype == np.float32 for array in raw.values())
    raw = models.sfn.run(np.zeros((3, 128, 128, 3), np.uint8))
    np.testing.assert_array_equal(raw["identity"], np.tile(SFN_IDENTITY, (3, 1)))


@pytest.mark.parametrize("name", ["manifest.json", "face_model.npz", "mfn.onnx", "sfn.onnx"])
def test_a_missing_file_is_named(own_models_dir: Path, name: str) -> None:
    (own_models_dir / name).unlink()
    assert str(own_models_dir / name) in refused(own_models_dir)


@pytest.mark.parametrize("name", ["face_model.npz", "mfn.onnx", "sfn.onnx"])
@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data[:99] + bytes([data[99] ^ 1]) + data[100:]])
def test_an_altered_file_is_named(own_models_dir: Path, name: str, spoil: Callable[[bytes], bytes]) -> None:
    path = own_models_dir / name
    path.write_bytes(spoil(path.read_bytes()))
    message = refused(own_models_dir)
    assert str(path) in message
    assert "sha256" in message


@pytest.mark.parametrize("name", ["face_model.npz", "mfn.onnx", "sfn.onnx"])
def test_a_file_that_is_no_model_is_named(own_models_dir: Path, name: str) -> None:
    (own_models_dir / name).write_bytes(b"something else")
    write_manifest(own_models_dir)  # with the checksum of the file as it is now
    assert str(own_models_dir / name) in refused(own_models_dir)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda m: m.pop("version"), "version"),
        (lambda m: m["networks"].pop("sfn"), "networks.sfn"),
        (lambda m: m["networks"]["mfn"]["levels"].clear(), "levels"),
        (lambda m: m["networks"]["mfn"].update(file="../mfn.onnx"), "networks.mfn.file"),
        (lambda m: m["networks"]["mfn"].update(pad_value=0), "pad_value"),
        (lambda m: m["networks"]["mfn"]["levels"].append({"stride": 8, "anchors": [[9, 9]]}), "detection of mfn"),
        (lambda m: m["networks"]["mfn"]["outputs"].pop("pose"), "pose of mfn"),
        (lambda m: m["networks"]["mfn"]["input"].update(dtype="float32"), "expected uint8"),
        (lambda m: m["networks"]["mfn"]["input"].update(shape=[1, 3, 96]), "input of mfn"),
        (lambda m: m["networks"]["mfn"]["input"].update(name="picture"), "has picture of shape None"),
        (lambda m: m["networks"]["sfn"]["input"].update(shape=[None, 64, 64, 3]), "input of sfn"),
        (lambda m: m["networks"]["sfn"]["outputs"].update(pose=["b", 7], depth=["b", 1]), "has depth of shape None"),
        (lambda m: m["expression_names"].reverse(), "different expressions"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    own_models_dir: Path, change: Callable[[Any], None], expected: str
) -> None:
    change_manifest(own_models_dir, change)
    message = refused(own_models_dir)
    assert expected in message
    assert str(own_models_dir) in message


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_a_manifest_that_is_no_manifest_is_refused(own_models_dir: Path, text: str) -> None:
    (own_models_dir / "manifest.json").write_text(text)
    assert "manifest.json is not valid" in refused(own_models_dir)
