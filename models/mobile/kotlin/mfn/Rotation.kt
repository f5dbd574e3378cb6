/* Rotations of the head: service/vision/rotation.py in Kotlin. Camera frame right-handed: x to the image's right, y up,
 * z toward the viewer. */
package mfn

import kotlin.math.PI
import kotlin.math.asin
import kotlin.math.atan2
import kotlin.math.cos
import kotlin.math.sin
import kotlin.math.sqrt

/** A rotation of head coordinates into the camera frame; unit, w >= 0. */
data class Quaternion(val x: Float, val y: Float, val z: Float, val w: Float)

/**
 * Degrees. R = Rz(roll) Ry(yaw) Rx(pitch): yaw > 0 turns the face toward the image's right, pitch > 0 looks down,
 * roll > 0 is counter-clockwise as seen.
 */
data class Euler(val yaw: Float, val pitch: Float, val roll: Float)

/** Below this a quaternion has no direction left and stands for no rotation. */
const val MIN_NORM = 1e-8f

/** Of half an angle in radians; below it, sine and angle are equal. */
const val MIN_SINE = 1e-12f

/** A degree. */
const val RADIANS = PI / 180

/** The unit quaternion with w >= 0 of one of any length; a zero one becomes the identity. */
fun normalize(q: Quaternion): Quaternion {
    val length = sqrt(q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w)
    if (length < MIN_NORM) return Quaternion(0f, 0f, 0f, 1f)
    val divisor = if (q.w < 0) -length else length
    return Quaternion(q.x / divisor, q.y / divisor, q.z / divisor, q.w / divisor)
}

/** Hamilton product: the rotation b followed by the rotation a. */
fun multiply(a: Quaternion, b: Quaternion) = Quaternion(
    a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
    a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
    a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
    a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z
)

/** The nine numbers of the rotation matrix, row by row. */
fun quaternionToMatrix(q: Quaternion): FloatArray {
    val (x, y, z, w) = q
    return floatArrayOf(
        1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
        2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
        2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)
    )
}

/** Yaw within [-90, 90]. */
fun quaternionToEuler(q: Quaternion): Euler {
    val m = quaternionToMatrix(q)
    return Euler(
        yaw = (-asin(m[6].coerceIn(-1f, 1f)) / RADIANS).toFloat(),
        pitch = (atan2(m[7], m[8]) / RADIANS).toFloat(),
        roll = (atan2(m[3], m[0]) / RADIANS).toFloat()
    )
}

/**
 * Degrees, counter-clockwise as seen: of the turns within the picture's plane the one nearest to a unit quaternion.
 * Unlike roll, which means nothing at a yaw of 90 degrees, it changes little with the rotation.
 */
fun turnInPlane(q: Quaternion) = 2 * atan2(q.z.toDouble(), q.w.toDouble()) / RADIANS

/** The inverse rotation of a unit quaternion: its conjugate. */
fun inverse(q: Quaternion) = Quaternion(-q.x, -q.y, -q.z, q.w)

/** The rotation vector of a unit quaternion: along the axis, as long as the angle, 0 to pi radians. */
fun quaternionToRotationVector(q: Quaternion): FloatArray {
    val sign = if (q.w < 0) -1 else 1 // q and -q are one rotation
    val sine = sqrt(q.x * q.x + q.y * q.y + q.z * q.z)
    val scale = sign * 2 * (if (sine > MIN_SINE) atan2(sine, sign * q.w) / sine else 1f)
    return floatArrayOf(scale * q.x, scale * q.y, scale * q.z)
}

/** The unit quaternion, w >= 0, of a rotation vector of at most pi radians. */
fun rotationVectorToQuaternion(x: Float, y: Float, z: Float): Quaternion {
    val half = sqrt(x * x + y * y + z * z) / 2
    val scale = (if (half > MIN_SINE) sin(half) / half else 1f) / 2
    return Quaternion(scale * x, scale * y, scale * z, cos(half))
}
