"""The networks by name: what --variant of the training and export commands chooses from."""

from collections.abc import Callable
from functools import partial

from training.networks.ablations import DetectionMFN, SingleScaleMFN, SingleScaleSFN
from training.networks.mfn import MFN
from training.networks.outputs import MultipleFaceNetwork, SingleFaceNetwork
from training.networks.paper import PaperMFN, PaperSFN
from training.networks.sfn import SFN, SMALL

MULTIPLE: dict[str, Callable[[], MultipleFaceNetwork]] = {
    "mfn": MFN,
    "paper-mfn": PaperMFN,
    "single-scale-mfn": SingleScaleMFN,
    "detection-mfn": DetectionMFN,
}
SINGLE: dict[str, Callable[[], SingleFaceNetwork]] = {
    "sfn": SFN,
    "small-sfn": partial(SFN, SMALL),
    "paper-sfn": PaperSFN,
    "single-scale-sfn": SingleScaleSFN,
}
DETECTORS = ("detection-mfn",)  # say nothing of pose, identity and expression, and are not trained to
