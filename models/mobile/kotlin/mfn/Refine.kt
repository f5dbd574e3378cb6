/* A second look at a face: an upright crop of it for the Single Face Network, and its answer turned back.
 * service/vision/crops.py, refinement.py and the landmarks of service/vision/face_model.py in Kotlin. */
package mfn

import kotlin.math.ceil
import kotlin.math.cos
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sin

/** Pixels of the Single Face Network's square input. */
const val CROP_SIDE = 128

/** crop_factor of models/manifest.json. */
const val CROP_FACTOR = 1.4

/** What the first look still counts beside the second in a head's pose and identity. */
const val FIRST_LOOK = 0.15f

/** In iBUG's order: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67. */
const val LANDMARKS = 68

/** The 68 points of the linear face model, which move with the coefficients. bytes: those of landmarks.bin. */
class LandmarkModel(bytes: ByteArray) {
    private val width = 3 * LANDMARKS
    private val rows: FloatArray // mean, identity modes, expressions: 97 rows of 204 numbers, cm in the head frame

    init {
        val size = (1 + IDENTITY_MODES + EXPRESSIONS) * width
        require(bytes.size == 4 * size) { "landmarks.bin has ${4 * size} bytes; these are ${bytes.size}" }
        rows = FloatArray(size) { i ->
            Float.fromBits((3 downTo 0).fold(0) { bits, k -> bits shl 8 or (bytes[4 * i + k].toInt() and 0xFF) })
        }
    }

    /** Where they lie in the picture, pixels, under weak perspective. */
    fun project(face: Face, width: Int, height: Int): List<Point> {
        val shape = rows.copyOf(this.width)
        val weights = face.identity + face.expression
        for (i in weights.indices) for (k in shape.indices) shape[k] += weights[i] * rows[(i + 1) * this.width + k]
        val m = quaternionToMatrix(face.quaternion)
        return List(LANDMARKS) { i ->
            val (x, y, z) = shape.slice(3 * i until 3 * i + 3)
            Point(
                width / 2f + face.scale * (m[0] * x + m[1] * y + m[2] * z + face.translation.x),
                height / 2f - face.scale * (m[3] * x + m[4] * y + m[5] * z + face.translation.y)
            )
        }
    }
}

/**
 * A square of the picture, turned so that the head in it is upright. x, y: its centre; side: pixels of the picture.
 * roll: degrees, counter-clockwise as seen, that the square is turned by.
 */
data class Crop(val x: Double, val y: Double, val side: Double, val roll: Double) {
    private val c = cos(roll * RADIANS) * side / CROP_SIDE
    private val s = sin(roll * RADIANS) * side / CROP_SIDE

    private fun pictureX(px: Double, py: Double) = c * (px - CROP_SIDE / 2) + s * (py - CROP_SIDE / 2) + x

    private fun pictureY(px: Double, py: Double) = c * (py - CROP_SIDE / 2) - s * (px - CROP_SIDE / 2) + y

    /** Pixels of the picture of a point of the crop of CROP_SIDE pixels. */
    fun toPicture(p: Point): Point {
        val px = p.x.toDouble()
        val py = p.y.toDouble()
        return Point(pictureX(px, py).toFloat(), pictureY(px, py).toFloat())
    }

    /** The Single Face Network's input: grey outside the picture. Shrinks by averaging, then interpolates. */
    fun sample(picture: Picture): Pixels {
        val result = Pixels(CROP_SIDE, CROP_SIDE, PAD_GREY)
        val ends = listOf(0.0, CROP_SIDE.toDouble())
        val xs = ends.flatMap { py -> ends.map { px -> pictureX(px, py) } }.sorted()
        val ys = ends.flatMap { py -> ends.map { px -> pictureY(px, py) } }.sorted()
        val x1 = (floor(xs.first()) - 2).coerceIn(0.0, picture.width.toDouble()).toInt()
        val y1 = (floor(ys.first()) - 2).coerceIn(0.0, picture.height.toDouble()).toInt()
        val x2 = (ceil(xs.last()) + 2).coerceIn(0.0, picture.width.toDouble()).toInt()
        val y2 = (ceil(ys.last()) + 2).coerceIn(0.0, picture.height.toDouble()).toInt()
        if (x1 >= x2 || y1 >= y2) return result
        val shrink = max(1, (side / CROP_SIDE).toInt())
        val region = reduce(picture, x1, y1, x2, y2, shrink, shrink)
        for (row in 0 until CROP_SIDE) for (column in 0 until CROP_SIDE) {
            val u = (pictureX(column + 0.5, row + 0.5) - x1) / shrink
            val v = (pictureY(column + 0.5, row + 0.5) - y1) / shrink
            if (u < 0 || v < 0 || u >= region.width || v >= region.height) continue
            val i = floor(u - 0.5).toInt()
            val j = floor(v - 0.5).toInt()
            val du = (u - 0.5 - i).toFloat()
            val dv = (v - 0.5 - j).toFloat()
            val left = max(i, 0)
            val right = min(i + 1, region.width - 1)
            val above = max(j, 0)
            val below = min(j + 1, region.height - 1)
            for (channel in 0..2) {
                val top = region[left, above, channel] * (1 - du) + region[right, above, channel] * du
                val bottom = region[left, below, channel] * (1 - du) + region[right, below, channel] * du
                result[column, row, channel] = (top * (1 - dv) + bottom * dv).toInt()
            }
        }
        return result
    }

