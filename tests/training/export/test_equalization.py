"""Channels with ranges made alike, and a function that stays as it was."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from training.export.equalization import column_maxima, equalization_pairs, equalize, largest_values  # noqa: E402
from training.export.inference_graph import fold_batch_norms  # noqa: E402
from training.networks.mfn import MFN  # noqa: E402
from training.networks.sfn import SFN  # noqa: E402


def folded(network_class: type[nn.Module]) -> nn.Module:
    """A network whose channels reach very different values."""
    torch.manual_seed(4)
    network = network_class().eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.bias, std=0.1)
            layer.weight.data = torch.exp(torch.randn(layer.weight.shape))
    fold_batch_norms(network)
    return network


def pictures(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)


@pytest.mark.parametrize("network_class", [MFN, SFN])
def test_the_network_says_what_it_said(network_class: type[nn.Module]) -> None:
    network = folded(network_class)
    batch = torch.from_numpy(pictures(128)).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        before = network(batch)
        equalize(network, pictures(128))
        for old, new in zip(before, network(batch), strict=True):
            torch.testing.assert_close(new, old, rtol=1e-3, atol=1e-3 * float(old.abs().max()))


def test_the_largest_value_of_a_channel_is_that_of_the_weights_that_read_it() -> None:
    network = folded(MFN)
    equalize(network, pictures(96))
    scaled = dict(
        equalization_pairs(network)
    )  # rows of a reader that is read in turn have got scales of their own since
    pairs = [(first, readers) for first, readers in scaled.items() if not scaled.keys() & set(readers)]
    assert len(pairs) > 10
    for (_, readers), value in zip(pairs, largest_values(network, [f for f, _ in pairs], pictures(96)), strict=True):
        weight = torch.stack([column_maxima(reader) for reader in readers]).amax(0)
        alive = value > 1e-3
        torch.testing.assert_close(value[alive], weight[alive], rtol=1e-2, atol=1e-4)


def test_shared_layers_are_read_by_two_groups_and_bottlenecks_by_their_second_layer() -> None:
    network = folded(MFN)
    names = {module: name for name, module in network.named_modules()}
    pairs = {names[first]: [names[reader] for reader in readers] for first, readers in equalization_pairs(network)}
    assert pairs["place.0.1.0"] == ["detection.0.last", "pose.0.last"]
    assert pairs["shape.2.0"] == ["identity.2.last", "expression.2.last"]
    assert pairs["mix4.body.0.0"] == ["mix4.body.1.0"]
    assert "stage4.0.0" not in pairs  # the bottleneck behind it adds to it, too
