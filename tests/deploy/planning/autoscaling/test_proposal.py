"""What one metric asks for: the documentation's examples and values computed by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.planning.autoscaling.proposal import Observed, Sample, proposal
from deploy.planning.autoscaling.specification import Target

CPU = Target("cpu", "Utilization", 70)
QUEUE = Target("queue", "AverageValue", 2)
LATE = 10_000.0  # long after all pods have started


def running(metric: str, value: float) -> Observed:
    return Observed(0.0, True, 5.0, {metric: Sample(value, LATE - 10, 15)})


def asked(target: Target, values: list[float], *others: Observed) -> int | None:
    """For as many pods as there are in all."""
    pods = [*(running(target.metric, value) for value in values), *others]
    return proposal(target, len(pods), pods, LATE)


PENDING = Observed(None, False)
SILENT = Observed(0.0, True, 5.0)  # runs, and has no metric


@pytest.mark.parametrize(("value", "wanted"), [(0.2, 6), (0.05, 2), (0.1, 3), (0.109, 3), (0.091, 3), (0.112, 4)])
def test_the_ratio_to_the_target_scales_unless_it_is_near_one(value: float, wanted: int) -> None:
    # 200m over 100m doubles, 50m halves, within a tenth nothing changes
    assert asked(Target("m", "AverageValue", 0.1), [value] * 3) == wanted


@pytest.mark.parametrize(
    ("percent", "wanted"), [(77, 10), (77.9, 10), (78, 12), (63, 10), (62.9, 9), (100, 15), (35, 5)]
)
def test_utilization_is_in_whole_percent(percent: float, wanted: int) -> None:
    assert asked(CPU, [percent] * 10) == wanted


def test_pods_are_averaged() -> None:
    assert asked(CPU, [100, 40]) == 2  # 70 %
    assert asked(CPU, [100, 100, 10]) == 3  # 70 %
    assert asked(QUEUE, [8, 0]) == 4  # 4 a pod where 2 are wanted


def test_without_any_metric_nothing_is_asked_for() -> None:
    assert asked(CPU, [], SILENT, PENDING) is None


def test_pods_without_a_metric_dampen_either_way() -> None:
    # up: (140 + 0) / 2 pods is the target: nothing to do
    assert asked(CPU, [140], SILENT) == 2
    # (280 + 0) / 2 = 140 % is twice the target: 2 pods become 4, not 8
    assert asked(CPU, [280], SILENT) == 4
    # down: (3 * 20 + 100) / 4 = 40 %: ceil(4 * 40 / 70) = 3; without the silent one it would be ceil(3 * 20 / 70) = 1
    assert asked(CPU, [20, 20, 20], SILENT) == 3
    # for a plain metric the silent one has the target: (0 + 0 + 0 + 2) / 4 = 0.5: ceil(4 * 0.25) = 1
    assert asked(QUEUE, [0, 0, 0], SILENT) == 1


def test_what_would_turn_the_direction_changes_nothing() -> None:
    assert asked(CPU, [105], SILENT, SILENT) == 3  # up by 1.5; with zeros for two it were down to half
    assert asked(CPU, [60, 60], SILENT) == 3  # 57 of 70 counted with 100: 73 % is within the tolerance


def test_pending_pods_dampen_upwards_only() -> None:
    assert asked(CPU, [140, 140], PENDING) == 4  # 280 / 3 = 93 %: ceil(3 * 93 / 70) = 4, without it ceil(2 * 2)
    assert asked(CPU, [140, 140], PENDING, PENDING) == 4  # 70 %: nothing to do
    assert asked(QUEUE, [8, 8], PENDING) == 8  # 16 / 3 = 5.33: ceil(3 * 2.67) = 8
    assert asked(CPU, [35, 35], PENDING) == 1  # down by those that run: ceil(2 * 0.5)


@pytest.mark.parametrize(
    ("started", "ready", "turned", "taken", "counts"),
    [
        (900, True, 910, 925, True),  # the whole sample is of after it became ready
        (900, True, 910, 924, False),  # the sample began before
        (900, False, 910, 990, False),  # not ready, within five minutes of its start
        (600, False, 620, 990, False),  # not ready, and not since a moment within 30 s of its start: never was
        (600, False, 640, 990, True),  # was ready once, and is no more: its load tells
        (600, True, 610, 990, True),
    ],
)
def test_cpu_of_a_pod_that_starts_is_set_aside(
    started: float, ready: bool, turned: float, taken: float, counts: bool
) -> None:
    pods = [running("cpu", 140), Observed(started, ready, turned, {"cpu": Sample(140, taken, 15)})]
    # both count: 140 %, 2 become 4. One is not ready: 0 for it, (140 + 0) / 2 is the target.
    assert proposal(CPU, 2, pods, 1000.0) == (4 if counts else 2)


def test_other_metrics_count_as_soon_as_a_pod_runs() -> None:
    pods = [running("queue", 4), Observed(990.0, False, 990.0, {"queue": Sample(4, 995, 60)})]
    assert proposal(QUEUE, 2, pods, 1000.0) == 4


def test_thirds_do_not_ask_for_one_more() -> None:
    assert asked(QUEUE, [2, 0, 0]) == 1
    assert asked(QUEUE, [20, 0, 0]) == 10


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(0, 5), st.integers(0, 5))
def test_pods_that_tell_nothing_never_make_the_change_greater(values: list[int], silent: int, pending: int) -> None:
    wanted = asked(QUEUE, [float(value) for value in values], *[SILENT] * silent, *[PENDING] * pending)
    assert wanted is not None
    needed = math.ceil(sum(values) / 2)  # for what is known
    if wanted > len(values) + silent + pending:
        assert wanted <= needed
    if wanted < len(values) + silent + pending:
        assert wanted >= needed - 1  # thousandths
