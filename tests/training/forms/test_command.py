"""What `make models` refuses, and that the published files are then as they were."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("litert_torch")

import training.forms.__main__ as command
from training.evaluation.evaluate import load_form
from training.forms.__main__ import main, make
from training.forms.files import FORMS
from training.networks import SFN

MODELS = Path("models")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("manifest.json", "face_model.npz", "calibration.npz", "weights/mfn.npz", "weights/sfn.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(MODELS / name, tmp_path / name)
    (tmp_path / "mfn.int8.onnx").write_bytes(b"published")
    return tmp_path


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
    assert "write both anew with python -m training.export" in said


@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        (np.zeros((1, 288, 288, 3), np.uint8), "calibration needs pictures that show something"),
        (np.zeros((0, 288, 288, 3), np.uint8), "there is none"),
        (np.zeros((2, 128, 128, 3), np.uint8), "calibration needs uint8 pictures (N, 288, 288, 3); these are"),
        (np.zeros((2, 288, 288, 3), np.float32), "these are float32"),
    ],
    ids=["black", "none", "small", "float"],
)
def test_pictures_that_cannot_calibrate(
    pictures: np.ndarray, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(folder / "calibration.npz", mfn=pictures)
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
    for writer in ("write_float32", "write_int8", "write_tflite"):
        monkeypatch.setattr(command, writer, lambda *_: None)
    for runner in ("OnnxNetwork", "TfliteNetwork"):
        monkeypatch.setattr(command, runner, lambda path: path)
    monkeypatch.setattr(command, "require_agreement", lambda _network, path, _pictures, form: held.append((path, form)))
    make(SFN().eval(), "sfn", "1", np.zeros((2, 128, 128, 3), np.uint8), tmp_path, [])
    assert held == [(tmp_path / f"sfn.{form}", form) for form in FORMS]
