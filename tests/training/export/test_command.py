"""What `make models` refuses, and that the published files are then as they were."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("litert_torch")

import training.export.__main__ as command
from tests.training.export.conftest import noise
from training.evaluation.evaluate import load_form
from training.export.__main__ import main, make
from training.export.agreement import INFERENCE_GRAPH
from training.export.artifacts import FORMS
from training.export.calibration import write_pictures
from training.networks.mfn import MFN
from training.networks.sfn import SFN
from training.scripts.export_weights import write_weights

MODELS = Path("models")


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as training.scripts.export_weights leaves it, of networks that know nothing."""
    folder = tmp_path_factory.mktemp("untrained")
    (folder / "weights").mkdir()
    manifest = json.loads((MODELS / "manifest.json").read_text())
    for kind, network in (("mfn", MFN()), ("sfn", SFN())):
        path = folder / "weights" / f"{kind}.npz"
        write_weights(network, path)
        manifest["networks"][kind]["weights"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    shutil.copyfile(MODELS / "face_model.npz", folder / "face_model.npz")
    write_pictures(folder / "calibration.npz", {"mfn": noise(288), "sfn": noise(128)})
    (folder / "mfn.int8.onnx").write_bytes(b"published")
    return folder


@pytest.fixture
def folder(untrained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untrained, tmp_path / "models"))


def refused(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says; every file of the folder must be what it was."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setattr("sys.argv", ["forms", "--models", str(folder)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return capsys.readouterr().err


def test_weights_that_the_manifest_does_not_mean(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(folder / "weights/mfn.npz") as arrays:
        np.savez(folder / "weights/mfn.npz", **{**arrays, "other": np.zeros(1)})
    said = refused(folder, monkeypatch, capsys)
    assert "weights/mfn.npz has the sha256" in said
    assert "write both anew with python -m training.scripts.export_weights" in said


@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        (np.zeros((1, 288, 288, 3), np.uint8), "calibration needs pictures that show something"),
        (np.zeros((2, 128, 128, 3), np.uint8), "calibration needs uint8 pictures (N, 288, 288, 3); these are"),
    ],
    ids=["black", "small"],
)
def test_pictures_that_cannot_calibrate(
    pictures: np.ndarray, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pictures(folder / "calibration.npz", {"mfn": pictures})
    assert said in refused(folder, monkeypatch, capsys)


def test_a_calibration_file_without_a_networks_pictures(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(folder / "calibration.npz", faces=np.zeros(1))
    assert "holds faces; pictures named mfn were expected" in refused(folder, monkeypatch, capsys)


@pytest.mark.parametrize("name", ["calibration.npz", "weights/mfn.npz"])
def test_a_file_that_is_missing(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).unlink()
    assert name in refused(folder, monkeypatch, capsys)


def test_a_manifest_without_networks(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "manifest.json").write_text(json.dumps({"version": "1"}))
    assert "networks" in refused(folder, monkeypatch, capsys)


def test_a_form_that_there_is_not(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no form int4.onnx; there are float32.onnx"):
        load_form(folder, "int4.onnx")


def test_every_form_is_held_against_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    for writer in ("write_float32", "write_int8", "halve", "lay_out", "write_tflite"):
        monkeypatch.setattr(command, writer, lambda *_: None)
    for runner in ("OnnxNetwork", "TfliteNetwork"):
        monkeypatch.setattr(command, runner, lambda path: path)
    monkeypatch.setattr(command, "require_agreement", lambda *compared: held.append(compared))
    make(SFN().eval(), "sfn", "1", np.zeros((2, 128, 128, 3), np.uint8), tmp_path, [])
    (_, rounded, _, first), *others = held
    assert first == INFERENCE_GRAPH
    assert [(expected, path, form) for expected, path, _, form in others] == [
        (rounded, tmp_path / f"sfn.{form}", form) for form in FORMS
    ]
