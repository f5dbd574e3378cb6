"""The shapes that the networks promise, and what they say before they have learned anything."""

import pytest

torch = pytest.importorskip("torch")

from training.networks.sfn import SFN, SMALL, WIDE, Widths  # noqa: E402


@pytest.mark.parametrize(("widths", "parameters"), [(WIDE, 1.36e6), (SMALL, 0.516e6)])
def test_an_untrained_sfn_sees_a_mean_face_that_looks_ahead(widths: Widths, parameters: float) -> None:
    torch.manual_seed(0)
    network = SFN(widths)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(parameters, rel=0.02)
    output = network(torch.rand(2, 3, 128, 128) * 255)
    assert {name: tuple(value.shape) for name, value in output._asdict().items()} == {
        "pose": (2, 7),
        "identity": (2, 50),
        "expression": (2, 46),
        "gaze": (2, 8),
    }
    assert float(output.pose.detach().abs().max()) < 0.5
    assert float(output.identity.detach().abs().max()) < 0.5
    torch.testing.assert_close(torch.sigmoid(output.expression.detach()), torch.full((2, 46), 0.08), rtol=0, atol=0.05)
    torch.testing.assert_close(torch.sigmoid(output.gaze.detach()), torch.full((2, 8), 0.14), rtol=0, atol=0.05)
