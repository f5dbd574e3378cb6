/* The Single Face Network's outputs for a crop and for its mirror image, averaged: service/vision/mirroring.py in
 * Kotlin. Their errors differ, which counts for heads that are turned to the side. */
package mfn

import kotlin.math.abs

/** Degrees of yaw beyond which a head is also inferred from its mirror image. */
const val MIRROR_YAW = 30f

/** Modes of identity that change their sign when a face is mirrored. */
private val ASYMMETRIC_IDENTITY_MODES = setOf(9, 20, 25, 28, 33, 37, 43, 45)

/** Of the raw pose: y and z of the quaternion, and the origin's x. */
private val ASYMMETRIC_POSE = setOf(1, 2, 4)

private val EXPRESSION_PARTNERS = partners(EXPRESSION_NAMES)
private val GAZE_PARTNERS = partners(GAZE_NAMES)

/** Of each name the index of the one that takes its place when a face is mirrored; directions are exchanged, too. */
private fun partners(names: List<String>): List<Int> = names.map { name ->
    val other = when {
        name.endsWith("_L") -> name.dropLast(1) + "R"
        name.endsWith("_R") -> name.dropLast(1) + "L"
        name.endsWith("Left") -> name.removeSuffix("Left") + "Right"
        name.endsWith("Right") -> name.removeSuffix("Right") + "Left"
        else -> name
    }
    names.indexOf(other).also { check(it >= 0) { "no $other beside $name" } }
}

/** Whether a head is turned far enough to either side for a second look at its mirror image. */
fun isTurned(quaternion: Quaternion): Boolean = abs(quaternionToEuler(quaternion).yaw) > MIRROR_YAW

/** The mirror image of pixels. */
fun mirrored(pixels: Pixels): Pixels {
    val result = Pixels(pixels.width, pixels.height)
    for (y in 0 until pixels.height) for (x in 0 until pixels.width) for (c in 0..2) {
        result[pixels.width - 1 - x, y, c] = pixels[x, y, c]
    }
    return result
}

/** The mean of the outputs for a crop and of those for its mirror image. */
fun averaged(straight: RawLook, mirror: RawLook) = RawLook(
    pose = mean(straight.pose) { (if (it in ASYMMETRIC_POSE) -1 else 1) * mirror.pose[it] },
    identity = mean(straight.identity) { (if (it in ASYMMETRIC_IDENTITY_MODES) -1 else 1) * mirror.identity[it] },
    expression = mean(straight.expression) { mirror.expression[EXPRESSION_PARTNERS[it]] },
    gaze = mean(straight.gaze) { mirror.gaze[GAZE_PARTNERS[it]] }
)

private fun mean(values: FloatArray, other: (Int) -> Float) = FloatArray(values.size) { (values[it] + other(it)) / 2 }
