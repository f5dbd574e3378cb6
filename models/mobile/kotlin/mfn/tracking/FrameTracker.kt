/* Finds the faces of a stream's frames and assigns them to tracks, by detection in the whole picture or by following
 * those of the last frame: service/tracking/frame_tracker.py in Kotlin, with refine and follow on. */
package mfn.tracking

import mfn.Detector
import mfn.Face
import mfn.Picture

private const val DETECT_EVERY = 10 // frames: nine that follow, and one
private const val MAX_FOLLOW_GAP = 0.25 // seconds between frames; after more, faces may have left their crops

/** Seconds after a detection in which neither a changed picture nor a lost track triggers another one. */
private const val MIN_DETECTION_INTERVAL = 0.1

/**
 * The faces of a frame, unsmoothed, in descending score, with the ids of their tracks. detected: in this frame, or
 * followed into it.
 */
class TrackedFaces(val faces: List<Face>, val ids: List<Int>, val detected: Boolean)

/** The last detection of a stream. timestamp: of its frame, seconds. */
private class Detection(val timestamp: Double, val thumbnail: SceneThumbnail, val faces: List<Face>)

/** What the next frame needs to follow: the faces of the last frame and their tracks, `frames` after the detection. */
private class FollowState(
    val detection: Detection,
    val followed: List<FollowedFace>,
    val ids: List<Int>,
    val timestamp: Double,
    val frames: Int
)

/** Finds the faces in one stream's frames and assigns them to tracks. */
class FrameTracker(private val detector: Detector, val tracker: Tracker = Tracker()) {
    private var state: FollowState? = null // none where the next frame cannot follow

    /** One for the same stream at another time: it detects first, and its tracks' ids go on counting. */
    fun restarted() = FrameTracker(detector, tracker.restarted())

    /** Finds and tracks the faces of the next frame. timestamp: seconds. Where this throws, nothing has changed. */
    fun process(picture: Picture, timestamp: Double): TrackedFaces {
        val thumbnail = SceneThumbnail.of(picture)
        val last = state
        if (last != null && !detectionIsDue(last, thumbnail, timestamp)) {
            follow(last, picture, timestamp)?.let { return it }
        }
        return detect(picture, timestamp, thumbnail)
    }

    private fun detectionIsDue(last: FollowState, thumbnail: SceneThumbnail, timestamp: Double): Boolean {
        val detection = last.detection
        val before = detection.thumbnail
        if (thumbnail.width != before.width || thumbnail.height != before.height) return true
        if (last.frames + 1 >= DETECT_EVERY || timestamp - last.timestamp > MAX_FOLLOW_GAP) return true
        if (timestamp - detection.timestamp < MIN_DETECTION_INTERVAL) return false
        val known = (detection.faces + last.followed.map { it.face }).map { it.box }
        return tracker.hasLostTracks || thumbnail.differs(before, known)
    }

    /** Follows the faces of the last frame; null where one of them is lost. */
    private fun follow(last: FollowState, picture: Picture, timestamp: Double): TrackedFaces? {
        val refined = detector.refine(last.followed.map { it.face }, picture)
        val later = last.followed.zip(refined) { before, face -> before.updated(face, picture, detector.landmarks) }
        val faces = later.map { it.face }
        val distances = faces.zip(last.ids) { face, id -> tracker.identityDistance(face.identity, id) }
        if (anyLost(last.followed, later, distances, detector.options.maxIou)) return null
        tracker.follow(faces, last.ids, timestamp)
        state = FollowState(last.detection, later, last.ids, timestamp, last.frames + 1)
        return TrackedFaces(faces, last.ids, detected = false)
    }

    private fun detect(picture: Picture, timestamp: Double, thumbnail: SceneThumbnail): TrackedFaces {
        // Followed faces are the Single Face Network's alone. A blend here would make them jump at each detection.
        val faces = detector.refine(detector.detect(picture), picture)
        val followed = faces.map { FollowedFace.start(it, picture, detector.landmarks) }
        val ids = tracker.update(faces, timestamp)
        state = FollowState(Detection(timestamp, thumbnail, faces), followed, ids, timestamp, 0)
        return TrackedFaces(faces, ids, detected = true)
    }
}
