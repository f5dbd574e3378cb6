/* A live stream's state from one frame to the next: service/tracking/session.py in Kotlin. A frame's faces are detected
 * or followed, assigned to tracks, smoothed, and calibrated to each person's neutral face. */
package mfn.tracking

import mfn.Detector
import mfn.Face
import mfn.Picture
import mfn.Point

/**
 * A frame whose time differs by more seconds from the last one's shows that the frames' clock has jumped, or that they
 * paused: by then every track would have ended.
 */
const val JUMP_SECONDS = MAX_AGE_SECONDS

/**
 * A face of a frame. id: the same for a person throughout the stream, from 1, never given to another. face: smoothed,
 * its expression relative to the person's neutral one. landmarks: the 68, pixels of the picture; they follow from the
 * absolute expression.
 */
class TrackedFace(val id: Int, val face: Face, val landmarks: List<Point>, val neutral: NeutralState)

/**
 * The faces of a frame of width x height pixels, in descending score; a followed face keeps that of its detection.
 * detected: in this frame, or followed into it. restarted: whether tracks, smoothing and neutral faces begin anew with
 * it.
 */
class Frame(
    val faces: List<TrackedFace>,
    val width: Int,
    val height: Int,
    val detected: Boolean,
    val restarted: Boolean
)

/** The state of one live stream. Use it from one thread at a time. smoothing: null for none. */
class Session(private val detector: Detector, smoothing: SmoothingOptions? = SmoothingOptions()) {
    private var frameTracker = FrameTracker(detector)
    private val smoother = smoothing?.let { Smoother(it) }
    private val neutral = NeutralCalibration()
    private var last: Double? = null // timestamp of the last frame

    /** Whether a frame of this time, seconds, may come next: it is later than the last one, or the clock has jumped. */
    fun accepts(timestamp: Double): Boolean = last.let { it == null || timestamp > it || hasJumped(timestamp) }

    /** The faces of the next frame. timestamp: seconds from any origin, one that the session accepts. */
    fun process(picture: Picture, timestamp: Double): Frame {
        require(accepts(timestamp)) { "the timestamp is $timestamp, that of the last frame is $last; it must rise" }
        val restarted = hasJumped(timestamp)
        val frames = if (restarted) frameTracker.restarted() else frameTracker
        val tracked = frames.process(picture, timestamp)
        frameTracker = frames
        last = timestamp
        if (restarted) neutral.restart()
        val alive = frames.tracker.alive
        smoother?.keep(alive)
        val smooth = tracked.faces.zip(tracked.ids) { face, id -> smoother?.smooth(face, id, timestamp) ?: face }
        val expressions = neutral.subtract(smooth.map { it.expression }, tracked.ids, alive, timestamp)
        val faces = smooth.indices.map { i ->
            TrackedFace(
                id = tracked.ids[i],
                face = smooth[i].copy(expression = expressions[i]),
                landmarks = detector.landmarks.project(smooth[i], picture.width, picture.height),
                neutral = neutral.state(tracked.ids[i])
            )
        }
        return Frame(faces, picture.width, picture.height, tracked.detected, restarted)
    }

    /** Calibrates: the mean of the second that starts with the next frame becomes each person's neutral face. */
    fun calibrate() = neutral.calibrate()

    /** Ends the calibration: expressions are absolute again from the next frame on. */
    fun resetNeutral() = neutral.reset()

    private fun hasJumped(timestamp: Double): Boolean {
        val elapsed = timestamp - (last ?: return false)
        return elapsed <= -JUMP_SECONDS || elapsed > JUMP_SECONDS
    }
}
