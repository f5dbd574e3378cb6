/* Checks models/mobile/kotlin/mfn/Overlay.kt with numbers worked out by hand; Check.kt runs it. */
import kotlin.math.abs
import kotlin.math.sqrt
import mfn.*

private fun expectNear(p: Point, x: Float, y: Float) =
    check(abs(p.x - x) < 1e-4f && abs(p.y - y) < 1e-4f) { "$p stands where ($x, $y) was due" }

/** A mark in the corner of a frame is where `upright` shows it, however the frame is turned. */
private fun checkTurns() {
    val width = 4
    val height = 3
    val bytes = ByteArray(3 * width * height)
    bytes[3 * (2 * width + 1)] = 9 // red of the pixel in column 1, row 2
    for (rotation in listOf(0, 90, 180, 270)) {
        val picture = upright(bytes, width, height, 3 * width, 3, rotation)
        val box = uprightBox(Box(1f, 2f, 2f, 3f), width, height, rotation)
        check(picture[box.x1.toInt(), box.y1.toInt(), 0] == 9) { "$rotation degrees: $box" }
        check(box.x2 - box.x1 == 1f && box.y2 - box.y1 == 1f)
    }
}

private fun checkMapping() {
    // A view of 300 x 600 that shows the middle half of a frame 400 pixels wide and 400 high.
    val shown = Box(100f, 0f, 300f, 400f)
    expectNear(ViewMapping(shown, 300, 600, mirrored = false).toView(Point(150f, 100f)), 75f, 150f)
    expectNear(ViewMapping(shown, 300, 600, mirrored = true).toView(Point(150f, 100f)), 225f, 150f)
}

private fun checkAxes() {
    // 5 pixels a cm: 2 cm to the right of the middle of 640 x 480 and 4 cm above it, so the axes are 50 pixels long.
    val half = sqrt(0.5f)
    fun axes(quaternion: Quaternion) = headAxes(
        Face(
            1f, Box(0f, 0f, 1f, 1f), quaternion, Translation(2f, 4f, -60f), 5f, FloatArray(IDENTITY_MODES),
            FloatArray(EXPRESSIONS)
        ),
        640, 480
    )
    val (origin, x, y, z) = axes(Quaternion(0f, 0f, 0f, 1f))
    expectNear(origin, 330f, 220f)
    expectNear(x, 380f, 220f)
    expectNear(y, 330f, 170f)
    expectNear(z, 330f, 220f) // toward you
    val (_, turnedX, turnedY, turnedZ) = axes(Quaternion(0f, half, 0f, half)) // by 90 degrees to the picture's right
    expectNear(turnedX, 330f, 220f)
    expectNear(turnedY, 330f, 170f)
    expectNear(turnedZ, 380f, 220f)
}

fun checkOverlay() {
    checkTurns()
    checkMapping()
    checkAxes()
}
