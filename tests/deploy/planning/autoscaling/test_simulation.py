"""An hour or less of a whole installation: it settles, follows, loses nothing and is the same each time."""

from dataclasses import replace

import numpy as np
import pytest

from deploy.planning.autoscaling.cluster import Startup
from deploy.planning.autoscaling.day import DAY_SECONDS, EVENT, streams, web, with_burst
from deploy.planning.autoscaling.production import Production, production
from deploy.planning.autoscaling.requests import Queue, Requests
from deploy.planning.autoscaling.scenarios import percent, with_cpu_target
from deploy.planning.autoscaling.simulation import Course, ideal, simulate
from deploy.planning.autoscaling.streams import Habits, Streams

INSTALLED = production()
QUEUE = Queue.of(INSTALLED.cores, INSTALLED.settings.queue_length, 0.02)
STARTUP = Startup(probe=INSTALLED.probe_seconds)


def run(
    load: np.ndarray,
    replicas: int,
    installed: Production = INSTALLED,
    lost: tuple[float, float] = (np.inf, np.inf),
    cpu_share: float = 1.0,
) -> Course:
    """load: (T,) pods' worth of work of each second."""
    return simulate(installed, Requests(QUEUE), load * QUEUE.rate, replicas, STARTUP, lost, cpu_share)


def steady(pods: float, seconds: int = 1800) -> np.ndarray:
    return np.full(seconds, pods)


@pytest.mark.parametrize(("load", "start"), [(5.6, 8), (5.6, 3), (5.6, 20), (14.0, 10)])
def test_a_load_that_stays_ends_in_a_number_that_stays(load: float, start: int) -> None:
    course = run(steady(load, 3600), start)
    last = course.wanted[-80:]  # 20 minutes
    assert len(set(last)) == 1
    # CPU is within the tolerance of its target, or one pod less would not do
    assert load / last[0] <= 0.7 * 1.1 + 1e-9
    assert load / (last[0] - 1) > 0.7 * 0.9


def test_workers_that_wait_for_each_other_use_less_cpu() -> None:
    course = run(steady(5.6, 3600), 8, cpu_share=0.9)
    pods = course.wanted[-1]
    assert pods == course.wanted[-80]
    assert course.cpu[-1] == pytest.approx(5.6 * 0.9 / pods, rel=0.01)
    assert 0.7 * 0.9 - 1e-6 < course.cpu[-1] <= 0.7 * 1.1


def test_a_step_up_is_followed_within_two_minutes() -> None:
    course = run(np.concatenate([steady(3.0, 600), steady(12.0, 600)]), 5)
    assert course.ready[-1] >= 12.0 / 0.77
    assert course.lost[:40].sum() == pytest.approx(0, abs=1e-3)
    assert course.lost[40:48].sum() > 0  # before help is there
    assert course.lost[48:].sum() == pytest.approx(0, abs=1e-3)


def test_without_the_adapter_it_goes_up_but_not_down() -> None:
    load = np.concatenate([np.linspace(5.0, 9.0, 1200), np.linspace(9.0, 2.0, 1200)])
    with_it, without = run(load, 8), run(load, 8, lost=(0.0, 1e9))
    assert without.wanted[79] > 8
    assert without.wanted[-1] == without.wanted.max()
    assert with_it.wanted[-1] < with_it.wanted.max()
    assert without.pod_hours > with_it.pod_hours


def test_what_comes_is_served_or_refused_or_waits() -> None:
    course = run(np.concatenate([steady(3.0, 300), steady(20.0, 300), steady(1.0, 900)]), 4)
    assert course.lost.sum() > 0
    assert course.arrived.sum() == pytest.approx(course.served + course.lost.sum() + course.waiting, rel=1e-9)


def test_streams_follow_too_and_are_the_same_each_time() -> None:
    def course() -> Course:
        habits = Habits(rate=10, frame_seconds=0.05, clients="gateway")
        return simulate(INSTALLED, Streams(habits, INSTALLED.cores, 1), np.full(900, 14.0), 3, STARTUP)

    first, second = course(), course()
    assert first.ready[-1] >= 5  # 7 cores, 2 a pod at 77 % at most
    assert first.arrived.sum() == pytest.approx(first.served + first.lost.sum())
    assert np.array_equal(first.p95, second.p95)
    assert np.array_equal(first.lost, second.lost)


def test_the_ideal_holds_cpu_at_its_target_within_the_bounds() -> None:
    cores = np.array([0.0, 7.0, 14.0, 14.1, 1000.0])  # of 1.4 a pod at 70 %
    assert ideal(cores, INSTALLED).tolist() == [3, 5, 10, 11, 50]
    assert ideal(cores, with_cpu_target(INSTALLED, 50)).tolist() == [3, 7, 14, 15, 50]


def test_bounds_hold() -> None:
    small = replace(INSTALLED, autoscaler=replace(INSTALLED.autoscaler, max_replicas=6))
    course = run(steady(12.0, 300), 3, small)
    assert course.wanted.max() == course.ready.max() == 6
    assert run(steady(0.1, 900), 5).wanted[-1] >= INSTALLED.autoscaler.min_replicas


def test_days_have_their_peaks() -> None:
    load = web(1)
    assert load.shape == streams().shape == (DAY_SECONDS,)
    assert np.array_equal(load, web(1))
    assert load.min() > 0
    assert 0.9 < np.quantile(load, 0.99) < 1.15
    factor = with_burst(load, EVENT) / load
    noon = int(EVENT.start)
    moments = [noon - 1, noon, noon + 15, noon + 30, noon + 1230, noon + 1830]
    assert factor[moments] == pytest.approx([1, 1, 2, 3, 3, 1])


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0"), (9e-6, "0"), (0.000054, "0.0054 %"), (0.0144, "1.4 %"), (0.281, "28 %"), (1.0, "100 %")],
)
def test_percentages(share: float, text: str) -> None:
    assert percent(share) == text
