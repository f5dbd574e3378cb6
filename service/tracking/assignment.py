"""Which face goes with which track: the assignment of least total cost."""

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array


def assign(cost: Array, limit: float) -> NDArray[np.intp]:
    """The column (N,) that each row gets, -1 for none, so that the total is least; no column goes to two rows.

    cost: (N, M). A row without a column costs `limit`; pairs at `limit` or above, or of NaN, are never made.
    Shortest augmenting paths, one a row (Jonker and Volgenant, "A shortest augmenting path algorithm for dense and
    sparse linear assignment problems", Computing 38, 1987): exact, in at most N * N steps over arrays of M + N. Taking
    the cheapest pair first would be shorter, but errs just where tracks cross: it may leave a face without its track
    to save another one a little.
    """
    rows, columns = cost.shape
    # one column for each row to fall back on, so that everyone finds a place
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
        while column >= 0:  # the path's rows move up by one column each
            previous = int(before[column])
            owner[column] = start if previous < 0 else owner[previous]
            column = previous
    chosen = np.full(rows, -1, np.intp)
    for column, row in enumerate(owner[:columns]):
        if row >= 0 and table[row, column] < limit:
            chosen[row] = column
    return chosen
