"""The published face model is what its source and the chosen vertices make."""

from pathlib import Path

import numpy as np
import pytest

from service.vision.face_model import FaceModel
from training.face_model.ict_facekit import JAW_VERTICES, read_source

PUBLISHED = Path("models/face_model.npz")
SOURCE = Path("../shared/ict_facekit.npz")
INNER = slice(17, 68)


@pytest.mark.skipif(not SOURCE.exists(), reason="ict_facekit.npz is not at hand")
def test_the_published_landmarks_are_the_vertices_of_the_source() -> None:
    source, published = read_source(SOURCE), FaceModel.load(PUBLISHED).landmarks
    vertices = np.array([*JAW_VERTICES, *source.landmarks[INNER]])
    np.testing.assert_array_equal(published.mean, source.shape.mean[vertices])
    np.testing.assert_array_equal(published.identity, source.shape.identity[:, vertices])
    np.testing.assert_array_equal(published.expression, source.shape.expression[:, vertices])


def test_the_published_jaw_is_symmetric_and_reaches_back_to_the_ears() -> None:
    jaw = FaceModel.load(PUBLISHED).landmarks.mean[:17]
    np.testing.assert_allclose(jaw[::-1] * [-1, 1, 1], jaw, atol=0.15)  # cm; the mean is a mirror image to 2 %
    depth = jaw[:, 2]
    assert (np.diff(depth[:9]) > 0).all()  # from the ear to the chin it comes forward
    assert depth[8] - depth[0] > 7
