"""Weights as they are published: rounded, small, the same bytes each time, and good to go on from."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from training.export import write_weights  # noqa: E402
from training.forms.rounding import HALF_BITS, round_weights  # noqa: E402
from training.loop import load_weights  # noqa: E402
from training.networks import SFN  # noqa: E402


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(4)
    network = SFN()
    network(torch.rand(2, 3, 128, 128) * 255)  # moves the statistics
    round_weights(network, HALF_BITS)
    return network.eval()


def test_they_load_into_the_same_network(network: torch.nn.Module, tmp_path: Path) -> None:
    path, other = tmp_path / "weights.npz", SFN()
    write_weights(network, path)
    load_weights(other, path)
    for name, value in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert other.state_dict()[name].dtype == torch.float32
            torch.testing.assert_close(other.state_dict()[name], value, rtol=0, atol=0)


def test_weights_take_two_bytes_at_most_and_statistics_keep_their_digits(
    network: torch.nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / "weights.npz"
    write_weights(network, path)
    numbers = sum(value.numel() for value in network.state_dict().values())
    assert path.stat().st_size < 2 * numbers
    with np.load(path) as arrays:
        assert {arrays[name].dtype for name in arrays if arrays[name].ndim > 1} == {np.dtype(np.float16)}
        assert arrays["stem.patches.1.running_mean"].dtype == np.float32


def test_the_same_weights_give_the_same_bytes(network: torch.nn.Module, tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_weights(network, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
