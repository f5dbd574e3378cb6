import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from service.cli.avatar.neck import NECK_SHARE, neck_and_head


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.48, -0.6, 0.64)])
def test_the_neck_goes_on_where_a_head_turns_past_half_a_turn(axis: tuple[float, float, float]) -> None:
    """As that of someone who lies in a film that is upside down. Quaternions are told as a take has them: neighbours in
    the same half of the sphere."""
    angles = np.radians(np.arange(0, 350, 2.5))
    half = angles[:, None] / 2
    whole = np.concatenate([np.sin(half) * axis, np.cos(half)], axis=1)
    neck, head = neck_and_head(whole)
    expected = Rotation.from_rotvec(NECK_SHARE * angles[:, None] * axis)
    assert (Rotation.from_quat(neck) * expected.inv()).magnitude().max() < 1e-6
    together = Rotation.from_quat(neck) * Rotation.from_quat(head)
    assert (together * Rotation.from_quat(whole).inv()).magnitude().max() < 1e-6


def test_no_turn_has_no_axis() -> None:
    for sign in (1, -1):
        neck, head = neck_and_head(np.array([0.0, 0, 0, sign]))
        assert np.isfinite(neck).all()
        np.testing.assert_allclose(np.abs(neck), [0, 0, 0, 1], atol=1e-6)
        np.testing.assert_allclose(np.abs(head), [0, 0, 0, 1], atol=1e-6)
