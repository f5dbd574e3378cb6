"""VRM's presets of vowels and blinks, derived from ARKit's weights: for avatars without ARKit's 52.

VRM's moods (Joy, Angry, Sorrow, Fun) are left to the avatar's program: they shape the whole face, eyes included, and
would add up with the blinks.
"""

from typing import Final

import numpy as np

from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Array

PRESETS: Final = ("A", "I", "U", "E", "O", "Blink_L", "Blink_R")  # VRM 0's spelling, which the VMC protocol uses


def presets(blendshapes: Array) -> Array:
    """Weights (..., 7) in the order of PRESETS, of ARKit's weights (..., 52) in the order of ARKIT_NAMES.

    The lips of an open mouth are round (O), wide (E) or neither (A), those of a closed one round (U), wide (I) or at
    rest. So the vowels' sum is 1 at most, and no avatar's mouth opens twice.
    """

    def of(name: str) -> Array:
        return blendshapes[..., ARKIT_NAMES.index(name)]

    opened = np.clip(of("jawOpen") - of("mouthClose"), 0, 1)  # mouthClose closes the lips of an open jaw
    rounded = np.maximum(of("mouthFunnel"), of("mouthPucker"))
    widened = (of("mouthStretchLeft") + of("mouthStretchRight")) / 2 * (1 - rounded)
    neither = 1 - rounded - widened
    closed = 1 - opened
    vowels = (opened * neither, closed * widened, closed * rounded, opened * widened, opened * rounded)
    return np.stack([*vowels, of("eyeBlinkLeft"), of("eyeBlinkRight")], axis=-1)
