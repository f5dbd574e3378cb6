"""The command from data and predictor to tables, with networks small enough to know their answers."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.vision.arrays import Pixels
from tests.service.tiny_models import write_models
from tests.training.evaluation.test_datasets import face_points, save_archive, save_picture, save_points
from training.evaluation.__main__ import main
from training.evaluation.prediction import Prediction, load_predictor
from training.evaluation.report import BEGIN, END, put_into

BOX = [4.0, 5.0, 20.0, 25.0]


def knows_the_answer(image: Pixels) -> Prediction:
    """Two faces, of which the second has a low score, in any picture."""
    shape = image.shape[1], image.shape[0]
    assert shape == (40, 30)
    boxes = np.array([BOX, [30.0, 20, 39, 29]])
    return Prediction(np.array([0.9, 0.2]), boxes, np.stack([face_points() + np.array([0.5, 0]), face_points(100)]))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluation", *arguments])
    main()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_archive(tmp_path / "multi_val.tar", [{"image": "1.webp", "size": [40, 30], "boxes": [BOX]}])
    save_points(tmp_path / "300w" / "afw" / "a.pts", face_points())
    save_picture(tmp_path / "300w" / "afw" / "a.jpg")
    return tmp_path


def test_any_function_can_be_measured(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card = folder / "CARD.md"
    card.write_text(f"# Card\n\n{BEGIN}\nold\n{END}\n\nthe end\n")
    run(
        monkeypatch, "--predictor", f"{__name__}:knows_the_answer", "--data", str(folder), "--sets", "multi_val",
        "afw_points", "--json", str(folder / "out.json"), "--markdown", str(card),
    )  # fmt: skip
    figures = json.loads((folder / "out.json").read_text())
    detection = figures["multi_val"]["knows_the_answer"]["detection"]
    assert (detection["ap"], detection["ap50"], detection["faces"], detection["found"]) == (100, 100, 1, 1)
    landmarks = figures["afw_points"]["knows_the_answer"]["landmarks"]["all"]
    size = np.ptp(face_points(), axis=0)
    assert landmarks["nme"] == pytest.approx(100 * 0.5 / np.sqrt(size.prod()), abs=1e-4)
    assert (landmarks["missed"], landmarks["shift"]) == (0, [0.5, 0.0])
    text = card.read_text()
    assert text.startswith(f"# Card\n\n{BEGIN}\n**Detection.**")
    assert text.endswith(f"{END}\n\nthe end\n")
    assert "old" not in text
    assert text.partition(BEGIN)[2].partition(END)[0].strip() in capsys.readouterr().out
    assert "| paper, MS-MFN" in text


def test_networks_are_measured_through_the_pipeline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = folder / "models"
    models.mkdir()
    write_models(models)
    save_archive(folder / "landmarks_val.tar", [
        {"image": f"{i}.webp", "size": [40, 30], "landmarks68": [face_points().tolist()]} for i in range(2)
    ])  # fmt: skip
    unknown: dict[str, Any] = {"landmarks": np.full((2, 68, 2), np.nan), "expression": np.full((2, 46), np.nan)}
    np.savez(folder / "landmarks_val.npz", name=["0.webp", "1.webp"], **unknown)  # a teacher that saw no face
    run(
        monkeypatch, "--models", str(models), "--data", str(folder), "--sets", "multi_val", "landmarks_val",
        "--json", str(folder / "out.json"), "--cache", str(folder),
    )  # fmt: skip
    figures = json.loads((folder / "out.json").read_text())
    # The tiny network sees no face in blue pictures, and its boxes are measured once, not again with refinement.
    assert list(figures["multi_val"]) == ["MFN"]
    assert figures["multi_val"]["MFN"]["detection"]["ap50"] == 0
    assert figures["landmarks_val"]["MFN + SFN"]["landmarks"]["all"]["missed"] == 2
    assert figures["landmarks_val"]["MFN + SFN"]["landmarks"]["all"]["nme"] is None
    assert figures["landmarks_val"]["MFN + SFN"]["jitter"] == {"photos": 0, "lost": 40, "jitter": None, "inner": None}
    assert "eyes" not in figures["landmarks_val"]["MFN"]
    assert figures["landmarks_val"]["MFN"]["skin"]["groups"][0]["missed"] == 2


def test_tiles_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = folder / "models"
    models.mkdir()
    write_models(models)
    run(
        monkeypatch, "--models", str(models), "--data", str(folder), "--sets", "multi_val", "--tiles", "2",
        "--json", str(folder / "out.json"),
    )  # fmt: skip
    assert list(json.loads((folder / "out.json").read_text())["multi_val"]) == ["MFN, 2 tiles"]


def test_each_so_many_th_picture_for_a_trial(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures: list[dict[str, object]] = [{"image": f"{i}.webp", "size": [40, 30], "boxes": [BOX]} for i in range(5)]
    save_archive(folder / "multi_val.tar", pictures)
    run(
        monkeypatch, "--predictor", f"{__name__}:knows_the_answer", "--data", str(folder), "--sets", "multi_val",
        "--every", "2", "--json", str(folder / "out.json"),
    )  # fmt: skip
    figures = json.loads((folder / "out.json").read_text())
    assert figures["multi_val"]["knows_the_answer"]["detection"]["pictures"] == 3


def test_input_sizes_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = folder / "models"
    models.mkdir()
    write_models(models)
    common = ("--models", str(models), "--data", str(folder), "--sets", "multi_val", "--json", str(folder / "out.json"))
    run(monkeypatch, *common, "--input-size", "192")
    assert list(json.loads((folder / "out.json").read_text())["multi_val"]) == ["MFN, input size 192"]
    with pytest.raises(SystemExit):
        run(monkeypatch, *common, "--input-size", "288")
    assert "input_size is 288; expected 96 or 192" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sets", "imagenet"], "imagenet is no data set; there are multi_val"),
        (["--sets", "fddb=/nowhere"], "is not there; expected FDDB's annotations"),
        (["--predictor", "json"], "json is no predictor"),
        (["--predictor", "json:nothing"], "json:nothing is no predictor"),
    ],
)
def test_what_is_wrong_is_said(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    predictor = [] if "--predictor" in arguments else ["--predictor", f"{__name__}:knows_the_answer"]
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, *predictor, *arguments)
    assert stopped.value.code == 1
    assert message in capsys.readouterr().err


def test_a_class_is_made_without_arguments() -> None:
    made: object = load_predictor("collections:OrderedDict")
    assert made == {}


def test_a_card_without_markers_is_left_alone(tmp_path: Path) -> None:
    card = tmp_path / "CARD.md"
    card.write_text("no markers\n")
    with pytest.raises(ValueError, match="has no lines"):
        put_into(card, "x\n")
    assert card.read_text() == "no markers\n"
    put_into(tmp_path / "NEW.md", "x\n")
    assert (tmp_path / "NEW.md").read_text() == f"{BEGIN}\nx\n{END}\n"
