/* The One-Euro filter on every quantity of a face: service/tracking/smoothing.py in Kotlin. Steady while a face is
 * still, with little lag while it moves (Casiez, Roussel and Vogel, CHI 2012). Speeds are normalized to units a second
 * that a moving face reaches: face sizes for box and origin, 1 for logarithm of scale, expressions and gaze, radians
 * for the rotation, 10 standard deviations for identity, whose noise looks like speed. A missing gaze stays missing:
 * its filters start anew with the next gaze. */
package mfn.tracking

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.sqrt
import mfn.Box
import mfn.EXPRESSIONS
import mfn.FACE_HEIGHT_CM
import mfn.Face
import mfn.IDENTITY_MODES
import mfn.LOOKS
import mfn.Quaternion
import mfn.Translation
import mfn.inverse
import mfn.multiply
import mfn.normalize
import mfn.quaternionToRotationVector
import mfn.rotationVectorToQuaternion

/**
 * Parameters of the filter. minCutoff: Hz, for a still face; lower is steadier but has more lag. beta: Hz that the
 * cutoff rises by when a face moves at one unit a second; higher has less lag. derivativeCutoff: Hz, of the filter of
 * the speed.
 */
data class SmoothingOptions(val minCutoff: Double = 1.0, val beta: Double = 4.0, val derivativeCutoff: Double = 1.0)

private const val IDENTITY_UNIT = 10.0 // standard deviations

// Columns of the filtered quantities: box and head's origin in pixels, log scale, coefficients and gaze. The rotation
// is a rotation vector, in steps and speeds only.
private const val BOX = 0
private const val ORIGIN = 4
private const val SCALE = 6
private const val IDENTITY = 7
private const val EXPRESSION = IDENTITY + IDENTITY_MODES
private const val GAZE = EXPRESSION + EXPRESSIONS
private const val ROTATION = GAZE + LOOKS
private const val COLUMNS = ROTATION + 3

/**
 * The state of one track's filters. value: smoothed columns before ROTATION. speed: of all columns, filtered, per
 * second. timestamp: of the frame, seconds. Value and speed are NaN in the columns of a missing gaze.
 */
private class State(
    val value: DoubleArray,
    val quaternion: Quaternion,
    val speed: DoubleArray,
    val timestamp: Double
)

/** The filters of one stream, one for each track and quantity. */
class Smoother(private val options: SmoothingOptions = SmoothingOptions()) {
    private val states = mutableMapOf<Int, State>()

    /** A face smoothed with the earlier ones of its track; the first is returned unchanged. timestamp: seconds. */
    fun smooth(face: Face, track: Int, timestamp: Double): Face {
        val last = states[track]
        val state = if (last == null) {
            State(columnsOf(face), face.quaternion, DoubleArray(COLUMNS), timestamp)
        } else {
            next(last, face, timestamp)
        }
        states[track] = state
        return if (last == null) face else replaced(face, state)
    }

    /** Keeps the states of these tracks and forgets all others. */
    fun keep(alive: List<Int>) {
        states.keys.retainAll(alive.toSet())
    }

    private fun next(last: State, face: Face, timestamp: Double): State {
        val measured = columnsOf(face)
        val elapsed = timestamp - last.timestamp
        val turn = quaternionToRotationVector(multiply(face.quaternion, inverse(last.quaternion)))
        val before = DoubleArray(ROTATION) { if (last.value[it].isNaN()) measured[it] else last.value[it] }
        val step = DoubleArray(COLUMNS) {
            if (it < ROTATION) measured[it] - before[it] else turn[it - ROTATION].toDouble()
        }
        val towards = smoothingFactor(options.derivativeCutoff, elapsed)
        val speed = DoubleArray(COLUMNS) {
            val old = if (last.speed[it].isNaN()) 0.0 else last.speed[it]
            old + towards * (step[it] / elapsed - old)
        }
        val normalized = normalizedSpeed(speed, face.scale.toDouble() * FACE_HEIGHT_CM)
        for (k in step.indices) step[k] *= smoothingFactor(options.minCutoff + options.beta * normalized[k], elapsed)
        val taken = rotationVectorToQuaternion(
            step[ROTATION].toFloat(), step[ROTATION + 1].toFloat(), step[ROTATION + 2].toFloat()
        )
        return State(
            value = DoubleArray(ROTATION) { before[it] + step[it] },
            quaternion = normalize(multiply(taken, last.quaternion)), // this is a slerp
            speed = speed,
            timestamp = timestamp
        )
    }
}

