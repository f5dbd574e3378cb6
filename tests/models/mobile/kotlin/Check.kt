/* Compares models/mobile/kotlin with the vectors in models/mobile: `java -jar check.jar vectors.txt tracking.txt
 * landmarks.bin`. Prints a line for each section: how many numbers were compared and how far the worst is off, in
 * tolerances. */
import java.io.File
import kotlin.math.abs
import kotlin.math.max
import kotlin.system.exitProcess
import mfn.*

const val UNIT = 512f // raw outputs are whole multiples of 1 / UNIT
const val BACKGROUND = -8f
val COLUMNS = listOf(5, 7, IDENTITY_MODES, EXPRESSIONS)

class Tally(var numbers: Int = 0, var worst: Double = 0.0)

class Vectors(text: String) {
    private val words = text.lines().flatMap { it.substringBefore('#').split(' ') }.filter { it != "" }.iterator()
    private val tallies = linkedMapOf<String, Tally>()
    private var tally = Tally()

    fun word() = words.next()
    fun whole() = word().toInt()
    fun double() = word().toDouble()
    fun float() = word().toFloat()
    fun floats(count: Int) = FloatArray(count) { float() }
    fun quaternion() = Quaternion(float(), float(), float(), float())
    fun point() = Point(float(), float())

    fun section(name: String, check: () -> Unit) {
        expectWord(name)
        tally = tallies.getOrPut(name) { Tally() }
        repeat(whole()) { check() }
    }

    fun expectWord(value: String) = word().let { check(it == value) { "$it stands where $value was due" } }

    fun expect(value: Number, absolute: Double = 1e-5, relative: Double = 1e-5) {
        val expected = double()
        val off = abs(value.toDouble() - expected) / (absolute + relative * abs(expected))
        tally.numbers++
        tally.worst = if (off.isNaN()) Double.POSITIVE_INFINITY else max(tally.worst, off)
    }

    fun expectWhole(value: Int) = expect(value, 1e-9, 0.0)
    fun expectAll(vararg values: Float) = values.forEach { expect(it) }
    fun expect(q: Quaternion) = expectAll(q.x, q.y, q.z, q.w)
    fun expect(p: Point) = expectAll(p.x, p.y)
    fun expect(box: Box) = expectAll(box.x1, box.y1, box.x2, box.y2)

    fun expectCoefficients(face: Face) {
        expect(face.quaternion)
        expectAll(face.translation.x, face.translation.y, face.translation.z, face.scale)
        expectAll(*face.identity)
        expectAll(*face.expression)
    }

    fun report(): Boolean {
        for ((name, tally) in tallies) {
            println("$name: ${tally.numbers} numbers, worst ${"%.3f".format(tally.worst)} tolerances")
        }
        return tallies.values.all { it.worst <= 1 }
    }
}

fun Vectors.checkRotation() {
    val unit = normalize(quaternion())
    expect(unit)
    expectAll(*quaternionToMatrix(unit))
    val (yaw, pitch, roll) = quaternionToEuler(unit)
    for (angle in listOf(yaw, pitch, roll)) expect(angle, 1e-3, 0.0)
}

fun Vectors.checkLetterbox() {
    val box = Letterbox.fit(whole(), whole(), whole())
    for (value in listOf(box.contentWidth, box.contentHeight, box.offsetX, box.offsetY)) expectWhole(value)
    val points = List(2) { point() }
    points.forEach { expect(box.toSquare(it)) }
    points.forEach { expect(box.toPicture(it)) }
}

fun Vectors.checkArkit() {
    EXPRESSION_NAMES.forEach { expectWord(it) }
    GAZE_NAMES.forEach { expectWord(it) }
    ARKIT_NAMES.forEach { expectWord(it) }
    val expression = floats(EXPRESSIONS)
    val gaze = floats(whole())
    val weights = if (gaze.isEmpty()) arkit(expression) else arkit(expression, gaze)
    ARKIT_NAMES.forEach { expect(weights.getValue(it)) }
}

