"""The default networks with a part taken away, for the paper's ablations (tables 2, 3 and 5).

An ablated MFN is built whole and then loses the part: for one seed what remains starts from MFN's weights.
"""

from torch import Tensor

from training.networks.mfn import MFN, Pyramid, apply_levelwise, concatenate_heads
from training.networks.outputs import EXPRESSION_PRIOR, EXPRESSIONS, IDENTITY, POSE, Outputs
from training.networks.sfn import SFN, Widths


class SingleScaleMFN(MFN):
    """MFN without the bottom-up path: at each level identity and expression read the features that pose reads."""

    def __init__(self) -> None:
        super().__init__()
        del self.up4, self.up5, self.blend4, self.blend5

    def bottom_up(self, p3: Tensor, p4: Tensor, p5: Tensor) -> Pyramid:
        """The pyramid as it is."""
        return p3, p4, p5


class DetectionMFN(SingleScaleMFN):
    """MFN that finds faces alone. Of every face it says what an untrained MFN says, so that it exports and is measured
    alike: no rotation, the prior's place and size, the mean face."""

    input_sizes = (MFN.input_size,)  # what it says of every face is a constant of as many rows as there are priors

    def __init__(self) -> None:
        super().__init__()
        del self.pose, self.shape, self.identity, self.expression

    def forward(self, picture: Tensor) -> Outputs:
        """Raw outputs of pictures (B, 3, H, W) in 0..255; all but the detection are constant."""
        detection = concatenate_heads(self.detection, apply_levelwise(self.place, self.top_down(picture)))
        rows = detection.shape[:2]
        return Outputs(
            detection=detection,
            pose=detection.new_zeros(*rows, POSE),
            identity=detection.new_zeros(*rows, IDENTITY),
            expression=detection.new_full((*rows, EXPRESSIONS), EXPRESSION_PRIOR),
        )


class SingleScaleSFN(SFN):
    """SFN without the branches: identity, expression and gaze read the last features, as pose does."""

    def __init__(self) -> None:
        super().__init__()
        del self.branch3, self.branch4

    @staticmethod
    def multi_scale_channels(widths: Widths) -> int:
        """How many channels the last features have."""
        return widths.coarse

    def multi_scale(self, c3: Tensor, c4: Tensor, c5: Tensor) -> Tensor:  # noqa: ARG002
        """The last features alone."""
        return c5
