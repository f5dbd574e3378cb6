/* Where what was found in a camera's frame lies on the screen. */
package mfn

/** Of the axes that headAxes draws. */
const val AXIS_CM = 10f

/** The box in the upright frame of one in a frame of width x height pixels that is turned clockwise by rotation. */
fun uprightBox(box: Box, width: Int, height: Int, rotation: Int): Box = when (rotation) {
    0 -> box
    90 -> Box(height - box.y2, box.x1, height - box.y1, box.x2)
    180 -> Box(width - box.x2, height - box.y2, width - box.x1, height - box.y1)
    270 -> Box(box.y1, width - box.x2, box.y2, width - box.x1)
    else -> throw IllegalArgumentException("rotation is $rotation; expected 0, 90, 180 or 270 degrees")
}

/**
 * From pixels of the upright frame to those of a view that `shown` fills.
 *
 * shown: the part of the frame that the view shows. mirrored: whether the view shows it as a mirror does.
 */
class ViewMapping(
    private val shown: Box,
    private val viewWidth: Int,
    private val viewHeight: Int,
    private val mirrored: Boolean
) {
    fun toView(p: Point): Point {
        val x = (p.x - shown.x1) / (shown.x2 - shown.x1) * viewWidth
        val y = (p.y - shown.y1) / (shown.y2 - shown.y1) * viewHeight
        return Point(if (mirrored) viewWidth - x else x, y)
    }
}

/**
 * Four points of the upright frame of width x height pixels: the head's origin, and the ends of its axes x, to its
 * left, y, upwards, and z, out of the face, each AXIS_CM long.
 */
fun headAxes(face: Face, width: Int, height: Int): List<Point> {
    val x = width / 2f + face.scale * face.translation.x
    val y = height / 2f - face.scale * face.translation.y
    val m = quaternionToMatrix(face.quaternion)
    val length = AXIS_CM * face.scale
    return listOf(Point(x, y)) + List(3) { Point(x + length * m[it], y - length * m[3 + it]) }
}
