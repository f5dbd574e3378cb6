/* The Multiple Face Network's raw outputs to candidate faces: service/vision/decoding.py, nms.py and voting.py in Kotlin. */
package mfn

import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.ln1p
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import kotlin.math.sqrt
import kotlin.math.tanh

/** A face of the prior's size is about this high. */
const val FACE_HEIGHT_CM = 20f

/** exp of it is 55: no face is that much larger or smaller than its prior. */
const val LOG_LIMIT = 4f

/** Best scores looked at. */
const val MAX_CANDIDATES = 1000

/** Of the score that a candidate's box counts by. */
const val BOX_POWER = 2

/** Of the best score in a group; candidates below it have no say in what the face is. */
const val WITNESS_SHARE = 0.25f

const val IDENTITY_MODES = 50
const val EXPRESSIONS = 46

fun sigmoid(x: Float): Float = (1 + tanh(x / 2)) / 2

private fun boundedExp(x: Float): Float = exp(x.coerceIn(-LOG_LIMIT, LOG_LIMIT))

data class Box(val x1: Float, val y1: Float, val x2: Float, val y2: Float)

/** Width and height of a prior, pixels. */
data class Anchor(val width: Float, val height: Float)

/** A grid of cells of stride x stride pixels with one prior for each anchor. */
data class Level(val stride: Int, val anchors: List<Anchor>)

/** Centre and size, pixels of the network's input. */
data class Prior(val x: Float, val y: Float, val width: Float, val height: Float) {
    /** The length that a pose's origin and scale are coded in. */
    val scale: Float get() = sqrt(width * height)
}

/** Levels in their order, cells row by row, the anchors of a cell together. */
fun buildPriors(levels: List<Level>, side: Int): List<Prior> = levels.flatMap { level ->
    val centres = List(side / level.stride) { (it + 0.5f) * level.stride }
    centres.flatMap { y -> centres.flatMap { x -> level.anchors.map { Prior(x, y, it.width, it.height) } } }
}

/** Of the text of anchors.csv: a line cx,cy,width,height for each prior; lines of other things are passed over. */
fun readPriors(csv: String): List<Prior> = csv.lines()
    .map { line -> line.split(',').mapNotNull { it.trim().toFloatOrNull() } }
    .filter { it.size == 4 }
    .map { (x, y, width, height) -> Prior(x, y, width, height) }

/** The outputs, row by row: detection (N, 5), pose (N, 7), identity (N, 50), expression (N, 46). */
class Raw(val detection: FloatArray, val pose: FloatArray, val identity: FloatArray, val expression: FloatArray)

/** index: of the prior. score: in [0, 1]. */
data class Detection(val index: Int, val score: Float, val box: Box)

/** origin: pixels, of the head frame's origin. scale: pixels a cm. */
data class Pose(val quaternion: Quaternion, val origin: Point, val scale: Float)

/** identity: 50, standard deviations. expression: 46 in [0, 1]. */
class Candidate(
    val score: Float,
    val box: Box,
    val pose: Pose,
    val identity: FloatArray,
    val expression: FloatArray
)

/** Boxes with at least minScore, the best MAX_CANDIDATES of them, in descending score. */
fun detect(detection: FloatArray, priors: List<Prior>, minScore: Double): List<Detection> {
    val threshold = if (minScore < 1) ln(minScore) - ln1p(-minScore) else Double.POSITIVE_INFINITY
    return priors.indices
        .filter { detection[5 * it + 4].toDouble() >= threshold } // a NaN is above no threshold
        .sortedByDescending { detection[5 * it + 4] }
        .take(MAX_CANDIDATES)
        .map { i ->
            val prior = priors[i]
            val x = prior.x + detection[5 * i] * prior.width
            val y = prior.y + detection[5 * i + 1] * prior.height
            val w = prior.width * boundedExp(detection[5 * i + 2]) / 2
            val h = prior.height * boundedExp(detection[5 * i + 3]) / 2
            Detection(i, sigmoid(detection[5 * i + 4]), Box(x - w, y - h, x + w, y + h))
        }
}

