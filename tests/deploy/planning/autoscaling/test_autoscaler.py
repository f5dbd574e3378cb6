"""Brakes and memory of the autoscaler: the documentation's examples of behavior, and what must hold whatever comes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.planning.autoscaling.autoscaler import SYNC_SECONDS, Autoscaler
from deploy.planning.autoscaling.specification import DEFAULT_DOWN, DEFAULT_UP, Policy, Rules, Specification

TEN_PERCENT = Policy("Percent", 10, 60)
FOUR_PODS = Policy("Pods", 4, 60)


def told(low: int = 1, high: int = 1000, up: Rules = DEFAULT_UP, down: Rules = DEFAULT_DOWN) -> Autoscaler:
    return Autoscaler(Specification(low, high, (), up, down))


def asked_again(
    autoscaler: Autoscaler, current: int, wanted: int, syncs: int, every: float = SYNC_SECONDS
) -> list[int]:
    """The replicas after each sync, with the same wish all the time."""
    course = []
    for number in range(syncs):
        current = autoscaler.sync(number * every, current, [wanted])
        course.append(current)
    return course


def test_the_policy_that_changes_most_is_taken() -> None:
    # the documentation: from 80 down to 10 it is 8 at once, then 8 of 72, as 7.2 is rounded up; 4 below 40
    course = asked_again(told(down=Rules(0, (FOUR_PODS, TEN_PERCENT))), 80, 10, 16, 60)
    assert course == [72, 64, 57, 51, 45, 40, 36, 32, 28, 24, 20, 16, 12, 10, 10, 10]


def test_the_policy_that_changes_least_is_taken_where_asked() -> None:
    # the documentation: a tenth a minute, and no more than five
    rules = Rules(0, (TEN_PERCENT, Policy("Pods", 5, 60)), "Min")
    assert asked_again(told(down=rules), 100, 1, 4, 60) == [95, 90, 85, 80]
    assert asked_again(told(down=rules), 20, 1, 3, 60) == [18, 16, 14]


def test_a_direction_may_be_disabled() -> None:
    assert asked_again(told(down=Rules(0, (TEN_PERCENT,), "Disabled")), 9, 1, 3) == [9, 9, 9]
    assert asked_again(told(up=Rules(0, (TEN_PERCENT,), "Disabled")), 9, 20, 3) == [9, 9, 9]


def test_by_default_it_is_twice_as_many_or_four_more_every_sync() -> None:
    assert asked_again(told(), 1, 100, 6) == [5, 10, 20, 40, 80, 100]
    assert asked_again(told(high=30), 3, 100, 4) == [7, 14, 28, 30]


def test_a_period_counts_all_that_was_done_within_it() -> None:
    # a tenth of 30 a minute, asked every 15 s: three, then nothing until the minute is over
    assert asked_again(told(down=Rules(0, (TEN_PERCENT,))), 30, 3, 9) == [27, 27, 27, 27, 24, 24, 24, 24, 21]
    # what was added within the minute may go again, and a tenth of what was there before
    autoscaler = told(down=Rules(0, (TEN_PERCENT,)))
    assert autoscaler.sync(0, 20, [24]) == 24
    assert autoscaler.sync(15, 24, [1]) == 18


def test_up_policies_count_what_went_within_the_period() -> None:
    autoscaler = told(up=Rules(0, (Policy("Pods", 2, 60),)), down=Rules(0, (Policy("Percent", 100, 15),)))
    assert autoscaler.sync(0, 10, [7]) == 7
    assert autoscaler.sync(15, 7, [20]) == 12  # ten were there a minute ago, and two may be added to them


def test_the_highest_recommendation_of_the_window_holds() -> None:
    autoscaler = told(down=Rules(300, (Policy("Percent", 100, 15),)))
    wishes = {0: 10, 15: 12, 30: 5}
    current, course = 10, {}
    for now in range(0, 400, 15):
        current = autoscaler.sync(now, current, [wishes.get(now, 4)])
        course[now] = current
    assert [course[now] for now in (0, 15, 30, 300)] == [10, 12, 12, 12]
    assert course[315] == 5  # the 12 of second 15 is 300 s old
    assert course[330] == 4


def test_going_up_waits_for_the_lowest_recommendation_of_its_window() -> None:
    autoscaler = told(up=Rules(60, DEFAULT_UP.policies))
    current, course = 4, []
    for now in range(0, 105, 15):
        current = autoscaler.sync(now, current, [6])
        course.append(current)
    assert course == [4, 4, 4, 4, 6, 6, 6]  # the 4 it began with is over after a minute


def test_the_largest_metric_wins() -> None:
    assert told().sync(0, 5, [3, 8, 6]) == 8


def test_a_missing_metric_blocks_the_way_down_only() -> None:
    autoscaler = told(down=Rules(0, DEFAULT_DOWN.policies))
    assert autoscaler.sync(0, 5, [3, None]) == 5
    assert autoscaler.sync(15, 5, [None, 7]) == 7
    assert autoscaler.sync(30, 7, [None, None]) == 7
    assert autoscaler.sync(45, 7, [3, 2]) == 3


def test_out_of_bounds_it_comes_back_at_once() -> None:
    assert told(3, 50).sync(0, 80, [None]) == 50
    assert told(3, 50).sync(0, 1, [None]) == 3


RULES = st.builds(
    Rules,
    st.sampled_from([0.0, 60.0, 300.0]),
    st.lists(
        st.builds(Policy, st.sampled_from(["Pods", "Percent"]), st.integers(1, 200), st.sampled_from([15.0, 60.0])),
        min_size=1,
        max_size=2,
    ).map(tuple),
    st.sampled_from(["Max", "Min", "Disabled"]),
)
WISHES = st.lists(st.lists(st.one_of(st.none(), st.integers(0, 500)), min_size=1, max_size=2), min_size=1, max_size=40)


@given(RULES, RULES, st.integers(1, 10), st.integers(0, 40), st.integers(0, 100), WISHES)
def test_it_never_leaves_its_bounds(
    up: Rules, down: Rules, low: int, more: int, current: int, wishes: list[list[int | None]]
) -> None:
    autoscaler = told(low, low + more, up, down)
    for number, wish in enumerate(wishes):
        current = autoscaler.sync(number * SYNC_SECONDS, current, wish)
        assert low <= current <= low + more


@given(RULES, RULES, st.integers(3, 50), st.integers(3, 50))
def test_a_wish_that_stays_is_approached_from_one_side(up: Rules, down: Rules, current: int, wanted: int) -> None:
    course = [current, *asked_again(told(3, 50, up, down), current, wanted, 60)]
    steps = [after - before for before, after in pairwise(course)]
    assert all(step >= 0 for step in steps) or all(step <= 0 for step in steps)
    assert min(current, wanted) <= min(course) <= max(course) <= max(current, wanted)


@pytest.mark.parametrize("current", [3, 12, 50])
def test_a_wish_that_stays_is_reached(current: int) -> None:
    down = Rules(300, (TEN_PERCENT,))
    assert asked_again(told(3, 50, DEFAULT_UP, down), current, 12, 240)[-1] == 12
