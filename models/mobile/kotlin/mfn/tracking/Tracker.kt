/* Assigns faces to tracks from frame to frame, by position and by identity: service/tracking/tracker.py in Kotlin,
 * where the constants are derived. Only the time between frames matters, not their number. */
package mfn.tracking

import kotlin.math.abs
import kotlin.math.hypot
import kotlin.math.ln
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt
import mfn.Face
import mfn.IDENTITY_MODES
import mfn.iou

/** Seconds without a face after which a track ends. */
const val MAX_AGE_SECONDS = 1.0

private const val MAX_TRACKS = 200 // kept from before a frame, those with the latest faces
private const val MIN_IOU = 0.1f // of a face's box and a track's predicted box that overlap

/** Standard deviations of a track's position within which a face without overlap may be it. */
private const val GATE_DEVIATIONS = 3.0
private const val MAX_TRACK_GROWTH = 0.5 // of log size, for such a face; a factor of 1.6

// Distances of identities, in standard deviations of one frame's coefficients around the track's mean.
private const val SAME_IDENTITY = 2.0 // below it: may be the same person, if the position fits roughly
private const val OTHER_IDENTITY = 3.0 // above it: another person, if the track was lost; cost is highest there

// Standard deviation of a frame's identity coefficients, in those of the face model's modes.
private const val INITIAL_NOISE = 0.15 // before it has been estimated in this stream
private const val MIN_NOISE = 0.12 // a still face shows less noise than it will have when it turns
private const val MAX_NOISE = 0.4
private const val NOISE_SECONDS = 10.0 // of visible faces that the noise is estimated from
private const val MEAN_SECONDS = 3.0 // of a clearly visible face that its mean identity is taken over
private const val FIRST_SECONDS = 1.0 / 30 // weight of a track's first frame
private const val MAX_STEP = 0.1 // seconds, weight of any other frame at most

private const val IDENTITY_COST = 1.0 // of an identity at OTHER_IDENTITY; a box without overlap costs 1 to 1.5
private const val NEW_TRACK_COST = 1.5 + IDENTITY_COST + 0.1 // more than the cost of any track that a face may be

/**
 * One person. motion: of the box. identity: 50, running means. evidence: seconds of a clearly visible face in them.
 * lastSeen: timestamp of the last face, seconds.
 */
private class Track(
    val id: Int,
    val motion: KalmanBox,
    val identity: DoubleArray,
    val evidence: Double,
    val lastSeen: Double
) {
    fun predicted(seconds: Double) = Track(id, motion.predict(seconds), identity, evidence, lastSeen)
}

/** The tracks of one stream. Ids count up from 1 and are never reused. Timestamps are seconds. */
class Tracker private constructor(private var nextId: Int, private var noise: Double) {
    constructor() : this(1, INITIAL_NOISE)

    private var tracks = listOf<Track>() // in ascending id
    private var now = Double.NEGATIVE_INFINITY // timestamp of the last frame

    /** A tracker for the same stream at another time: it has no tracks yet, and its ids go on counting. */
    fun restarted() = Tracker(nextId, noise)

    /** Ids of the tracks that have not ended, visible in the last frame or lost. */
    val alive: List<Int> get() = tracks.map { it.id }

    /** Whether a track that has not ended had no face in the last frame. */
    val hasLostTracks: Boolean get() = tracks.any { it.lastSeen < now }

    /** Distance of an identity from a track's mean, in standard deviations of a frame; infinite where it has ended. */
    fun identityDistance(identity: FloatArray, id: Int): Double =
        tracks.find { it.id == id }?.let { distance(identity, it.identity) } ?: Double.POSITIVE_INFINITY

    /** Assigns the faces detected in a frame to tracks. Returns their ids; a face without a track starts one. */
    fun update(faces: List<Face>, timestamp: Double): List<Int> {
        val known = tracksAt(timestamp)
        val cost = faces.map { face -> DoubleArray(known.size) { cost(face, known[it]) } }
        val column = assign(cost, known.size, NEW_TRACK_COST)
        val pairs = faces.indices.filter { column[it] >= 0 }.map { faces[it] to known[column[it]] }
        val ids = column.map { if (it < 0) nextId++ else known[it].id }
        updateTracks(known, pairs, timestamp)
        tracks = tracks + faces.indices.filter { column[it] < 0 }.map { start(faces[it], ids[it], timestamp) }
        return ids
    }

