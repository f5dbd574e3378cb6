import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment

from service.tracking.assignment import assign

LIMIT = 1.0
costs = st.tuples(st.integers(0, 7), st.integers(0, 7)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.one_of(st.floats(0, 1.5), st.sampled_from([0.25, 0.5, np.inf])))
)


def total(cost: np.ndarray, column: np.ndarray) -> float:
    return float(sum(LIMIT if j < 0 else cost[i, j] for i, j in enumerate(column)))


@given(costs)
def test_the_total_is_that_of_scipy(cost: np.ndarray) -> None:
    """SciPy knows no limit: each row gets a column of its own to stay without."""
    column = assign(cost, LIMIT)
    rows = len(cost)
    table = np.concatenate([np.minimum(cost, 100), np.full((rows, rows), LIMIT)], axis=1)
    best = table[linear_sum_assignment(table)].sum()
    assert total(cost, column) == pytest.approx(best, abs=1e-9)
    given_away = column[column >= 0]
    assert len(set(given_away.tolist())) == len(given_away)
    assert all(cost[i, j] < LIMIT for i, j in enumerate(column) if j >= 0)


def test_nobody_stays_alone_to_save_another_a_little() -> None:
    """The cheapest pair first would give column 0 to row 0 and nothing to row 1."""
    assert assign(np.array([[0.1, 0.2], [0.3, np.inf]]), LIMIT).tolist() == [1, 0]


def test_what_costs_too_much_is_not_made() -> None:
    assert assign(np.array([[1.0, 1.2, np.inf, np.nan]]), LIMIT).tolist() == [-1]
    assert assign(np.array([[np.nan, 0.9]]), LIMIT).tolist() == [1]


def test_a_hundred_faces_and_two_hundred_tracks() -> None:
    """Products of rising numbers make every row want what the ones before it hold."""
    cost = np.outer(np.arange(1, 101), np.arange(1, 201)) / 20_001
    table = np.concatenate([cost, np.full((100, 100), LIMIT)], axis=1)
    assert total(cost, assign(cost, LIMIT)) == pytest.approx(table[linear_sum_assignment(table)].sum())
