package mfn.app

import androidx.camera.core.ImageAnalysis
import androidx.camera.core.ImageProxy
import mfn.Box
import mfn.tracking.Frame
import mfn.tracking.Session
import mfn.upright
import mfn.uprightBox

private const val NANOSECONDS = 1e9 // a second
private const val NANOSECONDS_PER_MILLISECOND = 1e6f

/**
 * What was found in a camera's frame. shown: the part of the upright frame that the preview shows. milliseconds: that
 * both networks and everything around them took.
 */
class Seen(val frame: Frame, val shown: Box, val milliseconds: Float)

/**
 * Gives a camera's RGBA frames to a session. CameraX calls it on one thread, and drops the frames that come meanwhile.
 *
 * onSeen, onFailure: called on that thread.
 */
class FaceAnalyzer(
    private val session: Session,
    private val onSeen: (Seen) -> Unit,
    private val onFailure: (Exception) -> Unit
) : ImageAnalysis.Analyzer {
    private var bytes = ByteArray(0)

    override fun analyze(image: ImageProxy) {
        try {
            image.use { seen(it) }?.let(onSeen)
        } catch (error: Exception) { // one frame that fails should not end the app
            onFailure(error)
        }
    }

    /** null for a frame that was overtaken by the last one. */
    private fun seen(image: ImageProxy): Seen? {
        val timestamp = image.imageInfo.timestamp / NANOSECONDS
        if (!session.accepts(timestamp)) return null
        val start = System.nanoTime()
        val rotation = image.imageInfo.rotationDegrees
        val plane = image.planes[0]
        if (bytes.size != plane.buffer.remaining()) bytes = ByteArray(plane.buffer.remaining())
        plane.buffer.get(bytes)
        val picture = upright(bytes, image.width, image.height, plane.rowStride, plane.pixelStride, rotation)
        val frame = session.process(picture, timestamp)
        val crop = image.cropRect
        val box = Box(crop.left.toFloat(), crop.top.toFloat(), crop.right.toFloat(), crop.bottom.toFloat())
        return Seen(
            frame = frame,
            shown = uprightBox(box, image.width, image.height, rotation),
            milliseconds = (System.nanoTime() - start) / NANOSECONDS_PER_MILLISECOND
        )
    }
}