    /** Updates the tracks of faces that were followed into a frame; these tracks must not have ended. ids: theirs. */
    fun follow(faces: List<Face>, ids: List<Int>, timestamp: Double) {
        val known = tracksAt(timestamp)
        updateTracks(known, faces.zip(ids).map { (face, id) -> face to known.first { it.id == id } }, timestamp)
    }

    private fun start(face: Face, id: Int, timestamp: Double) = Track(
        id,
        KalmanBox.start(face.box),
        DoubleArray(IDENTITY_MODES) { face.identity[it].toDouble() },
        face.score * FIRST_SECONDS,
        timestamp
    )

    /** The tracks that have not ended at a later time, predicted for it. */
    private fun tracksAt(timestamp: Double): List<Track> = tracks
        .filter { timestamp - it.lastSeen <= MAX_AGE_SECONDS }
        .sortedByDescending { it.lastSeen }
        .take(MAX_TRACKS)
        .sortedBy { it.id }
        .map { it.predicted(timestamp - now) }

    /** The cost of assigning a face to a track; infinite where that is impossible. */
    private fun cost(face: Face, track: Track): Double {
        val motion = track.motion
        val measured = KalmanBox.start(face.box)
        val overlap = iou(face.box, motion.box)
        val away = hypot(measured.position[0] - motion.position[0], measured.position[1] - motion.position[1])
        val distance = away / (motion.size * motion.deviation * GATE_DEVIATIONS)
        val growth = abs(ln(measured.size / motion.size))
        val identityDistance = distance(face.identity, track.identity)
        val overlaps = overlap >= MIN_IOU
        val near = distance <= 1 && growth <= MAX_TRACK_GROWTH && identityDistance <= SAME_IDENTITY
        // The identity of a visible face may be wrong for a moment, but a face in the place of a lost one must match
        // it.
        val otherPerson = identityDistance > OTHER_IDENTITY && track.lastSeen < now
        if (!(overlaps || near) || otherPerson) return Double.POSITIVE_INFINITY
        val position = if (overlaps) 1.0 - overlap else 1 + distance / 2
        return position + IDENTITY_COST * min(identityDistance / OTHER_IDENTITY, 1.0)
    }

    /** Updates tracks by their faces, and keeps the others. known: predicted for the timestamp. */
    private fun updateTracks(known: List<Track>, pairs: List<Pair<Face, Track>>, timestamp: Double) {
        val step = min(timestamp - now, MAX_STEP)
        val boxes = known.associateWith { it.motion.box }
        val squares = mutableListOf<Double>() // mean squares of clearly visible identities' deviations
        val updated = pairs.associate { (face, track) ->
            // Where two faces overlap, pixels of one may influence the estimate of the other.
            val covered = boxes.entries.filter { it.key !== track }.maxOfOrNull { iou(face.box, it.value) } ?: 0f
            val weight = face.score * (1.0 - covered) * step
            val evidence = min(track.evidence, MEAN_SECONDS)
            val share = weight / (evidence + weight)
            if (covered == 0f && track.lastSeen == now) squares.add(meanSquare(face.identity, track.identity))
            val identity = DoubleArray(IDENTITY_MODES) {
                track.identity[it] + share * (face.identity[it] - track.identity[it])
            }
            track.id to Track(track.id, track.motion.update(face.box), identity, evidence + weight, timestamp)
        }
        if (squares.isNotEmpty()) estimateNoise(squares, step)
        tracks = known.map { updated[it.id] ?: it }
        now = timestamp
    }

    private fun estimateNoise(squares: List<Double>, step: Double) {
        val gain = min(1.0, squares.size * step / NOISE_SECONDS)
        val variance = noise * noise + gain * (squares.average() - noise * noise)
        noise = sqrt(max(variance, 0.0)).coerceIn(MIN_NOISE, MAX_NOISE)
    }

    /** Root mean square of the difference of two identities, in standard deviations of a frame. */
    private fun distance(identity: FloatArray, mean: DoubleArray): Double = sqrt(meanSquare(identity, mean)) / noise
}

private fun meanSquare(identity: FloatArray, mean: DoubleArray): Double =
    mean.indices.sumOf { (identity[it] - mean[it]) * (identity[it] - mean[it]) } / mean.size
