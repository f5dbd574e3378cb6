/* Runs a session on frames from standard input: `java -cp check.jar FilmKt landmarks.bin`. Whoever writes them runs the
 * networks, and asks by and by. All numbers are big-endian.
 *
 * In: of a frame width, height, rotation (int), timestamp (double), RGBA bytes; a width of -1 ends. Out: 1 and a
 * square, or 2 and a crop (RGB bytes), for which the network's outputs are due (float); then 3, 1 where the faces were
 * detected in this frame, faces (int), of each its track (int), box, quaternion, translation, scale, expression, gaze,
 * landmarks (float). */
import java.io.BufferedOutputStream
import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.File
import java.nio.ByteBuffer
import mfn.*
import mfn.tracking.*

private class Asked(private val input: DataInputStream, private val output: DataOutputStream) : Networks {
    private val priors = buildPriors(LEVELS, INPUT_SIDE).size

    override fun detect(square: Pixels): Raw {
        val (detection, pose, identity, expression) = ask(1, square, COLUMNS.map { it * priors })
        return Raw(detection, pose, identity, expression)
    }

    override fun look(crop: Pixels): RawLook {
        val (pose, identity, expression, gaze) = ask(2, crop, COLUMNS.drop(1) + LOOKS)
        return RawLook(pose, identity, expression, gaze)
    }

    private fun ask(network: Int, pixels: Pixels, sizes: List<Int>): List<FloatArray> {
        output.writeInt(network)
        output.write(pixels.bytes)
        output.flush()
        return sizes.map { size ->
            val bytes = ByteArray(4 * size).also { input.readFully(it) }
            FloatArray(size).also { ByteBuffer.wrap(bytes).asFloatBuffer().get(it) }
        }
    }
}

private fun DataOutputStream.write(person: TrackedFace) {
    val face = person.face
    val (x, y, z, w) = face.quaternion
    writeInt(person.id)
    val numbers = listOf(face.box.x1, face.box.y1, face.box.x2, face.box.y2, x, y, z, w) +
        listOf(face.translation.x, face.translation.y, face.translation.z, face.scale) +
        face.expression.toList() + checkNotNull(face.gaze).toList() + person.landmarks.flatMap { listOf(it.x, it.y) }
    numbers.forEach { writeFloat(it) }
}

fun main(arguments: Array<String>) {
    val input = DataInputStream(System.`in`.buffered())
    val output = DataOutputStream(BufferedOutputStream(System.out))
    val session = Session(Detector(Asked(input, output), LandmarkModel(File(arguments[0]).readBytes())))
    while (true) {
        val width = input.readInt()
        if (width < 0) return
        val height = input.readInt()
        val rotation = input.readInt()
        val timestamp = input.readDouble()
        val bytes = ByteArray(4 * width * height).also { input.readFully(it) }
        val frame = session.process(upright(bytes, width, height, 4 * width, 4, rotation), timestamp)
        output.writeInt(3)
        output.writeInt(if (frame.detected) 1 else 0)
        output.writeInt(frame.faces.size)
        frame.faces.forEach { output.write(it) }
        output.flush()
    }
}
