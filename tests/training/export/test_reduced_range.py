"""Weights of 7 bits: sums of two products never leave 16 bits, and the networks answer nearly as before."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from tests.training.export.conftest import noise  # noqa: E402
from training.export.agreement import TorchNetwork, differences  # noqa: E402
from training.export.inference_graph import InferenceGraph  # noqa: E402
from training.export.onnx_float import OUTPUTS  # noqa: E402
from training.export.reduced_range import STEPS, reduce_range  # noqa: E402


def test_two_products_fit_into_16_bits() -> None:
    assert 2 * 255 * STEPS <= 32_767 < 2 * 255 * (STEPS + 1)


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
def test_every_convolution_is_on_its_grid_and_answers_stay(kind: str, request: pytest.FixtureRequest) -> None:
    network, pictures = request.getfixturevalue(kind), noise(request.getfixturevalue(kind).input_size)
    exact = TorchNetwork(InferenceGraph(network, OUTPUTS[kind], pictures, bits=None), OUTPUTS[kind])
    reduced = InferenceGraph(network, OUTPUTS[kind], pictures, bits=None)
    reduce_range(reduced, pictures)
    for layer in reduced.modules():
        if isinstance(layer, nn.Conv2d):
            rows = layer.weight.detach().flatten(1).double().numpy()
            in_steps = rows / np.abs(rows).max(axis=1, keepdims=True) * STEPS
            np.testing.assert_allclose(in_steps, np.rint(in_steps), atol=1e-4)
    apart = differences(exact, TorchNetwork(reduced, OUTPUTS[kind]), pictures)
    assert max(apart.values()) < 0.25
