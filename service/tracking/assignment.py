"""The linear assignment of faces to tracks with the least total cost."""

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array


def assign(cost: Array, limit: float) -> NDArray[np.intp]:
    """Assigns columns to rows with the least total cost. Returns each row's column (N,), -1 for none.

    cost: (N, M). No column goes to two rows. A row without a column costs `limit`; pairs of cost `limit` or above, or
    NaN, are never assigned.
    The algorithm is that of shortest augmenting paths, one for each row (Jonker and Volgenant, "A shortest augmenting
    path algorithm for dense and sparse linear assignment problems", Computing 38, 1987): exact, in at most N * N steps
    over arrays of M + N. A greedy assignment, the cheapest pair first, would be shorter, but fails where tracks cross:
    it may leave a face without its track to make another pair a little cheaper.
    """
    rows, columns = cost.shape
    if rows and columns:  # mostly, every row may simply have its cheapest column
        cheapest: NDArray[np.intp] = cost.argmin(axis=1)  # a NaN where there is one
        if (cost[np.arange(rows), cheapest] < limit).all() and len(set(cheapest.tolist())) == rows:
            return cheapest
    # One more column for each row stands for no assignment.
    table = np.full((rows, columns + rows), limit, np.float64)
    table[:, :columns] = np.where(cost < limit, cost, limit)
    row_price, column_price = np.zeros(rows), np.zeros(columns + rows)
    owner = np.full(columns + rows, -1)  # row of each column
    for start in range(rows):
        distance = np.full(columns + rows, np.inf)  # of the cheapest path from `start` to each column
        before = np.full(columns + rows, -1)  # the column before it on that path
        reached = np.zeros(columns + rows, bool)
        row, column, length = start, -1, 0.0
        while row >= 0:
            through = length + table[row] - row_price[row] - column_price
            shorter = ~reached & (through < distance)
            distance[shorter], before[shorter] = through[shorter], column
            column = int(np.argmin(np.where(reached, np.inf, distance)))
            length = float(distance[column])
            reached[column] = True
            row = int(owner[column])
        inner = reached & (owner >= 0)
        row_price[start] += length
        row_price[owner[inner]] += length - distance[inner]
        column_price[reached] += distance[reached] - length
        while column >= 0:  # each row of the path takes the column before its own
            previous = int(before[column])
            owner[column] = start if previous < 0 else owner[previous]
            column = previous
    chosen = np.full(rows, -1, np.intp)
    for column, row in enumerate(owner[:columns]):
        if row >= 0 and table[row, column] < limit:
            chosen[row] = column
    return chosen