/**
 * The filtered columns of a face. The head's origin in pixels stands for its translation: with the latter, a face far
 * from the picture's centre would jump visibly with the jitter of its scale.
 */
private fun columnsOf(face: Face): DoubleArray {
    val scale = face.scale.toDouble()
    val columns = DoubleArray(ROTATION)
    floatArrayOf(face.box.x1, face.box.y1, face.box.x2, face.box.y2).forEachIndexed { k, edge ->
        columns[BOX + k] = edge.toDouble()
    }
    columns[ORIGIN] = scale * face.translation.x
    columns[ORIGIN + 1] = scale * face.translation.y
    columns[SCALE] = ln(scale)
    for (k in 0 until IDENTITY_MODES) columns[IDENTITY + k] = face.identity[k].toDouble()
    for (k in 0 until EXPRESSIONS) columns[EXPRESSION + k] = face.expression[k].toDouble()
    for (k in 0 until LOOKS) columns[GAZE + k] = face.gaze?.get(k)?.toDouble() ?: Double.NaN
    return columns
}

private fun replaced(face: Face, state: State): Face {
    val value = state.value
    val scale = exp(value[SCALE])
    fun clipped(k: Int) = value[k].coerceIn(0.0, 1.0).toFloat()
    return Face(
        score = face.score,
        box = Box(value[0].toFloat(), value[1].toFloat(), value[2].toFloat(), value[3].toFloat()),
        quaternion = state.quaternion,
        translation = Translation(
            (value[ORIGIN] / scale).toFloat(),
            (value[ORIGIN + 1] / scale).toFloat(),
            (face.translation.z * (face.scale / scale)).toFloat() // depth is inverse to scale
        ),
        scale = scale.toFloat(),
        identity = FloatArray(IDENTITY_MODES) { value[IDENTITY + it].toFloat() },
        expression = FloatArray(EXPRESSIONS) { clipped(EXPRESSION + it) },
        gaze = face.gaze?.let { FloatArray(LOOKS) { clipped(GAZE + it) } }
    )
}

/**
 * Absolute speeds in the units a second that this file's beginning tells. The components of a box, an origin and a
 * rotation share their common speed: a box keeps its shape and a path stays straight. size: of the face, pixels.
 */
private fun normalizedSpeed(speed: DoubleArray, size: Double): DoubleArray {
    fun norm(start: Int, end: Int) = sqrt((start until end).sumOf { speed[it] * speed[it] })
    val normalized = DoubleArray(COLUMNS) { abs(speed[it]) }
    normalized.fill(norm(BOX, ORIGIN) / size / sqrt(2.0), BOX, ORIGIN) // of two corners: their root mean square
    normalized.fill(norm(ORIGIN, SCALE) / size, ORIGIN, SCALE)
    for (k in IDENTITY until EXPRESSION) normalized[k] /= IDENTITY_UNIT
    normalized.fill(norm(ROTATION, COLUMNS), ROTATION, COLUMNS)
    return normalized
}

/** The smoothing factor 1 / (1 + tau / T) of a low-pass filter. cutoff: Hz. elapsed: T, seconds. */
private fun smoothingFactor(cutoff: Double, elapsed: Double) = 1 / (1 + 1 / (2 * PI * cutoff * elapsed))
