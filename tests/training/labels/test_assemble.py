"""Teacher's blendshapes as labels."""

import numpy as np

from training.data.faces import GAZE_NAMES
from training.labels.assemble import BLENDSHAPES, MOST_GAZE_DIFFERENCE, gaze_of


def test_gaze_is_the_mean_of_both_views_in_its_own_order() -> None:
    blendshapes = np.zeros((1, 2, 52), np.float16)
    blendshapes[0, :, BLENDSHAPES.index("eyeLookOutRight")] = [0.25, 0.5]
    gaze = gaze_of(blendshapes)
    assert gaze.dtype == np.float32
    assert dict(zip(GAZE_NAMES, gaze[0], strict=True)) == dict.fromkeys(GAZE_NAMES, 0) | {"eyeLookOutRight": 0.375}


def test_views_that_disagree_tell_nothing() -> None:
    blendshapes = np.zeros((2, 2, 52))
    look = [BLENDSHAPES.index(name) for name in GAZE_NAMES]
    blendshapes[0, 0, look] = MOST_GAZE_DIFFERENCE - 0.01
    blendshapes[1, 0, look] = MOST_GAZE_DIFFERENCE + 0.01
    assert np.isfinite(gaze_of(blendshapes)).all(1).tolist() == [True, False]
