"""Untrained networks whose outputs move, and noise to calibrate them on."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")


from training.networks.mfn import MFN  # noqa: E402
from training.networks.outputs import FaceNetwork  # noqa: E402
from training.networks.sfn import SFN, SMALL  # noqa: E402

PICTURES = 4
torch.set_num_threads(1)


def livened(network: FaceNetwork) -> FaceNetwork:
    """The network with last layers that answer in units and normalisations that have seen something."""
    generator = torch.Generator().manual_seed(0)
    side = network.input_size
    with torch.no_grad():
        for name, module in network.named_modules():
            if name.endswith("last"):
                module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * 0.2)
                module.bias.zero_()  # the prior of scores would leave no face
        network.train()
        network(torch.rand(4, 3, side, side, generator=generator) * 255)
    network.eval()
    return network


@pytest.fixture(scope="session")
def sfn() -> FaceNetwork:
    torch.manual_seed(1)
    return livened(SFN(SMALL))  # the same layers; untrained, each more of them makes rounding errors larger


@pytest.fixture(scope="session")
def mfn() -> FaceNetwork:
    torch.manual_seed(2)
    return livened(MFN())


def noise(side: int) -> np.ndarray:
    """(PICTURES, side, side, 3) uint8: blocks of all sizes, since a network sees nothing in even noise."""
    rng = np.random.default_rng(3)
    pictures = np.zeros((PICTURES, side, side, 3), np.float32)
    for cells in (4, 16, side // 2):
        blocks = rng.uniform(0, 85, (PICTURES, cells, cells, 3))
        pictures += blocks.repeat(side // cells, axis=1).repeat(side // cells, axis=2)
    return pictures.astype(np.uint8)
