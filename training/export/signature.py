"""What every TFLite form takes and answers: one signature, whose input is a picture and whose outputs are groups."""

from collections.abc import Iterator

import numpy as np

from training.networks.layers import ZERO_LEVEL

SIGNATURE, IMAGE = "serving_default", "image"
DARKEST, BRIGHTEST = -1.0, 127 / ZERO_LEVEL  # of a normalised picture: as int8 its scale is 1/128, its zero point 0


def normalized_pictures(pictures: np.ndarray) -> Iterator[np.ndarray]:
    """(1, S, S, 3) float32, DARKEST to BRIGHTEST, one by one, of pictures (N, S, S, 3) uint8."""
    for picture in pictures:
        yield (picture[None] - np.float32(ZERO_LEVEL)) / np.float32(ZERO_LEVEL)