/** The pose in row `row` of raw ones. A raw pose of zeros is a head that looks straight out of its prior. */
fun decodePose(raw: FloatArray, row: Int, prior: Prior): Pose {
    val i = 7 * row
    val length = prior.scale
    return Pose(
        quaternion = normalize(Quaternion(raw[i], raw[i + 1], raw[i + 2], raw[i + 3] + 1)),
        origin = Point(prior.x + raw[i + 4] * length, prior.y + raw[i + 5] * length),
        scale = length * boundedExp(raw[i + 6]) / FACE_HEIGHT_CM
    )
}

fun decode(raw: Raw, priors: List<Prior>, detection: Detection): Candidate {
    val i = detection.index
    return Candidate(
        score = detection.score,
        box = detection.box,
        pose = decodePose(raw.pose, i, priors[i]),
        identity = raw.identity.copyOfRange(IDENTITY_MODES * i, IDENTITY_MODES * (i + 1)),
        expression = FloatArray(EXPRESSIONS) { sigmoid(raw.expression[EXPRESSIONS * i + it]) }
    )
}

/** Intersection over union. */
fun iou(a: Box, b: Box): Float {
    val width = max(0f, min(a.x2, b.x2) - max(a.x1, b.x1))
    val height = max(0f, min(a.y2, b.y2) - max(a.y1, b.y1))
    val intersection = width * height
    val union = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - intersection
    return if (union > 0) intersection / union else 0f
}

/** best: of each group, an index, in descending score. member: of each detection its group, -1 for one of none. */
class Groups(val best: List<Int>, val member: IntArray)

/**
 * Greedy non-maximum suppression of detections in descending score: a box stays unless it overlaps one that stays by
 * more than maxIou. At most `limit` stay, and none after the first `eligible`.
 */
fun suppress(detections: List<Detection>, maxIou: Float, limit: Int, eligible: Int): Groups {
    val best = mutableListOf<Int>()
    val member = IntArray(detections.size) { -1 }
    for (i in 0 until eligible) {
        if (best.size == limit) break
        if (member[i] >= 0) continue
        member[i] = best.size
        for (j in i + 1 until detections.size) {
            if (member[j] < 0 && iou(detections[i].box, detections[j].box) > maxIou) member[j] = best.size
        }
        best.add(i)
    }
    return Groups(best, member)
}

/**
 * One candidate a group: the mean of its witnesses, each counting by its score, its box by the score's square: a score
 * tells how well its box fits. The score stays the best one's.
 */
fun merge(candidates: List<Candidate>, groups: Groups): List<Candidate> = groups.best.mapIndexed { group, index ->
    val best = candidates[index]
    val witnesses = candidates.filterIndexed { i, candidate ->
        groups.member[i] == group && candidate.score >= WITNESS_SHARE * best.score
    }
    val total = witnesses.fold(0f) { sum, witness -> sum + witness.score }
    fun boxShare(witness: Candidate) = (witness.score / best.score).pow(BOX_POWER)
    val boxTotal = witnesses.fold(0f) { sum, witness -> sum + boxShare(witness) }
    fun mean(value: (Candidate) -> Float) = witnesses.fold(0f) { sum, it -> sum + it.score / total * value(it) }
    fun edge(value: (Box) -> Float) = witnesses.fold(0f) { sum, it -> sum + boxShare(it) / boxTotal * value(it.box) }

    fun side(witness: Candidate): Float { // q and -q are one rotation: all are to count on the best one's side
        val q = witness.pose.quaternion
        val to = best.pose.quaternion
        return if (q.x * to.x + q.y * to.y + q.z * to.z + q.w * to.w < 0) -1f else 1f
    }
    Candidate(
        score = best.score,
        box = Box(edge { it.x1 }, edge { it.y1 }, edge { it.x2 }, edge { it.y2 }),
        pose = Pose(
            quaternion = normalize(
                Quaternion(
                    mean { side(it) * it.pose.quaternion.x },
                    mean { side(it) * it.pose.quaternion.y },
                    mean { side(it) * it.pose.quaternion.z },
                    mean { side(it) * it.pose.quaternion.w }
                )
            ),
            origin = Point(mean { it.pose.origin.x }, mean { it.pose.origin.y }),
            scale = exp(mean { ln(it.pose.scale) })
        ),
        identity = FloatArray(IDENTITY_MODES) { k -> mean { it.identity[k] } },
        expression = FloatArray(EXPRESSIONS) { k -> mean { it.expression[k] } }
    )
}
