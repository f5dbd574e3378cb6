/* Faces in the frame of the picture, and the whole way to them: service/vision/faces.py and Pipeline.detect in Kotlin. */
package mfn

import kotlin.math.min
import kotlin.math.tan

/** Of the picture; on fewer no face shows. */
const val MIN_FACE_PIXELS = 6f

/** Numbers of a gaze. */
const val LOOKS = 8

/** cm. */
data class Translation(val x: Float, val y: Float, val z: Float)

/**
 * box: pixels of the picture; may reach past its edges. scale: pixels a cm. identity: 50, standard deviations.
 * expression: 46 in [0, 1], in the order of EXPRESSION_NAMES. gaze: 8 in [0, 1], in the order of GAZE_NAMES; null
 * where no second look was taken.
 */
class Face(
    val score: Float,
    val box: Box,
    val quaternion: Quaternion,
    val translation: Translation,
    val scale: Float,
    val identity: FloatArray,
    val expression: FloatArray,
    val gaze: FloatArray? = null
) {
    /** The same face with another box or expression. */
    fun copy(box: Box = this.box, expression: FloatArray = this.expression) =
        Face(score, box, quaternion, translation, scale, identity, expression, gaze)
}

/**
 * maxIou: boxes that overlap by more than this are one face. maxFaces: the best ones. fieldOfView: degrees, from the
 * picture's top to its bottom.
 */
data class Options(
    val minScore: Double = 0.5,
    val maxIou: Float = 0.5f,
    val maxFaces: Int = 20,
    val fieldOfView: Double = 63.0
)

/**
 * Of a head whose origin projects to these pixels, at scale pixels a cm. Depth cannot be seen under weak perspective;
 * it is reported for a camera with the given field of view.
 */
fun translation(origin: Point, scale: Float, width: Int, height: Int, fieldOfView: Double): Translation {
    val focalLength = height / 2.0 / tan(fieldOfView * RADIANS / 2) // pixels
    return Translation(
        x = (origin.x - width / 2f) / scale,
        y = (height / 2f - origin.y) / scale,
        z = -focalLength.toFloat() / scale
    )
}

/** A candidate in the network's input to a face in the picture that the letterbox holds. */
fun place(candidate: Candidate, letterbox: Letterbox, fieldOfView: Double): Face {
    val low = letterbox.toPicture(Point(candidate.box.x1, candidate.box.y1))
    val high = letterbox.toPicture(Point(candidate.box.x2, candidate.box.y2))
    val origin = letterbox.toPicture(candidate.pose.origin)
    val scale = candidate.pose.scale / letterbox.scale
    return Face(
        score = candidate.score,
        box = Box(low.x, low.y, high.x, high.y),
        quaternion = candidate.pose.quaternion,
        translation = translation(origin, scale, letterbox.width, letterbox.height, fieldOfView),
        scale = scale,
        identity = candidate.identity,
        expression = candidate.expression
    )
}

/** The faces in the picture, in descending score, of the network's raw outputs for what the letterbox made of it. */
fun findFaces(raw: Raw, priors: List<Prior>, letterbox: Letterbox, options: Options = Options()): List<Face> {
    // what a face is must not hang on the score asked for: candidates below it still have their say
    val detections = detect(raw.detection, priors, WITNESS_SHARE * options.minScore)
    val eligible = detections.count { it.score >= options.minScore.toFloat() }
    if (eligible == 0) return emptyList()
    val groups = suppress(detections, options.maxIou, options.maxFaces, eligible)
    return merge(detections.map { decode(raw, priors, it) }, groups)
        .map { place(it, letterbox, options.fieldOfView) }
        .filter { min(it.box.x2 - it.box.x1, it.box.y2 - it.box.y1) >= MIN_FACE_PIXELS }
}
