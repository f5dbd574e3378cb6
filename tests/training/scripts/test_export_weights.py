"""Weights as they are published: rounded, small, the same bytes each time, and good to go on from."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from torch import nn  # noqa: E402

from training.export.rounding import HALF_BITS, round_weights  # noqa: E402
from training.networks.ablations import DetectionMFN  # noqa: E402
from training.networks.mfn import MFN  # noqa: E402
from training.networks.sfn import SFN, SMALL  # noqa: E402
from training.networks.weights import load_ema, load_weights, mean_network  # noqa: E402
from training.scripts import export_weights  # noqa: E402
from training.scripts.export_weights import describe, write_weights  # noqa: E402


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(4)
    network = SFN()
    network(torch.rand(2, 3, 128, 128) * 255)  # moves the statistics
    round_weights(network, HALF_BITS)
    return network.eval()


def test_they_load_into_the_same_network(network: nn.Module, tmp_path: Path) -> None:
    path, other = tmp_path / "weights.npz", SFN()
    write_weights(network, path)
    load_weights(other, path)
    for name, value in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert other.state_dict()[name].dtype == torch.float32
            torch.testing.assert_close(other.state_dict()[name], value, rtol=0, atol=0)


def test_weights_take_two_bytes_at_most_and_statistics_keep_their_digits(network: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    write_weights(network, path)
    numbers = sum(value.numel() for value in network.state_dict().values())
    assert path.stat().st_size < 2 * numbers
    with np.load(path) as arrays:
        assert {arrays[name].dtype for name in arrays if arrays[name].ndim > 1} == {np.dtype(np.float16)}
        assert arrays["stem.patches.1.running_mean"].dtype == np.float32


def test_the_same_weights_give_the_same_bytes(network: nn.Module, tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_weights(network, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_of_several_sources_the_mean_is_taken(network: nn.Module, tmp_path: Path) -> None:
    torch.manual_seed(5)
    other = SFN()
    write_weights(network, tmp_path / "a.npz")
    write_weights(other, tmp_path / "b.npz")
    mean = mean_network([tmp_path / "a.npz", tmp_path / "b.npz"], "sfn").state_dict()
    for name in ("pose.last.weight", "stem.patches.1.running_mean"):
        torch.testing.assert_close(mean[name], (network.state_dict()[name] + other.state_dict()[name]) / 2)
    alone = mean_network([tmp_path / "a.npz"], "sfn").state_dict()
    torch.testing.assert_close(alone["pose.last.weight"], network.state_dict()["pose.last.weight"])


def test_weights_of_another_network_are_refused_and_change_nothing(network: nn.Module, tmp_path: Path) -> None:
    path, small = tmp_path / "weights.npz", SFN(SMALL)
    write_weights(network, path)
    before = {name: value.clone() for name, value in small.state_dict().items()}
    with pytest.raises(SystemExit, match=r"stem\.patches\.0\.weight \(48, 3, 4, 4\) for \(32, 3, 4, 4\)"):
        load_weights(small, path)
    for name, value in small.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    with pytest.raises(SystemExit, match=r"lacks \['stage5\.0\.0\.weight'.* and has \['stage3\.3\.body"):
        load_weights(MFN(), path)


def test_a_run_and_its_weights_give_the_same_network(network: nn.Module, tmp_path: Path) -> None:
    torch.save({"averaged": network.state_dict()}, tmp_path / "checkpoint.pt")
    write_weights(network, tmp_path / "weights.npz")
    of_run, of_file = SFN().eval(), SFN().eval()
    load_ema(of_run, tmp_path)
    load_ema(of_file, tmp_path / "weights.npz")
    crop = torch.rand(1, 3, 128, 128) * 255
    for a, b in zip(of_run(crop), of_file(crop), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"is neither a run, for it holds no checkpoint\.pt, nor an \.npz of weights"):
        load_ema(SFN(), tmp_path)


def test_an_export_of_another_network_s_weights_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weights(MFN(), tmp_path / "mfn.npz")
    write_weights(SFN(SMALL), tmp_path / "small.npz")
    out = tmp_path / "models"
    out.mkdir()
    (out / "manifest.json").write_text("published")
    weights = ["--mfn", str(tmp_path / "mfn.npz"), "--sfn", str(tmp_path / "small.npz")]
    monkeypatch.setattr("sys.argv", ["export", *weights, "--out", str(out)])
    with pytest.raises(SystemExit, match=r"small\.npz is not of this network"):
        export_weights.main()
    assert [path.name for path in out.iterdir()] == ["manifest.json"]
    assert (out / "manifest.json").read_text() == "published"


def test_a_network_of_several_input_sizes_is_described_without_one() -> None:
    several, one = describe(MFN()), describe(DetectionMFN())
    assert (several["input"]["shape"], several["input_sizes"]) == ([1, "side", "side", 3], [288, 416, 576])
    assert several["outputs"]["pose"] == [1, "priors", 7]
    assert (one["input"]["shape"], one["input_sizes"]) == ([1, 288, 288, 3], [288])
    assert one["outputs"]["pose"] == [1, 1701, 7]


def test_files_without_a_network_end_the_command_with_a_line(
    network: nn.Module, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weights(MFN(), tmp_path / "mfn.npz")
    write_weights(network, tmp_path / "sfn.npz")
    np.savez(tmp_path / "numbers.npz", a=np.arange(3))
    (tmp_path / "text.npz").write_text("nothing of numpy's")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").write_text("nothing of torch's")
    for name, message in {
        "none.npz": r"none\.npz is missing",
        "numbers.npz": r"numbers\.npz holds no weights: a are no floating point numbers",
        "text.npz": r"text\.npz is no \.npz file of arrays",
        "run": r"checkpoint\.pt is no checkpoint of a run, or is damaged",
    }.items():
        sources = ["--mfn", str(tmp_path / "mfn.npz"), "--sfn", str(tmp_path / name)]
        monkeypatch.setattr("sys.argv", ["export", *sources, "--out", str(tmp_path / "out")])
        with pytest.raises(SystemExit, match=message):
            export_weights.main()
    sources = ["--mfn", str(tmp_path / "mfn.npz"), "--sfn", str(tmp_path / "sfn.npz")]
    calibration = ["--calibration", str(tmp_path / "none.npz")]
    monkeypatch.setattr("sys.argv", ["export", *sources, *calibration, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as raised:
        export_weights.main()
    assert raised.value.code == 1
    assert "none.npz" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
