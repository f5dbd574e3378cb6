"""The arrangement for phones is the same function of normalised pictures."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from tests.training.export.conftest import livened, noise  # noqa: E402
from tests.training.export.tiny import TinyMFN, TinySFN  # noqa: E402
from training.export.channels_last import ChannelsLast, convolve_whole_maps  # noqa: E402
from training.export.inference_graph import InferenceGraph  # noqa: E402
from training.export.onnx_float import OUTPUTS  # noqa: E402
from training.networks.outputs import FaceNetwork  # noqa: E402
from training.networks.sfn import Regressor  # noqa: E402


@pytest.mark.parametrize(("kind", "tiny"), [("mfn", TinyMFN), ("sfn", TinySFN)])
def test_it_answers_normalised_pictures_as_the_network_does_plain_ones(kind: str, tiny: type[FaceNetwork]) -> None:
    torch.manual_seed(0)
    network = livened(tiny())
    pictures = noise(network.input_size)
    inference_graph = InferenceGraph(network, OUTPUTS[kind], pictures)
    plain = torch.from_numpy(pictures[:1])
    with torch.inference_mode():
        expected = inference_graph(plain)
        found = ChannelsLast(inference_graph).eval()((plain.float() - 128) / 128)
    assert list(found) == list(OUTPUTS[kind])
    for ours, theirs in zip(found.values(), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_a_convolution_as_large_as_the_maps_is_the_linear_layer() -> None:
    torch.manual_seed(0)
    regressor, maps = Regressor(5, 7, cell=24, units=64).eval(), torch.randn(2, 5, 4, 4)
    with torch.inference_mode():
        expected = regressor(maps)
        convolve_whole_maps(regressor)
        torch.testing.assert_close(regressor(maps), expected, rtol=1e-5, atol=1e-5)
    assert not any(isinstance(layer, nn.Linear) for layer in regressor.body)


def test_a_regressor_of_other_layers_is_refused() -> None:
    regressor = Regressor(5, 7, cell=24, units=64)
    regressor.body = nn.Sequential(regressor.body[0], nn.AvgPool2d(4), nn.Linear(24, 64), nn.ReLU())
    with pytest.raises(ValueError, match=r"made of Sequential, AvgPool2d, Linear, ReLU; .* were expected"):
        convolve_whole_maps(regressor)
