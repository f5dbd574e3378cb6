"""The inference graph is the same function, but for the rounding of weights, which costs it little."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from tests.training.export.conftest import noise  # noqa: E402
from training.export.agreement import INFERENCE_GRAPH, MOST_APART, TorchNetwork, differences, require_agreement  # noqa: E402
from training.export.inference_graph import InferenceGraph, fold_batch_norms, space_to_depth  # noqa: E402
from training.export.onnx_float import OUTPUTS, Bytes  # noqa: E402
from training.export.rounding import SIGNIFICANT_BITS  # noqa: E402
from training.networks.outputs import FaceNetwork  # noqa: E402

ALL_BITS = 24  # of float32


def test_quads_are_four_pixels_side_by_side() -> None:
    conv = nn.Conv2d(3, 2, 4, 4, bias=True)
    picture = torch.randn(1, 8, 12, 3)
    expected = conv(picture.permute(0, 3, 1, 2))
    found = space_to_depth(conv)(picture.reshape(1, 8, 3, 12).permute(0, 3, 1, 2))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
def test_it_answers_as_the_network_does(kind: str, request: pytest.FixtureRequest) -> None:
    network = request.getfixturevalue(kind)
    pictures = noise(network.input_size)
    inference_graph = InferenceGraph(network, OUTPUTS[kind], pictures, bits=None)
    with torch.inference_mode():
        expected = network(torch.from_numpy(pictures[:1]).permute(0, 3, 1, 2).float())
        found = inference_graph(torch.from_numpy(pictures[:1]))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
def test_rounding_takes_a_small_share_of_what_outputs_tell(kind: str, request: pytest.FixtureRequest) -> None:
    network = request.getfixturevalue(kind)
    pictures = noise(network.input_size)
    exact = TorchNetwork(Bytes(network), OUTPUTS[kind])
    coarse = TorchNetwork(InferenceGraph(network, OUTPUTS[kind], pictures), OUTPUTS[kind])
    apart = differences(exact, coarse, pictures)
    assert apart.pop("gaze", 0.0) < 0.1  # of an untrained network its eight columns vary least
    assert 1e-4 < min(apart.values()) <= max(apart.values()) <= MOST_APART[INFERENCE_GRAPH]
    with pytest.raises(ValueError, match="standard deviations from the network"):
        require_agreement(
            exact,
            TorchNetwork(InferenceGraph(network, OUTPUTS[kind], pictures, 2), OUTPUTS[kind]),
            pictures,
            INFERENCE_GRAPH,
        )


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
def test_weights_end_in_zeros_and_no_normalisation_is_left(kind: str, request: pytest.FixtureRequest) -> None:
    network = request.getfixturevalue(kind)
    inference_graph = InferenceGraph(network, OUTPUTS[kind], noise(network.input_size))
    layers = list(inference_graph.modules())
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in layers)
    weights = [layer.weight for layer in layers if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(weights) > 30
    unused = ALL_BITS - SIGNIFICANT_BITS
    for weight in weights:
        assert not (weight.view(torch.int32) & (2**unused - 1)).any()


def test_a_normalisation_without_a_convolution_before_it_stays() -> None:
    layers = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.BatchNorm2d(3)).eval()
    fold_batch_norms(layers)
    assert [type(layer) for layer in layers] == [nn.Conv2d, nn.ReLU, nn.BatchNorm2d]


def test_scaled_columns_leave_a_margin_in_one_range(mfn: FaceNetwork) -> None:
    pictures = noise(mfn.input_size)
    inference_graph = InferenceGraph(mfn, OUTPUTS["mfn"], pictures, bits=None)
    quads = torch.from_numpy(pictures).reshape(len(pictures), 288, 72, 12).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        detection, pose, *_ = inference_graph.network(quads)
        logit = mfn(torch.from_numpy(pictures).permute(0, 3, 1, 2).float()).detection[..., 4]
    faces = logit > -2  # a score above 0.12
    assert faces.sum() > 16
    for columns in (detection[faces][:, :4], pose[faces]):
        np.testing.assert_allclose(columns.abs().amax(0), 1 / 1.3, rtol=1e-3)
    torch.testing.assert_close(detection[..., 4] * 6, logit, rtol=1e-3, atol=1e-3)
    assert inference_graph.output_scales[2:] == (None, None)


def test_the_network_itself_is_left_alone(sfn: FaceNetwork) -> None:
    before = {name: value.clone() for name, value in sfn.state_dict().items()}
    InferenceGraph(sfn, OUTPUTS["sfn"], noise(sfn.input_size))
    for name, value in sfn.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