fun Vectors.checkCase() {
    word()
    val side = whole()
    val levels = List(whole()) { Level(whole(), List(whole()) { Anchor(float(), float()) }) }
    val letterbox = Letterbox.fit(whole(), whole(), side)
    val options = Options(double(), float(), whole(), double())
    val priors = buildPriors(levels, side)
    val outputs = COLUMNS.map { FloatArray(it * priors.size) }
    for (i in priors.indices) outputs[0][5 * i + 4] = BACKGROUND
    repeat(whole()) {
        val prior = whole()
        val row = floats(whole()).iterator()
        for ((output, width) in outputs.zip(COLUMNS)) {
            for (k in 0 until width) if (row.hasNext()) output[prior * width + k] = row.next() / UNIT
        }
    }
    val raw = Raw(outputs[0], outputs[1], outputs[2], outputs[3])

    val found = detect(raw.detection, priors, WITNESS_SHARE * options.minScore)
    val eligible = found.count { it.score >= options.minScore.toFloat() }
    expectWhole(found.size)
    found.forEach { expectWhole(it.index) }
    suppress(found, options.maxIou, options.maxFaces, eligible).member.forEach { expectWhole(it) }

    val faces = findFaces(raw, priors, letterbox, options)
    expectWhole(faces.size)
    for (face in faces) {
        expect(face.score)
        expect(face.box)
        expectCoefficients(face)
    }
}

fun Vectors.checkRefinement(model: LandmarkModel) {
    val width = whole()
    val height = whole()
    val fieldOfView = double()
    val cropFactor = double()
    val quaternion = quaternion()
    val translation = Translation(float(), float(), float())
    val face = Face(0f, Box(0f, 0f, 0f, 0f), quaternion, translation, float(), floats(50), floats(46))
    val landmarks = model.project(face, width, height)
    landmarks.forEach { expect(it) }
    val crop = Crop.around(landmarks, quaternion, cropFactor)
    for (value in listOf(crop.x, crop.y, crop.side)) expect(value)
    expect(crop.roll, 1e-3, 0.0)
    val (pose, identity, expression, gaze) =
        (COLUMNS.drop(1) + LOOKS).map { count -> FloatArray(count) { float() / UNIT } }
    val second = refined(face, crop, pose, identity, expression, gaze, width, height, fieldOfView)
    for (seen in listOf(second, bothLooks(face, second))) {
        expectCoefficients(seen)
        expectAll(*checkNotNull(seen.gaze))
    }
    val blind = refined(second, crop, pose, identity, expression, null, width, height, fieldOfView)
    check(face.gaze == null && blind.gaze == null) { "a gaze that no network saw" }
}

/** The frame that the vectors describe, in rows with a gap behind each; as BGRA where it is upright, else as RGBA. */
fun frame(width: Int, height: Int, rotation: Int): Picture {
    val bgr = rotation == 0
    val rowStride = 4 * width + 12
    val bytes = ByteArray(rowStride * height)
    for (y in 0 until height) for (x in 0 until width) for (c in 0..2) {
        val place = if (bgr) 2 - c else c
        bytes[y * rowStride + 4 * x + place] = (37 * (c + 1) * x + 59 * y + 11 * (x * y % 17)).toByte()
    }
    return upright(bytes, width, height, rowStride, 4, rotation, bgr)
}

fun Vectors.checkSquare() {
    val picture = frame(whole(), whole(), whole())
    val square = Letterbox.fit(picture.width, picture.height, whole()).apply(picture)
    square.bytes.forEach { expect(it.toInt() and 0xFF, 2.0, 0.0) }
}

fun Vectors.checkSample() {
    val picture = frame(whole(), whole(), 0)
    val sample = Crop(double(), double(), double(), double()).sample(picture)
    for (y in 5 until CROP_SIDE step 16) for (x in 5 until CROP_SIDE step 16) for (c in 0..2) {
        expect(sample[x, y, c], 2.0, 0.0)
    }
}

fun main(arguments: Array<String>) {
    val (text, tracking, landmarks) = arguments
    val model = LandmarkModel(File(landmarks).readBytes())
    val vectors = Vectors(File(text).readText())
    with(vectors) {
        section("rotations") { checkRotation() }
        section("letterboxes") { checkLetterbox() }
        section("arkit") { checkArkit() }
        section("cases") { checkCase() }
        section("refinements") { checkRefinement(model) }
        section("squares") { checkSquare() }
        section("samples") { checkSample() }
    }
    checkOverlay()
    val films = Vectors(File(tracking).readText())
    films.checkTracking(model)
    if (!(vectors.report() and films.report())) exitProcess(1)
}
