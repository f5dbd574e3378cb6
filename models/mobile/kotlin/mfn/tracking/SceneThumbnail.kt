/* Whether a new face may have come into the picture, far cheaper than a network: service/tracking/scene_change.py in
 * Kotlin. The picture is averaged to grey cells; what has changed in them since the last detection, apart from known
 * faces and the bodies below them, may be a new face. */
package mfn.tracking

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round
import mfn.Box
import mfn.Picture

private const val THUMBNAIL_SIDE = 32 // cells along the picture's longer side
private const val CELL_SAMPLES = 6 // pixels of a cell along each axis that are averaged
private const val MIN_CHANGE = 10f // grey levels of 255; a camera's noise moves a cell by about 1
internal const val GREEN = 1 // the channel closest to luminance

// What moves with a face, in sizes of its box to each side: hair and hands around it, and the body below.
private const val FACE_MARGIN = 0.5f
private const val BODY_MARGIN = 1f

/** A picture of width x height pixels as grey cells, columns x rows of them, 0 to 255. */
class SceneThumbnail private constructor(
    val cells: FloatArray,
    private val columns: Int,
    private val rows: Int,
    val width: Int,
    val height: Int
) {
    /**
     * Whether a cell differs that no known face and no body below one covers. boxes: of the faces, pixels. The same
     * change in all cells is one of light or exposure and is ignored.
     */
    fun differs(other: SceneThumbnail, boxes: List<Box>): Boolean {
        if (columns != other.columns || rows != other.rows) return true
        val covered = covered(boxes)
        val changes = cells.indices.filter { !covered[it] }.map { cells[it] - other.cells[it] }.sorted()
        if (changes.isEmpty()) return false
        val usual = (changes[(changes.size - 1) / 2] + changes[changes.size / 2]) / 2
        return max(abs(changes.first() - usual), abs(changes.last() - usual)) > MIN_CHANGE
    }

    /** Of each cell whether a face, its surroundings or the body below it touch it. */
    private fun covered(boxes: List<Box>): BooleanArray {
        val covered = BooleanArray(columns * rows)
        fun cover(x1: Float, y1: Float, x2: Float, y2: Float) {
            val left = max(0, floor(x1 * columns / width).toInt())
            val right = min(columns, ceil(x2 * columns / width).toInt())
            val top = max(0, floor(y1 * rows / height).toInt())
            val bottom = min(rows, ceil(y2 * rows / height).toInt())
            for (y in top until bottom) for (x in left until right) covered[y * columns + x] = true
        }
        for ((x1, y1, x2, y2) in boxes) {
            val w = x2 - x1
            val h = y2 - y1
            cover(x1 - FACE_MARGIN * w, y1 - FACE_MARGIN * h, x2 + FACE_MARGIN * w, y2 + FACE_MARGIN * h)
            cover(x1 - BODY_MARGIN * w, y1 + BODY_MARGIN * h, x2 + BODY_MARGIN * w, height.toFloat())
        }
        return covered
    }

    companion object {
        /** The thumbnail of a picture: of every step-th pixel's green, the mean over each cell. */
        fun of(picture: Picture): SceneThumbnail {
            val cell = max(picture.width, picture.height) / THUMBNAIL_SIDE.toDouble()
            val step = max(1, (cell / CELL_SAMPLES).toInt())
            val columns = max(1, round(picture.width / cell).toInt()) // halves to the even number, as in Python
            val rows = max(1, round(picture.height / cell).toInt())
            val across = ranges((picture.width + step - 1) / step, columns)
            val down = ranges((picture.height + step - 1) / step, rows)
            val cells = FloatArray(columns * rows) { i ->
                val (xs, ys) = across[i % columns] to down[i / columns]
                var sum = 0
                for (y in ys) for (x in xs) sum += picture[x * step, y * step, GREEN]
                round(sum / (xs.count() * ys.count()).toFloat())
            }
            return SceneThumbnail(cells, columns, rows, picture.width, picture.height)
        }

        /** The samples of each cell along an axis: those whose centres lie in it. */
        private fun ranges(samples: Int, cells: Int): List<IntRange> {
            val scale = max(1.0, samples / cells.toDouble())
            return List(cells) {
                val centre = (it + 0.5) * samples / cells
                val first = max(0, (centre - scale / 2 + 0.5).toInt())
                first until min(samples, (centre + scale / 2 + 0.5).toInt())
            }
        }
    }
}
