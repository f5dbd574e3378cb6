/* The linear assignment of faces to tracks with the least total cost: service/tracking/assignment.py in Kotlin. */
package mfn.tracking

import kotlin.math.min

/**
 * Assigns columns to rows with the least total cost. Returns each row's column, -1 for none.
 *
 * cost: `columns` numbers for each row. No column goes to two rows. A row without a column costs `limit`; pairs of cost
 * `limit` or above, or NaN, are never assigned. Exact, by shortest augmenting paths (Jonker and Volgenant, Computing
 * 38, 1987): the cheapest pair first would be shorter, but fails where tracks cross.
 */
fun assign(cost: List<DoubleArray>, columns: Int, limit: Double): IntArray {
    val rows = cost.size
    val width = columns + rows // one more column for each row stands for no assignment
    val table = Array(rows) { row ->
        DoubleArray(width) { k -> if (k >= columns || cost[row][k].isNaN()) limit else min(cost[row][k], limit) }
    }
    val rowPrice = DoubleArray(rows)
    val columnPrice = DoubleArray(width)
    val owner = IntArray(width) { -1 } // row of each column
    for (start in 0 until rows) {
        val distance = DoubleArray(width) { Double.POSITIVE_INFINITY } // of the cheapest path from `start`
        val before = IntArray(width) { -1 } // the column before it on that path
        val reached = BooleanArray(width)
        var row = start
        var column = -1
        var length = 0.0
        while (row >= 0) {
            var nearest = -1
            for (k in 0 until width) {
                if (reached[k]) continue
                val through = length + table[row][k] - rowPrice[row] - columnPrice[k]
                if (through < distance[k]) {
                    distance[k] = through
                    before[k] = column
                }
                if (nearest < 0 || distance[k] < distance[nearest]) nearest = k
            }
            column = nearest
            length = distance[column]
            reached[column] = true
            row = owner[column]
        }
        rowPrice[start] += length
        for (k in 0 until width) {
            if (!reached[k]) continue
            if (owner[k] >= 0) rowPrice[owner[k]] += length - distance[k]
            columnPrice[k] -= length - distance[k]
        }
        while (column >= 0) { // each row of the path takes the column before its own
            val previous = before[column]
            owner[column] = if (previous < 0) start else owner[previous]
            column = previous
        }
    }
    val chosen = IntArray(rows) { -1 }
    for (column in 0 until columns) {
        val row = owner[column]
        if (row >= 0 && table[row][column] < limit) chosen[row] = column
    }
    return chosen
}
