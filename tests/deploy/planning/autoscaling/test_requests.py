"""The queue of a pod against known results for queues with constant service times, and nothing lost on the way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.planning.autoscaling.requests import Queue, Requests
from deploy.planning.autoscaling.traffic import Answered, quantile

PODS = list(range(4))
LONG = Queue.of(1, 60, 0.02)
TWO = Queue.of(2, 32, 0.01)


def settled(queue: Queue, load: float, seconds: int = 60) -> Answered:
    """After a while under so much of what the pods can bear."""
    requests = Requests(queue)
    for _ in range(seconds - 1):
        requests.step(load * queue.rate * len(PODS), PODS)
    return requests.step(load * queue.rate * len(PODS), PODS)


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7, 0.8])
def test_one_worker_waits_as_pollaczek_and_khinchine_say(load: float) -> None:
    answered = settled(LONG, load)
    assert answered.depth == pytest.approx(load**2 / (2 * (1 - load)), rel=0.01)
    assert answered.busy == pytest.approx(load, abs=1e-6)


def test_two_workers_have_two_waiting_at_84_percent() -> None:
    # as the manifest's comment says; half of M/M/2's 2 * 0.84^3 / (1 - 0.84^2) = 4.03, as Cosmetatos approximates
    assert settled(TWO, 0.84).depth == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("load", [1.5, 3.0, 6.0])
def test_beyond_what_pods_bear_the_rest_is_refused(load: float) -> None:
    answered = settled(TWO, load)
    assert answered.lost / answered.arrived == pytest.approx(1 - 1 / load, abs=2e-3)
    assert answered.busy == pytest.approx(2, abs=1e-3)
    assert quantile(answered.waits, answered.shares, 1.0) == pytest.approx(32 * 0.005, rel=0.01)  # the whole queue


def test_without_load_nothing_happens() -> None:
    answered = settled(TWO, 0.0, 3)
    assert (answered.arrived, answered.lost, answered.served) == pytest.approx((0, 0, 0))
    assert answered.depth == pytest.approx(0)


def test_a_chain_s_rows_are_probabilities_and_keep_the_mean() -> None:
    moves, refused = TWO.chain(3.0)
    assert moves.sum(axis=1) == pytest.approx(1)
    assert (moves >= 0).all()
    after = moves @ TWO.states + refused
    assert after == pytest.approx(np.maximum(TWO.states - 2, 0) + 3.0)


STEPS = st.lists(st.tuples(st.floats(0, 5), st.sets(st.integers(0, 6), max_size=5)), min_size=1, max_size=12)


@given(STEPS)
@settings(deadline=None, max_examples=30)
def test_what_comes_is_served_or_refused_or_waits(steps: list[tuple[float, set[int]]]) -> None:
    requests, queue = Requests(TWO), TWO
    arrived = served = lost = 0.0
    for load, pods in steps:
        answered = requests.step(load * queue.rate, sorted(pods))
        arrived, served, lost = arrived + answered.arrived, served + answered.served, lost + answered.lost
        assert answered.lost >= -1e-9
        assert len(answered.busy) == len(answered.depth) == len(pods)
        assert ((answered.busy >= 0) & (answered.busy <= 2 + 1e-9)).all()
    assert arrived == pytest.approx(served + lost + requests.waiting, abs=1e-6)


def test_a_request_longer_than_a_second_is_refused() -> None:
    with pytest.raises(ValueError, match="one second"):
        Queue.of(2, 32, 1.5)


def test_quantiles() -> None:
    waits, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 94.0, 5.0])
    assert quantile(waits, weights, 0.94) == 1
    assert quantile(waits, weights, 0.95) == 2
    assert quantile(waits, weights, 1.0) == 3
    assert quantile(waits, np.zeros(3), 0.95) == 0
