"""Rates and the weight of the coefficient loss over a run, by steps and by time."""

import pytest

from training.optimization.schedule import CoefficientWeight, Schedule


def test_by_steps_the_rate_rises_then_falls_along_half_a_cosine() -> None:
    schedule = Schedule(2.0, steps=1200, warm_up=200, final=0.01)
    assert schedule.rate(0, 0) == pytest.approx(2 / 200)
    assert schedule.rate(200, 1e6) == pytest.approx(2)  # whatever the time
    assert schedule.rate(700, 0) == pytest.approx(2 * (1 + 0.01) / 2)
    assert schedule.rate(1200, 0) == pytest.approx(0.02)
    assert not schedule.done(1199, 1e6)
    assert schedule.done(1200, 0)


def test_by_time_the_rate_follows_the_seconds() -> None:
    schedule = Schedule(2.0, seconds=100, warm_up=10, final=0.01)
    assert schedule.rate(0, 0) == pytest.approx(0.2)
    assert schedule.rate(50, 50) == schedule.rate(5000, 50) == pytest.approx(2 * (1 + 0.01) / 2)
    assert schedule.rate(50, 1000) == pytest.approx(0.02)
    assert not schedule.done(10**6, 99)
    assert schedule.done(0, 100)


def test_a_schedule_has_one_length() -> None:
    for lengths in ({}, {"steps": 1, "seconds": 1.0}):
        with pytest.raises(ValueError, match="one of them"):
            Schedule(1.0, **lengths)  # type: ignore[arg-type]


def test_the_coefficient_weight_is_ten_over_the_epochs_but_not_under_its_floor() -> None:
    assert CoefficientWeight()(0, 0) == 10
    assert CoefficientWeight()(25, 1) == pytest.approx(0.4)
    assert CoefficientWeight(floor=0.8)(5, 0) == 2
    assert CoefficientWeight(floor=0.8)(25, 0) == 0.8


def test_the_coefficient_weight_with_a_start_is_a_straight_line_to_its_floor() -> None:
    weight = CoefficientWeight(floor=0.8, start=4.0)
    assert [weight(100, progress) for progress in (0, 0.5, 1)] == pytest.approx([4, 2.4, 0.8])
