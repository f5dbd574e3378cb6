/* A Kalman filter of a face's box with constant velocity, exact for any time step: service/tracking/kalman.py in
 * Kotlin. The centre in pixels and the logarithm of the size follow the same model, so one covariance, in units of the
 * face's size, serves all four coordinates of a box. */
package mfn.tracking

import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.max
import kotlin.math.sqrt
import mfn.Box

private const val MEASUREMENT_NOISE = 0.03 // face sizes, standard deviation of a detected box's centre
private const val PROCESS_NOISE = 6.0 // power spectral density of the acceleration, face sizes^2 / s^3
private const val INITIAL_SPEED = 2.0 // face sizes / s, standard deviation for a new box
private const val MIN_SIDE = 1e-3 // pixels; keeps the logarithm of a side finite

/**
 * The filter's state. position: centre x, y in pixels, log width, log height. velocity: the same per second. variance,
 * covariance, speedVariance: of position, of position with velocity, and of velocity, in face sizes.
 */
class KalmanBox private constructor(
    val position: DoubleArray,
    private val velocity: DoubleArray,
    private val variance: Double,
    private val covariance: Double,
    private val speedVariance: Double
) {
    val box: Box
        get() {
            val (x, y, logWidth, logHeight) = position
            val halfWidth = exp(logWidth) / 2
            val halfHeight = exp(logHeight) / 2
            return Box(
                (x - halfWidth).toFloat(), (y - halfHeight).toFloat(),
                (x + halfWidth).toFloat(), (y + halfHeight).toFloat()
            )
        }

    /** The geometric mean of the box's sides, pixels. */
    val size: Double get() = exp((position[2] + position[3]) / 2)

    /** Standard deviation of where the next box's centre will be measured, in face sizes. */
    val deviation: Double get() = sqrt(variance + MEASUREMENT_NOISE * MEASUREMENT_NOISE)

    /** The state predicted for a time later. */
    fun predict(seconds: Double): KalmanBox {
        val t = seconds
        return KalmanBox(
            DoubleArray(4) { position[it] + velocity[it] * t },
            velocity,
            variance + 2 * t * covariance + t * t * speedVariance + PROCESS_NOISE * t * t * t / 3,
            covariance + t * speedVariance + PROCESS_NOISE * t * t / 2,
            speedVariance + PROCESS_NOISE * t
        )
    }

    /** The state updated by a measured box. */
    fun update(box: Box): KalmanBox {
        val total = variance + MEASUREMENT_NOISE * MEASUREMENT_NOISE
        val gain = variance / total
        val speedGain = covariance / total
        val measured = positionOf(box)
        return KalmanBox(
            DoubleArray(4) { position[it] + gain * (measured[it] - position[it]) },
            DoubleArray(4) { velocity[it] + speedGain * (measured[it] - position[it]) },
            (1 - gain) * variance,
            (1 - gain) * covariance,
            speedVariance - speedGain * covariance
        )
    }

    companion object {
        /** The state of a box that is seen for the first time. */
        fun start(box: Box) = KalmanBox(
            positionOf(box), DoubleArray(4), MEASUREMENT_NOISE * MEASUREMENT_NOISE, 0.0, INITIAL_SPEED * INITIAL_SPEED
        )
    }
}

private fun positionOf(box: Box): DoubleArray {
    val width = box.x2.toDouble() - box.x1
    val height = box.y2.toDouble() - box.y1
    return doubleArrayOf(
        (box.x1.toDouble() + box.x2) / 2, (box.y1.toDouble() + box.y2) / 2, ln(max(width, MIN_SIDE)),
        ln(max(height, MIN_SIDE))
    )
}
