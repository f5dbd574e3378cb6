"""Every variant takes steps on a handful of made-up faces, stops, goes on where it stopped, and exports."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from service.vision.face_model import FaceModel  # noqa: E402
from service.vision.rotation import euler_to_quaternion  # noqa: E402
from training.data.faces import FaceLabels  # noqa: E402
from training.data.windows import Batch  # noqa: E402
from training.networks.decoding import Landmarks, Pose  # noqa: E402
from training.networks.variants import DETECTORS, MULTIPLE, SINGLE  # noqa: E402
from training.optimization.assignment import Assignment  # noqa: E402
from training.optimization.losses import CoefficientLoss  # noqa: E402
from training.optimization.run import Run  # noqa: E402
from training.scripts import (  # noqa: E402
    export_weights,
    train_mfn,
    train_sfn,
)

FACES = 12
VARIANTS = [*(("mfn", variant) for variant in MULTIPLE), *(("sfn", variant) for variant in SINGLE)]


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FACES pictures of noise, 192 x 192, with one labelled face each; the files that both commands read."""
    folder = tmp_path_factory.mktemp("set")
    rng = np.random.default_rng(0)
    np.save(folder / "faces.npy", rng.integers(0, 256, (FACES, 192, 192, 3), dtype=np.uint8))
    np.save(folder / "faces.sizes.npy", np.full((FACES, 2), 192, np.float32))
    box = np.tile(np.array([50, 50, 140, 140], np.float32), (FACES, 1))
    labels = FaceLabels.of_boxes(np.arange(FACES), box, np.zeros(FACES))
    labels.quaternion = torch.from_numpy(euler_to_quaternion(*rng.uniform(-20, 20, (3, FACES))).astype(np.float32))
    labels.scale[:] = 5
    labels.identity = torch.from_numpy(rng.normal(size=(FACES, 50)).astype(np.float32))
    labels.expression = torch.from_numpy(rng.uniform(0, 0.5, (FACES, 46)).astype(np.float32))
    model = Landmarks(FaceModel.load(Path("models/face_model.npz")))
    pose = Pose(labels.quaternion, labels.origin, labels.scale)
    labels.points = model(pose, labels.identity, labels.expression)
    labels.point_weight[:] = 1
    labels.fitted[:] = 1
    labels.gaze[: FACES // 2] = torch.from_numpy(rng.uniform(0, 0.5, (FACES // 2, 8)).astype(np.float32))
    labels.save(folder / "faces.npz")
    return folder


def arguments(kind: str, variant: str, data: Path, run: Path, steps: int) -> list[str]:
    common = ["--run", str(run), "--variant", variant, "--device", "cpu", "--steps", str(steps), "--shares", "1.0"]
    if kind == "mfn":
        pictures = ["--pictures", str(data / "faces.npy"), "--labels", str(data / "faces.npz")]
        return [*common, *pictures, "--batch", "4", "--sizes", "96"]
    return [*common, "--crops", str(data / "faces"), "--faces", "4"]


def train(
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    variant: str,
    data: Path,
    run: Path,
    steps: int,
    more: Sequence[str] = (),
) -> dict[str, Any]:
    monkeypatch.setattr("sys.argv", ["train", *arguments(kind, variant, data, run, steps), *more])
    (train_mfn if kind == "mfn" else train_sfn).main()
    state: dict[str, Any] = torch.load(run / "checkpoint.pt", weights_only=True)
    return state


@pytest.mark.parametrize(("kind", "variant"), VARIANTS)
def test_every_variant_learns_a_little(
    kind: str, variant: str, made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = train(monkeypatch, kind, variant, made_up, tmp_path, 3)
    assert state["step"] == 3
    assert all(bool(torch.isfinite(value).all()) for value in state["network"].values())


def test_pieces_give_the_same_run_as_one(made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = ["--warm-up", "100"]  # so that the rate does not depend on the planned length
    whole = train(monkeypatch, "sfn", "sfn", made_up, tmp_path / "whole", 4, more)
    train(monkeypatch, "sfn", "sfn", made_up, tmp_path / "pieces", 2, more)
    pieces = train(monkeypatch, "sfn", "sfn", made_up, tmp_path / "pieces", 4, more)
    for name, value in whole["network"].items():
        torch.testing.assert_close(value, pieces["network"][name])


ALL = ["--turned", "4", "--tau-start", "4", "--tau-floor", "0.8", "--motion-blur", "0.5", "--compression", "0.5"]


def test_every_option_of_sfn_at_once_by_steps_and_by_time(
    made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = [*ALL, "--report-every", "1", "--average-decay", "0.99"]
    state = train(monkeypatch, "sfn", "sfn", made_up, tmp_path / "steps", 3, more)
    assert (state["step"], state["samples"]) == (3, 24)
    assert all(bool(torch.isfinite(value).all()) for value in state["averaged"].values())
    rows = [json.loads(line) for line in (tmp_path / "steps" / "log.jsonl").read_text().splitlines()]
    assert [row["coefficient_weight"] for row in rows] == pytest.approx([4, 4 - 3.2 / 3, 4 - 6.4 / 3])
    crops = ["--crops", str(made_up / "faces"), "--faces", "4", "--shares", "1", "--device", "cpu"]
    train_sfn.main(["--run", str(tmp_path / "time"), *crops, *more, "--seconds", "0.01"])
    timed = torch.load(tmp_path / "time" / "checkpoint.pt", weights_only=True)
    assert timed["step"] == 1  # the first step takes longer
    assert timed["seconds"] > 0.01


def test_every_option_of_mfn_at_once(made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.data.windows.PictureSet.crowded", True)
    drawn = []

    def losses_of(network: nn.Module, batch: Batch, *rest: Any) -> dict[str, Tensor]:
        drawn.append(tuple(batch.images.shape))
        return train_mfn_losses(network, batch, *rest)

    train_mfn_losses = train_mfn.losses_of
    monkeypatch.setattr(train_mfn, "losses_of", losses_of)
    more = [*ALL, "--mosaic", "0.5", "--report-every", "1", "--sizes", "64", "96", "128", "--batch", "8"]
    state = train(monkeypatch, "mfn", "mfn", made_up, tmp_path / "whole", 8, more)
    assert all(bool(torch.isfinite(value).all()) for value in state["averaged"].values())
    # sizes are drawn; larger ones have fewer windows, of about as many pixels
    assert set(drawn) == {(8, 3, 64, 64), (4, 3, 96, 96), (2, 3, 128, 128)}
    assert state["samples"] == sum(shape[0] for shape in drawn)
    whole = drawn.copy()
    drawn.clear()
    train(monkeypatch, "mfn", "mfn", made_up, tmp_path / "pieces", 3, more)
    train(monkeypatch, "mfn", "mfn", made_up, tmp_path / "pieces", 8, more)
    assert drawn == whole  # also where the run was resumed


def test_sizes_that_the_strides_do_not_divide_are_refused(
    made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        train(monkeypatch, "mfn", "mfn", made_up, tmp_path, 1, ["--sizes", "96", "100"])
    assert "--sizes [96, 100] are not all multiples of 32" in capsys.readouterr().err


def refused(arguments: Sequence[str], kind: str = "mfn") -> str:
    """What a command that ends at once says: one line, after argparse's usage where that has it."""
    command = [sys.executable, "-m", f"training.scripts.train_{kind}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_wrong_options_end_a_run_with_a_line_before_it_begins(made_up: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    mfn = arguments("mfn", "mfn", made_up, run, 1)
    sfn = arguments("sfn", "sfn", made_up, run, 1)
    assert refused([*mfn, "--shares", "0.5", "0.5"]).endswith("there are 1 --pictures, 1 --labels, 2 --shares")
    assert refused([*mfn, "--pictures", "a.npy", "b.npy"]).endswith("2 --pictures, 1 --labels, 1 --shares")
    assert refused([*sfn, "--crops", "a", "b"], "sfn").endswith("there are 2 --crops, 1 --shares")
    assert refused([*sfn, "--rate", "-0.1"], "sfn").endswith("argument --rate: -0.1 is below 0")
    assert refused([*mfn, "--rate", "fast"]).endswith("argument --rate: fast is no number")
    assert not run.exists()


def test_files_that_are_not_what_they_should_be_end_a_run_with_a_line(made_up: Path, tmp_path: Path) -> None:
    mfn = arguments("mfn", "mfn", made_up, tmp_path / "run", 1)
    sfn = arguments("sfn", "sfn", made_up, tmp_path / "run", 1)
    np.savez(tmp_path / "foreign.npz", a=np.zeros(3))
    foreign, missing = str(tmp_path / "foreign.npz"), str(tmp_path / "missing.npz")
    assert refused([*mfn, "--weights", foreign]).startswith(f"{foreign} is not of this network: it lacks ")
    assert refused([*sfn, "--weights", missing], "sfn") == f"{missing} is missing"
    assert refused([*mfn, "--labels", missing]).startswith(f"{missing} is missing; ")
    assert refused([*mfn, "--labels", foreign]).startswith(f"{foreign} holds no picture and no box")
    assert refused([*sfn, "--crops", str(tmp_path / "none")], "sfn").startswith(f"{tmp_path / 'none.npy'} is missing; ")


def test_labels_of_more_pictures_than_there_are_end_a_run_with_a_line(made_up: Path, tmp_path: Path) -> None:
    labels = FaceLabels.load(made_up / "faces.npz")
    labels.picture = labels.picture + 1
    labels.save(tmp_path / "beyond.npz")
    run = [*arguments("mfn", "mfn", made_up, tmp_path / "run", 1), "--labels", str(tmp_path / "beyond.npz")]
    found = f"{tmp_path / 'beyond.npz'} has a face in picture {FACES}, but only {FACES} pictures are packed"
    assert refused(run).startswith(found)


@pytest.mark.parametrize(("count", "learned"), [(2, {"score", "box"}), (0, {"score"})])
def test_windows_without_a_known_face_teach_boxes_alone(count: int, learned: set[str], made_up: Path) -> None:
    torch.manual_seed(0)
    network = MULTIPLE["mfn"]()
    levels = network.levels
    grid = train_mfn.Grid.of(levels, 96, "cpu", Assignment(), 24)
    model = Landmarks(FaceModel.load(Path("models/face_model.npz")))
    loss = CoefficientLoss(model, torch.full((46,), 0.1), torch.zeros(46))
    faces = FaceLabels.load(made_up / "faces.npz")[torch.arange(count)]
    faces.fitted = torch.zeros(count)
    faces.box = torch.tensor([[20.0, 20, 60, 60]]).expand(count, 4)
    batch = Batch(torch.rand(2, 3, 96, 96) * 255, faces, torch.arange(count))
    terms = train_mfn.losses_of(network, batch, grid, loss, 1.0)
    assert {name for name, value in terms.items() if float(value.detach())} == learned
    torch.stack(list(terms.values())).sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in network.parameters() if p.grad is not None)


def test_a_run_starts_from_published_weights(made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = Path("models/weights/sfn.npz")
    monkeypatch.setattr(
        "sys.argv", ["train", *arguments("sfn", "sfn", made_up, tmp_path, 0), "--weights", str(weights)]
    )
    train_sfn.main()
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["averaged"]
    with np.load(weights) as published:
        for name in published:
            np.testing.assert_array_equal(state[name], published[name])


def test_a_network_that_detects_is_trained_to_nothing_else(
    made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []

    def update(run: Run[nn.Module], terms: dict[str, Tensor], samples: int) -> None:  # noqa: ARG001
        seen.append(set(terms))
        run.step += 1

    monkeypatch.setattr(Run, "update", update)
    for variant in ("mfn", *DETECTORS):
        train(monkeypatch, "mfn", variant, made_up, tmp_path / variant, 1)
    joint, alone = seen
    assert alone == {"score", "box"}
    assert joint == {"score", "box", "identity", "expression", "rotation", "landmarks", "lids"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("mfn", "sfn"), [("single-scale-mfn", "sfn"), ("detection-mfn", "single-scale-sfn")])
def test_runs_export_to_a_folder_that_the_service_loads(
    mfn: str, sfn: str, made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.inference.execution import Execution
    from service.inference.models import Models

    pytest.importorskip("onnxscript")
    for kind, variant in (("mfn", mfn), ("sfn", sfn)):
        train(monkeypatch, kind, variant, made_up, tmp_path / kind, 1)
    out = tmp_path / "models"
    runs = ["--mfn", str(tmp_path / "mfn"), "--sfn", str(tmp_path / "sfn"), "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["export", *runs, "--mfn-variant", mfn, "--sfn-variant", sfn])
    export_weights.main()
    models = Models.load(out, Execution(precision="float32"))
    outputs = models.mfn.run(np.zeros((1, 288, 288, 3), np.uint8))
    assert {name: output.shape[-2:] for name, output in outputs.items()} == {
        "detection": (1701, 5),
        "pose": (1701, 7),
        "identity": (1701, 50),
        "expression": (1701, 46),
    }
    assert outputs["pose"].any() != (mfn in DETECTORS)
