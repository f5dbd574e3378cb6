"""Offline smoothing without delay: an adaptive Wiener filter over the frames before and after each.

Every quantity is the sum of its local mean, under a Gaussian, and what deviates from it. The deviation is multiplied by
the part of its local variance that the noise does not explain (Lee, "Digital Image Enhancement and Noise Filtering by
Use of Local Statistics", IEEE Transactions on Pattern Analysis and Machine Intelligence 2, 1980): a face at rest keeps
nothing of its noise, and a blink all of its height. The Gaussian is symmetric, so a peak stays in its frame.

The noise is measured where it is, from second differences, which barely see motion; a percentile of those of two
seconds does not see a blink. Networks' noise has outliers, single frames that stand out of the rest: what second
differences around a frame show beyond those of motion counts as noise too, up to a bound. The components of a box, an
origin and a rotation share their noise and their variance, so that a box keeps its shape and a path stays straight.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.blocks import blocks
from service.cli.capture.curves import BOX, EXPRESSION, GAZE, LOG_SCALE, ORIGIN, QUATERNION, Curves
from service.vision.arrays import Array

Values = NDArray[np.float64]

SIGMA_SECONDS: Final = 0.12  # of the Gaussian: at 30 fps the noise of the mean of 13 frames
BLOCK_SECONDS: Final = 30  # that are smoothed at a time
REACH: Final = 3.0  # standard deviations at which the Gaussian is cut off
# Times its expected variance that noise may seem to have: under the Gaussian it is estimated from 13 frames, and has
# heavier tails than a normal distribution. Below three, the gaze of a still face is not steady.
NOISE_FACTOR: Final = 3.0
NOISE_SECONDS: Final = 2.0  # that the noise is measured in, around each second
# Of the second differences around a frame, the noise's are the lower four fifths: a blink takes less than one. The
# median would miss noise that is quiet at times, as that of coefficients near 0.
NOISE_PERCENTILE: Final = 80.0
NORMAL_PERCENTILE: Final = 1.2816  # of absolute values of a normal distribution, in standard deviations
SECOND_DIFFERENCE: Final = 6.0  # variance of a - 2 b + c, in variances of each
# Second differences of motion as quick as a blink explain a third of its variance: half of what they leave.
OF_MOTION: Final = 0.5
# Times its variance that noise may have around an outlier. A blink of one frame stands out by more than that hides.
OUTLIER_FACTOR: Final = 2.0
# Changes below these are noise, however regular: compressed films hold still for some frames, then jump a little.
LEAST_COEFFICIENT_NOISE: Final = 0.002
GROUPS: Final = (  # columns that share their variance, and their least noise
    (BOX, 0.3),  # pixels
    (ORIGIN, 0.1),  # pixels
    (LOG_SCALE, 0.001),
    (QUATERNION, 0.0005),  # 0.06 degrees
    *((slice(i, i + 1), LEAST_COEFFICIENT_NOISE) for i in range(EXPRESSION.start, GAZE.stop)),
)


def smoothed(curves: Curves, rate: float) -> Curves:
    """The curves, each run of known frames smoothed by itself. rate: frames a second."""
    values = np.full_like(curves.values, np.nan)
    for span in curves.spans():
        smooth_span(curves.values[span], rate, values[span])
    return replace(curves, values=values)


def smooth_span(values: Array, rate: float, smooth: Array) -> None:
    """Smooths values (N, 67), see service.cli.capture.curves, into `smooth` (N, 67). A column is known throughout, or
    NaN, which stays."""
    if len(values) < 3:
        smooth[:] = values
        return
    # The noise is measured a second apart: blocks begin where it is, and see as far around them as their result does.
    hop, reach = max(1, round(rate)), 2 * len(gaussian(SIGMA_SECONDS * rate)) + round(NOISE_SECONDS * rate)
    margin = -(-reach // hop) * hop
    for block in blocks(len(values), BLOCK_SECONDS * hop):
        start = max(block.start - margin, 0)
        around = _smoothed(values[start : block.stop + margin].astype(np.float64), rate)
        smooth[block] = around[block.start - start :][: block.stop - block.start]


def _smoothed(values: Values, rate: float) -> Values:
    weights = gaussian(SIGMA_SECONDS * rate)
    mean = averaged(values, weights)
    deviation = values - mean
    variance = averaged(deviation**2, weights, odd=False)
    noise = noise_variance(values, rate)
    sudden = averaged(second_differences(values) ** 2 / SECOND_DIFFERENCE, weights, odd=False)
    outlying = sudden - OF_MOTION * (variance - sudden)
    result = values.copy()
    for columns, least in GROUPS:
        usual = np.maximum(noise[:, columns], least**2)
        explained = np.clip(outlying[:, columns], usual, OUTLIER_FACTOR * usual).sum(axis=1)
        kept = np.clip(1 - NOISE_FACTOR * explained / np.maximum(variance[:, columns].sum(axis=1), 1e-12), 0, 1)
        result[:, columns] = mean[:, columns] + kept[:, None] * deviation[:, columns]
    return result


def gaussian(sigma: float) -> Values:
    """The weights of a Gaussian, an odd number of them. sigma: standard deviation in frames."""
    steps = np.arange(-np.ceil(REACH * sigma), np.ceil(REACH * sigma) + 1)
    weights = np.exp(-0.5 * (steps / max(sigma, 1e-3)) ** 2)
    normalized: Values = weights / weights.sum()
    return normalized


def averaged(values: Values, weights: Values, odd: bool = True) -> Values:
    """Weighted means around each row of values (N, C). odd: whether values go on past both ends as they came there, so
    that an even motion stays even up to its end; otherwise they are mirrored."""
    radius = len(weights) // 2
    padded = np.pad(values, ((radius, radius), (0, 0)), mode="reflect", reflect_type="odd" if odd else "even")
    total = np.zeros_like(values)
    for offset, weight in enumerate(weights):
        total += weight * padded[offset : offset + len(values)]
    return total


def second_differences(values: Values) -> Values:
    """Those around each row of values (N, C), 0 at both ends."""
    return np.pad(np.diff(values, n=2, axis=0), ((1, 1), (0, 0)))


def noise_variance(values: Values, rate: float) -> Values:
    """The noise's variance around each row of values (N, C), N >= 3, from its second differences."""
    size = np.abs(np.diff(values, n=2, axis=0))
    half, hop = max(1, round(NOISE_SECONDS / 2 * rate)), max(1, round(rate))
    windows = [_around(size, centre - 1, half) for centre in range(0, len(values) + hop, hop)]
    sizes = np.stack([np.percentile(window, NOISE_PERCENTILE, axis=0) for window in windows])
    variance = (sizes / NORMAL_PERCENTILE) ** 2 / SECOND_DIFFERENCE
    # Between two measurements it changes evenly.
    place = np.arange(len(values)) / hop
    low = place.astype(int)
    between: Values = variance[low] + (place - low)[:, None] * (variance[low + 1] - variance[low])
    return between


def _around(rows: Values, centre: int, half: int) -> Values:
    """Up to half rows to each side of a centre, and as many in all where that is near an end."""
    start = min(max(centre - half, 0), max(len(rows) - 2 * half, 0))
    return rows[start : start + 2 * half]
