"""Rounding to few significant bits, against numbers worked out by hand and against float16 itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from training.export.rounding import HALF_BITS, narrowest, round_weights, rounded  # noqa: E402

FLOATS = st.floats(-6e4, 6e4, width=32)


@pytest.mark.parametrize(
    ("value", "bits", "expected"),
    [
        (0.0, 8, 0.0),
        (-3.1, 3, -3.0),  # between 2 and 4, three bits go in steps of a half
        (1 + 1 / 256, 8, 1.0),  # in the middle of two: the even one
        (1 + 3 / 256, 8, 1 + 4 / 256),
        (255.9, 8, 256.0),
        (0.1, 8, 205 / 2048),
        (2**-24 * 1.4, 8, 2**-24),  # float16 knows nothing between its multiples of 2 ** -24
        (2**-24 * 0.4, 8, 0.0),
        (2**-20 * (1 + 1 / 16) + 2**-26, 11, 2**-20 * (1 + 1 / 16)),
    ],
)
def test_by_hand(value: float, bits: int, expected: float) -> None:
    found = rounded(np.array([value], np.float32), bits)
    assert found.dtype == np.float32
    assert found[0] == np.float32(expected)


@given(st.lists(FLOATS, min_size=1), st.integers(2, HALF_BITS))
def test_float16_holds_what_is_near_and_rounding_it_again_changes_nothing(values: list[float], bits: int) -> None:
    exact = np.array(values, np.float32)
    found = rounded(exact, bits)
    np.testing.assert_array_less(np.abs(found - exact), np.abs(exact) * 2.0**-bits + 2.0**-24)
    np.testing.assert_array_equal(rounded(found, bits), found)
    inside = np.abs(found) <= 65504
    np.testing.assert_array_equal(found[inside].astype(np.float16).astype(np.float32), found[inside])


@given(st.lists(FLOATS, min_size=1))
def test_all_bits_of_float16_are_float16_s_own_rounding(values: list[float]) -> None:
    exact = np.array(values, np.float32)
    np.testing.assert_array_equal(rounded(exact, HALF_BITS), exact.astype(np.float16).astype(np.float32))


def test_the_narrowest_type_that_is_exact() -> None:
    for values, dtype in (
        ([0.5, -2.0, 65504.0], np.float16),
        ([0.5, 0.1], np.float32),
        ([0.5, 65536.0], np.float32),
        ([2**-24, 0.0], np.float16),
        ([2**-25], np.float32),
    ):
        found = narrowest(np.array(values, np.float32))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found.astype(np.float32), np.array(values, np.float32))


def test_weights_alone_are_rounded() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 5))
    before = {name: value.clone() for name, value in layers.state_dict().items()}
    round_weights(layers, 4)
    for name, value in layers.state_dict().items():
        if name in ("0.weight", "3.weight"):
            np.testing.assert_array_equal(value.numpy(), rounded(before[name].numpy(), 4))
            assert (value != before[name]).any()
        else:
            torch.testing.assert_close(value, before[name], rtol=0, atol=0)
