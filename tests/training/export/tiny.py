"""The parts of both networks in small ones: every kind of layer that the forms treat, converted in a few seconds."""

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from training.networks.layers import Down, Stem, normalized, upsample  # noqa: E402
from training.networks.mfn import Head  # noqa: E402
from training.networks.outputs import (  # noqa: E402
    COLUMNS,
    DETECTION,
    EXPRESSIONS,
    IDENTITY,
    POSE,
    CropOutputs,
    Level,
    MultipleFaceNetwork,
    Outputs,
    SingleFaceNetwork,
)
from training.networks.sfn import Regressor  # noqa: E402


class TinyMFN(MultipleFaceNetwork):
    """Two levels of 8 x 8 and 4 x 4 cells on 32 x 32 pixels: 80 priors."""

    input_size, input_sizes = 32, (32,)
    levels = (Level(4, ((6, 6),)), Level(8, ((12, 10),)))

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.down = Stem(8), Down(8, 8, 8)
        self.detection = nn.ModuleList(Head(8, 1, DETECTION) for _ in self.levels)
        self.pose = nn.ModuleList(Head(8, 1, POSE) for _ in self.levels)
        self.identity = nn.ModuleList(Head(8, 1, IDENTITY) for _ in self.levels)
        self.expression = nn.ModuleList(Head(8, 1, EXPRESSIONS) for _ in self.levels)

    def forward(self, picture: Tensor) -> Outputs:
        fine = self.stem(normalized(picture))
        coarse = self.down(fine)
        maps = (fine + upsample(coarse), coarse)
        groups = (self.detection, self.pose, self.identity, self.expression)
        return Outputs(*(torch.cat([head(x) for head, x in zip(heads, maps, strict=True)], dim=1) for heads in groups))


class TinySFN(SingleFaceNetwork):
    """Four regressors on 4 x 4 maps of 16 x 16 pixels."""

    input_size, input_sizes = 16, (16,)

    def __init__(self) -> None:
        super().__init__()
        self.stem = Stem(8)
        self.pose, self.identity, self.expression, self.gaze = (
            Regressor(8, COLUMNS[name], cell=24, units=64) for name in CropOutputs._fields
        )

    def forward(self, crop: Tensor) -> CropOutputs:
        x = self.stem(normalized(crop))
        return CropOutputs(self.pose(x), self.identity(x), self.expression(x), self.gaze(x))
