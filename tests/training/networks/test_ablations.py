"""What the ablated networks have lost, and that they keep all else."""

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from training.networks.ablations import DetectionMFN, SingleScaleMFN, SingleScaleSFN  # noqa: E402
from training.networks.mfn import MFN  # noqa: E402
from training.networks.sfn import SFN  # noqa: E402
from training.networks.variants import MULTIPLE, SINGLE  # noqa: E402

BATCH = 2
MIDDLE_ROW = (12 * 12, 12 * 12 + 6 * 6)  # of a picture of 96 pixels: priors of the middle level


def outputs_of(network: nn.Module, side: int) -> tuple[Tensor, ...]:
    picture = torch.randint(0, 256, (BATCH, 3, side, side), generator=torch.Generator().manual_seed(0)).float()
    return tuple(network(picture))


def test_the_paper_s_network_says_nothing_of_the_gaze() -> None:
    gaze = SINGLE["paper-sfn"]().eval()(torch.rand(BATCH, 3, 128, 128) * 255).gaze
    torch.testing.assert_close(torch.sigmoid(gaze), torch.full((BATCH, 8), 0.1419), rtol=0, atol=1e-3)


def seeded(network_class: type[nn.Module]) -> nn.Module:
    torch.manual_seed(3)
    return network_class()


def reaches(output: Tensor, parameters: list[nn.Parameter]) -> list[bool]:
    """Whether each parameter has a part in the output."""
    gradients = torch.autograd.grad(output.square().sum(), parameters, allow_unused=True, retain_graph=True)
    return [gradient is not None for gradient in gradients]


@pytest.mark.parametrize("variant", [*MULTIPLE, *SINGLE])
def test_every_parameter_has_a_part_in_the_outputs(variant: str) -> None:
    network = {**MULTIPLE, **SINGLE}[variant]()
    outputs = outputs_of(network, 128)
    assert all(reaches(torch.cat([output.flatten() for output in outputs]), list(network.parameters())))


@pytest.mark.parametrize("ablated", [SingleScaleMFN, DetectionMFN])
def test_what_remains_of_an_mfn_starts_from_the_same_weights(ablated: type[nn.Module]) -> None:
    before, after = seeded(MFN).state_dict(), seeded(ablated).state_dict()
    assert set(after) < set(before)
    for name, value in after.items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_a_detector_finds_what_the_whole_network_finds_and_says_nothing_of_the_face() -> None:
    whole, detector = seeded(MFN).eval(), seeded(DetectionMFN).eval()
    detection, pose, identity, expression = outputs_of(detector, 96)
    torch.testing.assert_close(detection, outputs_of(whole, 96)[0])
    assert (pose.shape, identity.shape, expression.shape) == ((BATCH, 189, 7), (BATCH, 189, 50), (BATCH, 189, 46))
    assert not pose.any()
    assert not identity.any()
    assert bool((torch.sigmoid(expression) < 0.1).all())


def test_single_scale_heads_of_a_coarse_level_do_not_read_the_finest_features() -> None:
    """The finest pyramid features come from mix3; only the bottom-up path carries them to coarser levels."""
    first, last = MIDDLE_ROW
    for network_class, carried in ((MFN, True), (SingleScaleMFN, False)):
        network = network_class()
        _, pose, identity, expression = outputs_of(network, 96)
        finest = list(network.mix3.parameters())
        gradients = [
            torch.autograd.grad(output[:, first:last].square().sum(), finest, retain_graph=True)
            for output in (pose, identity, expression)
        ]
        found = [any(bool(gradient.any()) for gradient in of_output) for of_output in gradients]
        assert found == [False, carried, carried]


def test_single_scale_crops_are_read_from_the_last_features_alone() -> None:
    """With its last stage silenced, nothing of the picture is left in the outputs."""
    for network_class, left in ((SFN, True), (SingleScaleSFN, False)):
        network = seeded(network_class).eval()
        network.get_submodule("stage5").register_forward_hook(lambda _module, _inputs, output: torch.zeros_like(output))
        apart = [bool((output[0] != output[1]).any()) for output in outputs_of(network, 128)]
        assert apart == [False, left, left, left]