    companion object {
        /**
         * The crop around projected landmarks of a head with this rotation: turned upright, their bounding box has the
         * crop's centre; the crop's side is cropFactor times its longer one.
         */
        fun around(landmarks: List<Point>, quaternion: Quaternion, cropFactor: Double = CROP_FACTOR): Crop {
            val roll = turnInPlane(quaternion)
            val c = cos(roll * RADIANS)
            val s = sin(roll * RADIANS)
            val us = landmarks.map { c * it.x - s * it.y }.sorted()
            val vs = landmarks.map { s * it.x + c * it.y }.sorted()
            val u = (us.first() + us.last()) / 2
            val v = (vs.first() + vs.last()) / 2
            val side = max(1.0, cropFactor * max(us.last() - us.first(), vs.last() - vs.first()))
            return Crop(c * u + s * v, c * v - s * u, side, roll)
        }
    }
}

/** The Single Face Network's raw outputs for one crop: pose (7), identity (50), expression (46), gaze (8). */
class RawLook(val pose: FloatArray, val identity: FloatArray, val expression: FloatArray, val gaze: FloatArray)

/**
 * The face with pose, identity, expression and gaze of the Single Face Network's raw outputs for its crop in a picture
 * of width x height pixels. gaze: null for a network before 0.6, which does not see it. Box and score stay.
 */
fun refined(
    face: Face,
    crop: Crop,
    pose: FloatArray,
    identity: FloatArray,
    expression: FloatArray,
    gaze: FloatArray?,
    width: Int,
    height: Int,
    fieldOfView: Double
): Face {
    val side = CROP_SIDE.toFloat()
    val seen = decodePose(pose, 0, Prior(side / 2, side / 2, side, side))
    val half = crop.roll * RADIANS / 2
    val scale = seen.scale * (crop.side / CROP_SIDE).toFloat()
    return Face(
        score = face.score,
        box = face.box,
        quaternion = normalize(multiply(Quaternion(0f, 0f, sin(half).toFloat(), cos(half).toFloat()), seen.quaternion)),
        translation = translation(crop.toPicture(seen.origin), scale, width, height, fieldOfView),
        scale = scale,
        identity = identity,
        expression = FloatArray(EXPRESSIONS) { sigmoid(expression[it]) },
        gaze = gaze?.let { looks -> FloatArray(LOOKS) { sigmoid(looks[it]) } }
    )
}

/**
 * What two looks at a face of the same picture say together: the second one's face, its pose and identity moved by
 * FIRST_LOOK toward the first one's.
 */
fun bothLooks(first: Face, second: Face): Face {
    fun mean(a: Float, b: Float) = b + FIRST_LOOK * (a - b)
    val p = first.quaternion
    val q = second.quaternion
    val side = if (p.x * q.x + p.y * q.y + p.z * q.z + p.w * q.w < 0) -1 else 1 // q and -q are one rotation
    return Face(
        score = second.score,
        box = second.box,
        quaternion = normalize(
            Quaternion(mean(side * p.x, q.x), mean(side * p.y, q.y), mean(side * p.z, q.z), mean(side * p.w, q.w))
        ),
        translation = Translation(
            mean(first.translation.x, second.translation.x),
            mean(first.translation.y, second.translation.y),
            mean(first.translation.z, second.translation.z)
        ),
        scale = 1 / mean(1 / first.scale, 1 / second.scale), // as depth, which is inverse to it
        identity = FloatArray(IDENTITY_MODES) { mean(first.identity[it], second.identity[it]) },
        expression = second.expression,
        gaze = second.gaze
    )
}
