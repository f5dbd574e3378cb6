/** The linear assignment of faces to tracks with the least total cost, as in service/tracking/assignment.py. */

/** Assigns columns to rows with the least total cost. Returns each row's column, -1 for none.
 *
 * cost: one array of `columns` numbers for each row. No column goes to two rows. A row without a column costs `limit`;
 * pairs of cost `limit` or above, or NaN, are never assigned. Exact, by shortest augmenting paths (Jonker and Volgenant,
 * Computing 38, 1987): the cheapest pair first would be shorter, but fails where tracks cross. */
export function assign(cost: readonly ArrayLike<number>[], columns: number, limit: number): Int32Array {
  const rows = cost.length;
  const width = columns + rows; // one more column for each row stands for no assignment
  const price = (row: number, column: number) => {
    const value = column < columns ? (cost[row]?.[column] as number) : limit;
    return Number.isNaN(value) ? limit : Math.min(value, limit);
  };
  const rowPrice = new Float64Array(rows);
  const columnPrice = new Float64Array(width);
  const owner = new Int32Array(width).fill(-1); // row of each column
  for (let start = 0; start < rows; start++) {
    const distance = new Float64Array(width).fill(Number.POSITIVE_INFINITY); // of the cheapest path from start
    const before = new Int32Array(width).fill(-1); // the column before it on that path
    const reached = new Uint8Array(width);
    let row = start;
    let column = -1;
    let length = 0;
    while (row >= 0) {
      let nearest = -1;
      for (let k = 0; k < width; k++) {
        if (reached[k]) continue;
        const through = length + price(row, k) - (rowPrice[row] as number) - (columnPrice[k] as number);
        if (through < (distance[k] as number)) {
          distance[k] = through;
          before[k] = column;
        }
        if (nearest < 0 || (distance[k] as number) < (distance[nearest] as number)) nearest = k;
      }
      column = nearest;
      length = distance[column] as number;
      reached[column] = 1;
      row = owner[column] as number;
    }
    rowPrice[start] = (rowPrice[start] as number) + length;
    for (let k = 0; k < width; k++) {
      if (!reached[k]) continue;
      const rest = length - (distance[k] as number);
      const inner = owner[k] as number;
      if (inner >= 0) rowPrice[inner] = (rowPrice[inner] as number) + rest;
      columnPrice[k] = (columnPrice[k] as number) - rest;
    }
    while (column >= 0) {
      // each row of the path takes the column before its own
      const previous = before[column] as number;
      owner[column] = previous < 0 ? start : (owner[previous] as number);
      column = previous;
    }
  }
  const chosen = new Int32Array(rows).fill(-1);
  for (let column = 0; column < columns; column++) {
    const row = owner[column] as number;
    if (row >= 0 && price(row, column) < limit) chosen[row] = column;
  }
  return chosen;
}
