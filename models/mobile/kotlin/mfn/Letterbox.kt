/* A picture of any shape in the middle of the network's square, and the way back: service/vision/letterbox.py in Kotlin.
 * Coordinates are continuous: (0, 0) is the top left corner, the centre of pixel (i, j) is (i + 0.5, j + 0.5). */
package mfn

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round

/** What surrounds the picture, in training too. */
const val PAD_GREY = 114

data class Point(val x: Float, val y: Float)

/**
 * An upright view of pixels in memory. origin: index of red of the pixel that is seen at the top left. width, height:
 * as seen upright. stepX, stepY, stepChannel: bytes to the pixel seen to the right, below, and from red to green.
 */
class Picture(
    private val bytes: ByteArray,
    private val origin: Int,
    val width: Int,
    val height: Int,
    private val stepX: Int,
    private val stepY: Int,
    private val stepChannel: Int
) {
    operator fun get(x: Int, y: Int, channel: Int): Int =
        bytes[origin + x * stepX + y * stepY + channel * stepChannel].toInt() and 0xFF
}

/**
 * A camera's frame of width x height pixels in rows of rowStride bytes, a pixel every pixelStride bytes, which stands
 * upright when turned clockwise by rotation: 0, 90, 180 or 270 degrees. RGB or RGBA, or with bgr BGR or BGRA.
 */
fun upright(
    bytes: ByteArray,
    width: Int,
    height: Int,
    rowStride: Int,
    pixelStride: Int,
    rotation: Int,
    bgr: Boolean = false
): Picture {
    val right = (width - 1) * pixelStride
    val bottom = (height - 1) * rowStride
    val red = if (bgr) 2 else 0
    val step = if (bgr) -1 else 1
    return when (rotation) {
        0 -> Picture(bytes, red, width, height, pixelStride, rowStride, step)
        90 -> Picture(bytes, red + bottom, height, width, -rowStride, pixelStride, step)
        180 -> Picture(bytes, red + bottom + right, width, height, -pixelStride, -rowStride, step)
        270 -> Picture(bytes, red + right, height, width, rowStride, -pixelStride, step)
        else -> throw IllegalArgumentException("rotation is $rotation; expected 0, 90, 180 or 270 degrees")
    }
}

/** RGB without gaps: what the networks take as uint8. */
class Pixels(val width: Int, val height: Int, grey: Int = 0) {
    val bytes = ByteArray(width * height * 3) { grey.toByte() }

    operator fun get(x: Int, y: Int, channel: Int): Int = bytes[(y * width + x) * 3 + channel].toInt() and 0xFF

    operator fun set(x: Int, y: Int, channel: Int, value: Int) {
        bytes[(y * width + x) * 3 + channel] = value.toByte()
    }
}

/** The mean of each block of factorX x factorY pixels in x1 <= x < x2, y1 <= y < y2; the last blocks may be smaller. */
fun reduce(picture: Picture, x1: Int, y1: Int, x2: Int, y2: Int, factorX: Int, factorY: Int): Pixels {
    val result = Pixels((x2 - x1 + factorX - 1) / factorX, (y2 - y1 + factorY - 1) / factorY)
    for (y in 0 until result.height) for (x in 0 until result.width) {
        val left = x1 + x * factorX
        val right = min(x2, left + factorX)
        val top = y1 + y * factorY
        val bottom = min(y2, top + factorY)
        val count = (right - left) * (bottom - top)
        for (c in 0..2) {
            var sum = count / 2
            for (v in top until bottom) for (u in left until right) sum += picture[u, v, c]
            result[x, y, c] = sum / count
        }
    }
    return result
}

/** How a pixel of a resized row is made of the row's pixels first, first + 1, ... */
private class Taps(val first: Int, val weights: FloatArray)

/** Bilinear resizing of `size` pixels, of which `extent` count, to `target`; its triangle widens where that shrinks. */
private fun triangleTaps(extent: Double, size: Int, target: Int): List<Taps> {
    val scale = extent / target
    val reach = max(scale, 1.0)
    return List(target) { i ->
        val centre = (i + 0.5) * scale
        val first = max(0, (centre - reach + 0.5).toInt())
        val last = min(size, (centre + reach + 0.5).toInt())
        val weights = DoubleArray(last - first) { max(0.0, 1 - abs(first + it - centre + 0.5) / reach) }
        val sum = weights.sum()
        Taps(first, FloatArray(weights.size) { (weights[it] / sum).toFloat() })
    }
}

/**
 * Where a picture of width x height pixels lies in a square of side pixels. content: pixels it takes there; offset: of
 * its top left corner there. scale: square's pixels per picture's pixel along the longer side.
 */
data class Letterbox(
    val width: Int,
    val height: Int,
    val side: Int,
    val contentWidth: Int,
    val contentHeight: Int,
    val offsetX: Int,
    val offsetY: Int,
    val scale: Float
) {
    fun toPicture(p: Point) =
        Point((p.x - offsetX) * (width.toFloat() / contentWidth), (p.y - offsetY) * (height.toFloat() / contentHeight))

    fun toSquare(p: Point) =
        Point(p.x * (contentWidth.toFloat() / width) + offsetX, p.y * (contentHeight.toFloat() / height) + offsetY)

    /** The network's input: the square around the picture. Whole factors are averaged away, the rest is bilinear. */
    fun apply(picture: Picture): Pixels {
        val factorX = max(1, picture.width / contentWidth)
        val factorY = max(1, picture.height / contentHeight)
        val small = reduce(picture, 0, 0, picture.width, picture.height, factorX, factorY)
        val across = triangleTaps(picture.width.toDouble() / factorX, small.width, contentWidth)
        val down = triangleTaps(picture.height.toDouble() / factorY, small.height, contentHeight)
        val narrow = Pixels(contentWidth, small.height)
        for (y in 0 until small.height) for (x in 0 until contentWidth) for (c in 0..2) {
            val taps = across[x]
            var sum = 0.5f
            for (k in taps.weights.indices) sum += taps.weights[k] * small[taps.first + k, y, c]
            narrow[x, y, c] = min(sum.toInt(), 255)
        }
        val square = Pixels(side, side, PAD_GREY)
        for (y in 0 until contentHeight) for (x in 0 until contentWidth) for (c in 0..2) {
            val taps = down[y]
            var sum = 0.5f
            for (k in taps.weights.indices) sum += taps.weights[k] * narrow[x, taps.first + k, c]
            square[x + offsetX, y + offsetY, c] = min(sum.toInt(), 255)
        }
        return square
    }

    companion object {
        fun fit(width: Int, height: Int, side: Int): Letterbox {
            val scale = side.toDouble() / max(width, height)
            val w = max(1, round(width * scale).toInt()) // halves to the even number, as in Python
            val h = max(1, round(height * scale).toInt())
            return Letterbox(width, height, side, w, h, (side - w) / 2, (side - h) / 2, scale.toFloat())
        }
    }
}
