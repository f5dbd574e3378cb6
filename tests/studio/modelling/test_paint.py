"""Colours and patterns of the skin."""

import numpy as np

from studio.modelling.paint import cells, linear, noise, region, to_srgb

POINTS = np.random.default_rng(2).uniform(-10, 10, (500, 3))


def test_colours_come_back_from_linear_light() -> None:
    for colour in ("#000000", "#0a3c7f", "#ffffff"):
        assert to_srgb(linear(colour)).tolist() == [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def test_half_of_srgb_is_a_fifth_of_the_light() -> None:
    np.testing.assert_allclose(linear("#808080"), 0.2158605, atol=1e-6)  # IEC 61966-2-1


def test_a_region_is_alike_on_both_sides() -> None:
    share = region(POINTS, [3, 2, 1], [4, 5, 6])
    np.testing.assert_allclose(region(POINTS * [-1, 1, 1], [3, 2, 1], [4, 5, 6]), share)
    assert region(np.array([[3.0, 2, 1], [-3, 2, 1], [7.1, 2, 1]]), [3, 2, 1], [4, 5, 6]).tolist() == [1, 1, 0]


def test_noise_and_cells_are_the_same_each_time() -> None:
    np.testing.assert_array_equal(noise(POINTS, 2, 5), noise(POINTS, 2, 5))
    near, second, _ = cells(POINTS, 1.5, 5)
    assert (near <= second).all()
    assert near.max() < 1.5 * 3**0.5
