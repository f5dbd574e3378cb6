/* Follows faces from frame to frame with the Single Face Network alone: service/tracking/follow.py in Kotlin, where the
 * limits are derived. A face is cropped around its landmarks in the frame before, and the network estimates it in this
 * one. Errors do not accumulate, since each estimate is made from the picture. */
package mfn.tracking

import kotlin.math.abs
import kotlin.math.acos
import kotlin.math.hypot
import kotlin.math.ln
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt
import mfn.Box
import mfn.CROP_SIDE
import mfn.Crop
import mfn.Face
import mfn.LandmarkModel
import mfn.Picture
import mfn.Point
import mfn.Quaternion
import mfn.RADIANS
import mfn.iou

// Limits of the change from one frame to the next. The network estimates a face in any crop, so a face counts as lost
// where the change is implausible; a false alarm costs a detection.
private const val MIN_SIMILARITY = 0.6 // of the face's patch in both frames, see similarity
private const val MAX_MOVE = 0.25 // face sizes, of the landmarks' centre; beyond it, the face reaches the crop's edge
private const val MAX_GROWTH = 0.15 // of log scale
private const val MAX_TURN = 15.0 // degrees
private const val MAX_IDENTITY_DISTANCE = 3.0 // standard deviations, see Tracker.kt

private const val PATCH_SIDE = 8 // cells along a side of a face's grey patch
private const val PATCH_SAMPLES = 24 // pixels of the picture along a side that these are averaged from
private const val SIMILARITY_FLOOR = 30.0 // grey levels squared; for patches without contrast
private const val MIN_EXTENT = 1e-3f // pixels

/** Centre and size in pixels of the box around landmarks. */
private class Extent(landmarks: List<Point>) {
    private val left = landmarks.minOf { it.x }
    private val right = landmarks.maxOf { it.x }
    private val top = landmarks.minOf { it.y }
    private val bottom = landmarks.maxOf { it.y }
    val x = (left + right) / 2
    val y = (top + bottom) / 2
    val width = max(right - left, MIN_EXTENT)
    val height = max(bottom - top, MIN_EXTENT)
}

/** A detected box relative to the landmarks' extent: offset of its centre and its size, in the latter's sizes. */
private class RelativeBox(val x: Float, val y: Float, val width: Float, val height: Float) {
    constructor(box: Box, extent: Extent) : this(
        ((box.x1 + box.x2) / 2 - extent.x) / extent.width,
        ((box.y1 + box.y2) / 2 - extent.y) / extent.height,
        (box.x2 - box.x1) / extent.width,
        (box.y2 - box.y1) / extent.height
    )

    fun around(extent: Extent): Box {
        val centreX = extent.x + x * extent.width
        val centreY = extent.y + y * extent.height
        val halfWidth = width * extent.width / 2
        val halfHeight = height * extent.height / 2
        return Box(centreX - halfWidth, centreY - halfHeight, centreX + halfWidth, centreY + halfHeight)
    }
}

/** A face of a frame, unsmoothed, to be followed into the next one. patch: (8, 8) grey levels of the face, upright. */
class FollowedFace private constructor(
    val face: Face,
    private val extent: Extent,
    private val frame: RelativeBox,
    private val patch: DoubleArray
) {
    /** The same face, refined in a later picture; its box moves with its landmarks. */
    fun updated(later: Face, picture: Picture, model: LandmarkModel): FollowedFace {
        val landmarks = model.project(later, picture.width, picture.height)
        val extent = Extent(landmarks)
        val patch = patchOf(picture, landmarks, later.quaternion)
        return FollowedFace(later.copy(box = frame.around(extent)), extent, frame, patch)
    }

    /** Whether the face has changed as little as one does within a frame; false where a number is none. */
    internal fun resembles(later: FollowedFace): Boolean {
        val move = hypot(later.extent.x - extent.x, later.extent.y - extent.y) / sqrt(extent.width * extent.height)
        val growth = abs(ln(later.face.scale / face.scale))
        val p = face.quaternion
        val q = later.face.quaternion
        val cosine = abs(p.x * q.x + p.y * q.y + p.z * q.z + p.w * q.w)
        val turn = 2 * acos(min(cosine, 1f)) / RADIANS
        return similarity(patch, later.patch) >= MIN_SIMILARITY &&
            move <= MAX_MOVE && growth <= MAX_GROWTH && turn <= MAX_TURN
    }

    companion object {
        /** Starts to follow a face that was detected and refined in a picture. */
        fun start(face: Face, picture: Picture, model: LandmarkModel): FollowedFace {
            val landmarks = model.project(face, picture.width, picture.height)
            val extent = Extent(landmarks)
            return FollowedFace(
                face, extent, RelativeBox(face.box, extent), patchOf(picture, landmarks, face.quaternion)
            )
        }
    }
}

/**
 * Whether one of several faces is lost in a later frame: whether the network has estimated something else there.
 *
 * identityDistances: of the later identities from those of their tracks, in standard deviations. maxIou: of the boxes
 * of two faces; beyond it, both crops hold the same face.
 */
fun anyLost(
    before: List<FollowedFace>,
    later: List<FollowedFace>,
    identityDistances: List<Double>,
    maxIou: Float
): Boolean = before.indices.any { i ->
    val box = later[i].face.box
    val others = later.indices.filter { it != i }.maxOfOrNull { iou(box, later[it].face.box) } ?: 0f
    !(before[i].resembles(later[i]) && identityDistances[i] <= MAX_IDENTITY_DISTANCE && others <= maxIou)
}

/**
 * Structural similarity of two grey patches: 1 for equal ones, 0 for unrelated ones. It is SSIM without its luminance
 * term (Wang, Bovik, Sheikh and Simoncelli, IEEE Transactions on Image Processing 13, 2004).
 */
private fun similarity(patch: DoubleArray, later: DoubleArray): Double {
    val meanA = patch.average()
    val meanB = later.average()
    val covariance = patch.indices.sumOf { (patch[it] - meanA) * (later[it] - meanB) } / patch.size
    val variances = patch.indices.sumOf {
        (patch[it] - meanA) * (patch[it] - meanA) + (later[it] - meanB) * (later[it] - meanB)
    } / patch.size
    return (2 * covariance + SIMILARITY_FLOOR) / (variances + SIMILARITY_FLOOR)
}

/** Mean grey levels of the upright square around landmarks; edge pixels repeat outside the picture. */
private fun patchOf(picture: Picture, landmarks: List<Point>, quaternion: Quaternion): DoubleArray {
    val crop = Crop.around(landmarks, quaternion, 1.0)
    val step = CROP_SIDE / PATCH_SAMPLES.toFloat()
    val samples = PATCH_SAMPLES / PATCH_SIDE
    val patch = DoubleArray(PATCH_SIDE * PATCH_SIDE)
    for (row in 0 until PATCH_SAMPLES) for (column in 0 until PATCH_SAMPLES) {
        val (x, y) = crop.toPicture(Point((column + 0.5f) * step, (row + 0.5f) * step))
        val green = picture[
            x.coerceIn(0f, picture.width - 1f).toInt(), y.coerceIn(0f, picture.height - 1f).toInt(), GREEN
        ]
        patch[row / samples * PATCH_SIDE + column / samples] += green.toDouble() / (samples * samples)
    }
    return patch
}
