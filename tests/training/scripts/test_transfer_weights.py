"""What a changed network takes over from an earlier one's weights."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.networks.mfn import MFN  # noqa: E402
from training.networks.sfn import SFN, SMALL  # noqa: E402
from training.scripts import transfer_weights  # noqa: E402


def test_a_wider_layer_says_about_what_the_narrow_one_said() -> None:
    generator = torch.Generator().manual_seed(0)
    narrow, wide = torch.nn.Linear(8, 4), torch.nn.Linear(12, 6)
    grown = transfer_weights.widened(narrow.weight.detach(), wide.weight.detach())
    assert grown is not None
    x = torch.randn(50, 12, generator=generator)
    said, meant = (x @ grown.T)[:, :4], x[:, :8] @ narrow.weight.T
    assert float((said - meant).detach().std()) < 0.2 * float(meant.detach().std())
    torch.testing.assert_close(grown[4:, :8], wide.weight[4:, :8])


@pytest.mark.parametrize("shape", [(3, 12), (6, 4), (6, 12, 3, 3)])
def test_what_does_not_fit_is_left_out(shape: tuple[int, ...]) -> None:
    assert transfer_weights.widened(torch.zeros(6, 12), torch.zeros(shape)) is None


def test_kernels_of_another_size_are_left_out() -> None:
    assert transfer_weights.widened(torch.zeros(6, 12, 1, 1), torch.zeros(6, 12, 3, 3)) is None


def test_a_group_s_look_becomes_that_of_its_neighbours() -> None:
    assert transfer_weights.renamed("detection.2.body.0.1.weight") == "place.2.0.1.weight"
    assert transfer_weights.renamed("expression.0.body.1.0.weight") == "shape.0.1.0.weight"
    assert transfer_weights.renamed("stage3.0.0.weight") == "stage3.0.0.weight"


def test_an_unchanged_network_is_taken_over_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(5)
    state = {name: value.numpy() for name, value in SFN().state_dict().items() if value.is_floating_point()}
    np.savez(tmp_path / "old.npz", **state)
    monkeypatch.setattr(
        "sys.argv", ["transfer_weights", str(tmp_path / "old.npz"), str(tmp_path / "new.npz"), "--kind", "sfn"]
    )
    transfer_weights.main()
    with np.load(tmp_path / "new.npz") as new:
        assert set(new.files) == set(state)
        for name, value in state.items():
            np.testing.assert_array_equal(new[name], value)


def test_an_mfn_of_the_same_layout_keeps_every_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(6)
    state = {name: value.numpy() for name, value in MFN().state_dict().items() if value.is_floating_point()}
    np.savez(tmp_path / "old.npz", **state)
    monkeypatch.setattr(
        "sys.argv", ["transfer_weights", str(tmp_path / "old.npz"), str(tmp_path / "new.npz"), "--kind", "mfn"]
    )
    transfer_weights.main()
    with np.load(tmp_path / "new.npz") as new:
        for name, value in state.items():
            np.testing.assert_array_equal(new[name], value)


def test_a_wide_sfn_starts_from_a_small_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {name: value.numpy() for name, value in SFN(SMALL).state_dict().items() if value.is_floating_point()}
    np.savez(tmp_path / "old.npz", **small)
    monkeypatch.setattr(
        "sys.argv", ["transfer_weights", str(tmp_path / "old.npz"), str(tmp_path / "new.npz"), "--kind", "sfn"]
    )
    transfer_weights.main()
    with np.load(tmp_path / "new.npz") as new:
        assert set(new.files) > set(small)
        np.testing.assert_array_equal(new["gaze.last.weight"][:, :64], small["gaze.last.weight"])
