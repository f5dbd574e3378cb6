"""The published arrangement is the same function."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from tests.training.forms.conftest import noise  # noqa: E402
from training.forms.deployed import Deployed, in_quads  # noqa: E402
from training.forms.onnx_float import OUTPUTS  # noqa: E402


def test_quads_are_four_pixels_side_by_side() -> None:
    conv = nn.Conv2d(3, 2, 4, 4, bias=True)
    picture = torch.randn(1, 8, 12, 3)
    expected = conv(picture.permute(0, 3, 1, 2))
    found = in_quads(conv)(picture.reshape(1, 8, 3, 12).permute(0, 3, 1, 2))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", ["mfn", "sfn"])
def test_it_answers_as_the_network_does(kind: str, request: pytest.FixtureRequest) -> None:
    network = request.getfixturevalue(kind)
    pictures = noise(network.input_size)
    deployed = Deployed(network, OUTPUTS[kind], pictures)
    with torch.inference_mode():
        expected = network(torch.from_numpy(pictures[:1]).permute(0, 3, 1, 2).float())
        found = deployed(torch.from_numpy(pictures[:1]))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_columns_in_units_leave_headroom_in_one_range(mfn: nn.Module) -> None:
    pictures = noise(mfn.input_size)
    deployed = Deployed(mfn, OUTPUTS["mfn"], pictures)
    quads = torch.from_numpy(pictures).reshape(len(pictures), 288, 72, 12).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        detection, pose, *_ = deployed.network(quads)
        logit = mfn(torch.from_numpy(pictures).permute(0, 3, 1, 2).float()).detection[..., 4]
    faces = logit > -2  # a score above 0.12
    assert faces.sum() > 16
    for columns in (detection[faces][:, :4], pose[faces]):
        np.testing.assert_allclose(columns.abs().amax(0), 1 / 1.3, rtol=1e-3)
    torch.testing.assert_close(detection[..., 4] * 6, logit, rtol=1e-3, atol=1e-3)
    assert deployed.units[2:] == (None, None)


def test_the_network_itself_is_left_alone(sfn: nn.Module) -> None:
    before = {name: value.clone() for name, value in sfn.state_dict().items()}
    Deployed(sfn, OUTPUTS["sfn"], noise(sfn.input_size))
    for name, value in sfn.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
