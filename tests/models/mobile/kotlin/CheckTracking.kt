/* Compares models/mobile/kotlin/mfn/tracking with models/mobile/tracking.txt; Check.kt runs it. */
import kotlin.math.abs
import kotlin.math.min
import mfn.*
import mfn.tracking.*

private const val TOLERANCE = 2e-5
private const val SHOWN_LANDMARK = 30

private fun Vectors.list() = floats(whole())
private fun Vectors.coefficients(count: Int) = list().copyOf(count)
private fun Vectors.flag() = whole() == 1
private fun Vectors.box() = Box(float(), float(), float(), float())

private fun Vectors.expectNear(value: Number) = expect(value, TOLERANCE, TOLERANCE)

private fun Vectors.expectCoefficients(values: FloatArray) {
    val given = whole()
    values.forEachIndexed { k, value -> if (k < given) expectNear(value) else check(abs(value) <= TOLERANCE) { value } }
}

private fun Vectors.face(): Face = Face(
    float(), box(), quaternion(), Translation(float(), float(), float()), float(),
    coefficients(IDENTITY_MODES), coefficients(EXPRESSIONS), list().takeIf { it.isNotEmpty() }
)

private fun Vectors.expectFace(face: Face) {
    val (x, y, z, w) = face.quaternion
    val numbers = listOf(face.score, face.box.x1, face.box.y1, face.box.x2, face.box.y2, x, y, z, w) +
        listOf(face.translation.x, face.translation.y, face.translation.z, face.scale)
    numbers.forEach { expectNear(it) }
    expectCoefficients(face.identity)
    expectCoefficients(face.expression)
    expectWhole(face.gaze?.size ?: 0)
    face.gaze?.forEach { expectNear(it) }
}

private fun Vectors.checkAssignment() {
    val rows = whole()
    val columns = whole()
    val limit = double()
    val cost = List(rows) { DoubleArray(columns) { double() } }
    assign(cost, columns, limit).forEach { expectWhole(it) }
}

private fun Vectors.checkTracks() {
    var tracker = Tracker()
    repeat(whole()) {
        val timestamp = double()
        if (flag()) tracker = tracker.restarted()
        val faces = List(whole()) {
            val score = float()
            Face(
                score, box(), Quaternion(0f, 0f, 0f, 1f), Translation(0f, 0f, 0f), 1f, coefficients(IDENTITY_MODES),
                FloatArray(EXPRESSIONS)
            )
        }
        val ids = tracker.update(faces, timestamp)
        for ((face, id) in faces.zip(ids)) {
            expectWhole(id)
            expect(tracker.identityDistance(face.identity, id), 1e-6, 1e-4)
        }
        expectWhole(tracker.alive.size)
        tracker.alive.forEach { expectWhole(it) }
        expectWhole(if (tracker.hasLostTracks) 1 else 0)
    }
}

private fun Vectors.checkSmoothing() {
    val smoother = Smoother(SmoothingOptions(double(), double(), double()))
    repeat(whole()) {
        val timestamp = double()
        val ids = list().map { it.toInt() }
        smoother.keep(ids)
        for (id in ids) expectFace(smoother.smooth(face(), id, timestamp))
    }
}

private fun Vectors.checkNeutral() {
    val calibration = NeutralCalibration()
    repeat(whole()) {
        val timestamp = double()
        when (word()) {
            "calibrate" -> calibration.calibrate()
            "reset" -> calibration.reset()
        }
        val alive = list().map { it.toInt() }
        val ids = list().map { it.toInt() }
        val expressions = ids.map { coefficients(EXPRESSIONS) }
        calibration.subtract(expressions, ids, alive, timestamp).forEachIndexed { i, relative ->
            expectCoefficients(relative)
            expectWord(calibration.state(ids[i]).name.lowercase())
        }
    }
}

/** Waves, whose formula the vectors tell, with a white rectangle; RGB. */
private fun painted(width: Int, height: Int, x1: Int, y1: Int, x2: Int, y2: Int): Picture {
    fun wave(phase: Int) = 2 * abs(phase % 256 - 128)
    val bytes = ByteArray(width * height * 3)
    for (y in 0 until height) for (x in 0 until width) for (c in 0..2) {
        val inside = x in x1 until x2 && y in y1 until y2
        val level = if (inside) 255 else min((wave(3 * x + 40 * c) + wave(5 * y)) / 2, 255)
        bytes[(y * width + x) * 3 + c] = level.toByte()
    }
    return upright(bytes, width, height, 3 * width, 3, 0)
}

private fun Vectors.checkThumbnail() {
    val width = whole()
    val height = whole()
    val before = SceneThumbnail.of(painted(width, height, 0, 0, 0, 0))
    expect(before.cells.average(), 0.5, 0.0)
    val later = SceneThumbnail.of(painted(width, height, whole(), whole(), whole(), whole()))
    val boxes = list().toList().chunked(4) { (x1, y1, x2, y2) -> Box(x1, y1, x2, y2) }
    expectWhole(if (later.differs(before, boxes)) 1 else 0)
}

/** Answers what the vectors hold for the frame. */
private class Scripted(private val priors: Int) : Networks {
    lateinit var raw: Raw
    lateinit var look: RawLook

    fun read(vectors: Vectors) {
        val outputs = COLUMNS.map { FloatArray(it * priors) }
        for (i in 0 until priors) outputs[0][5 * i + 4] = BACKGROUND
        repeat(vectors.whole()) {
            val prior = vectors.whole()
            val row = vectors.list().iterator()
            for ((output, width) in outputs.zip(COLUMNS)) {
                for (k in 0 until width) if (row.hasNext()) output[prior * width + k] = row.next() / UNIT
            }
        }
        raw = Raw(outputs[0], outputs[1], outputs[2], outputs[3])
        val (pose, identity, expression, gaze) = (COLUMNS.drop(1) + LOOKS).map { vectors.coefficients(it) }
        look = RawLook(pose, identity, expression, gaze)
    }

    override fun detect(square: Pixels) = raw
    override fun look(crop: Pixels) = look
}

private fun Vectors.checkStream(landmarks: LandmarkModel) {
    val networks = Scripted(buildPriors(LEVELS, INPUT_SIDE).size)
    val session = Session(Detector(networks, landmarks))
    repeat(whole()) {
        val timestamp = double()
        when (word()) {
            "calibrate" -> session.calibrate()
            "reset" -> session.resetNeutral()
        }
        val picture = painted(160, 120, whole(), whole(), whole(), whole())
        networks.read(this)
        val frame = session.process(picture, timestamp)
        check(!session.accepts(timestamp) && !session.accepts(timestamp - 0.5) && session.accepts(timestamp - 2))
        expectWhole(if (frame.detected) 1 else 0)
        expectWhole(if (frame.restarted) 1 else 0)
        expectWhole(frame.faces.size)
        for (tracked in frame.faces) {
            expectWhole(tracked.id)
            expectFace(tracked.face)
            val (x, y) = tracked.landmarks[SHOWN_LANDMARK]
            expectNear(x)
            expectNear(y)
            expectWord(tracked.neutral.name.lowercase())
        }
    }
}

fun Vectors.checkTracking(landmarks: LandmarkModel) {
    section("assignments") { checkAssignment() }
    section("tracks") { checkTracks() }
    section("smoothed") { checkSmoothing() }
    section("neutral") { checkNeutral() }
    section("thumbnails") { checkThumbnail() }
    section("streams") { checkStream(landmarks) }
}
