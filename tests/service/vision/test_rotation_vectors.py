import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from service.vision.rotation import multiply
from service.vision.rotation_vectors import inverse, rotation_of, rotation_vector

angles = st.floats(-179, 179)


@given(angles, angles, angles)
def test_as_in_scipy(a: float, b: float, c: float) -> None:
    rotation = Rotation.from_euler("xyz", [a, b, c], degrees=True)
    vector = rotation_vector(rotation.as_quat())
    np.testing.assert_allclose(rotation_of(vector), rotation.as_quat(canonical=True), atol=1e-7)
    np.testing.assert_allclose(Rotation.from_rotvec(vector).as_matrix(), rotation.as_matrix(), atol=1e-7)
    np.testing.assert_allclose(rotation_vector(-rotation.as_quat()), vector, atol=1e-7)
    np.testing.assert_allclose(multiply(inverse(rotation.as_quat()), rotation.as_quat()), [0, 0, 0, 1], atol=1e-12)


def test_small_steps_keep_their_digits() -> None:
    vector = np.array([[1e-9, -2e-9, 0], [0, 0, 0], [0, 3e-14, 0]])
    np.testing.assert_allclose(rotation_vector(rotation_of(vector)), vector, rtol=1e-9, atol=0)
