/* Each person's expression at rest, subtracted from what they show: service/tracking/neutral.py in Kotlin. Gaze is not
 * calibrated: it is a direction. */
package mfn.tracking

import kotlin.math.max
import mfn.EXPRESSIONS

private const val COLLECT_SECONDS = 1.0
private const val MIN_RANGE = 0.1f // least range left to a coefficient that is near 1 at rest

/** A track's state: not calibrated, its neutral expression is being collected, or it is being subtracted. */
enum class NeutralState { OFF, COLLECTING, ON }

private class Mean {
    private val total = DoubleArray(EXPRESSIONS)
    var count = 0

    fun add(expression: FloatArray) {
        for (k in total.indices) total[k] += expression[k].toDouble()
        count++
    }

    val value: FloatArray get() = FloatArray(EXPRESSIONS) { (total[it] / count).toFloat() }
}

/**
 * The neutral expressions of one stream's tracks.
 *
 * Collecting starts with a frame and ends with the first frame at least a second later. Tracks that exist when it
 * starts take part; later ones do not, and a track without a face during that second stays as it was. A neutral
 * expression stays in use until the next one has been collected.
 */
class NeutralCalibration {
    private val neutral = mutableMapOf<Int, FloatArray>()
    private var collecting = mutableMapOf<Int, Mean>()
    private var requested = false
    private var end = Double.NEGATIVE_INFINITY

    /** Starts to collect with the next frame; starts again if it is collecting already. */
    fun calibrate() {
        requested = true
    }

    /** Starts to collect anew with the next frame where it is collecting, since time has jumped. */
    fun restart() {
        requested = requested || collecting.isNotEmpty()
    }

    /** Forgets all neutral expressions and stops collecting. */
    fun reset() {
        neutral.clear()
        collecting.clear()
        requested = false
    }

    /**
     * The expressions of a frame's faces relative to each track's neutral one: 0 where that is or below, 1 at 1.
     *
     * ids: of the faces' tracks. alive: all tracks that the tracker keeps; others are forgotten. timestamp: seconds.
     */
    fun subtract(
        expressions: List<FloatArray>,
        ids: List<Int>,
        alive: List<Int>,
        timestamp: Double
    ): List<FloatArray> {
        neutral.keys.retainAll(alive.toSet())
        collecting.keys.retainAll(alive.toSet())
        if (requested) {
            requested = false
            end = timestamp + COLLECT_SECONDS
            collecting = alive.associateWithTo(mutableMapOf()) { Mean() }
        } else if (collecting.isNotEmpty() && timestamp >= end) {
            for ((track, mean) in collecting) if (mean.count > 0) neutral[track] = mean.value
            collecting.clear()
        }
        return expressions.zip(ids) { expression, track ->
            collecting[track]?.add(expression)
            neutral[track]?.let { relativeToNeutral(expression, it) } ?: expression
        }
    }

    /** The state of a track after the last frame. */
    fun state(track: Int): NeutralState = when (track) {
        in collecting -> NeutralState.COLLECTING
        in neutral -> NeutralState.ON
        else -> NeutralState.OFF
    }
}

/** An expression e relative to a neutral one n: (e - n) / (1 - n), within [0, 1]. */
fun relativeToNeutral(expression: FloatArray, neutral: FloatArray) = FloatArray(EXPRESSIONS) {
    ((expression[it] - neutral[it]) / max(1 - neutral[it], MIN_RANGE)).coerceIn(0f, 1f)
}
