package mfn.app

import android.content.res.AssetManager
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import mfn.Networks
import mfn.Pixels
import mfn.Raw
import mfn.RawLook

/** Two threads find room on the big cores; a third that lands on a little one holds the others up. */
private const val THREADS = 2

/** The published int8 networks, run by LiteRT on the processor. Use and close it on one thread. */
class LiteRtNetworks(assets: AssetManager) : Networks, AutoCloseable {
    private val mfn = Network(assets, "mfn.int8.tflite", listOf("detection", "pose", "identity", "expression"))
    private val sfn = Network(assets, "sfn.int8.tflite", listOf("pose", "identity", "expression", "gaze"))

    override fun detect(square: Pixels): Raw {
        val (detection, pose, identity, expression) = mfn.run(square)
        return Raw(detection, pose, identity, expression)
    }

    override fun look(crop: Pixels): RawLook {
        val (pose, identity, expression, gaze) = sfn.run(crop)
        return RawLook(pose, identity, expression, gaze)
    }

    override fun close() {
        mfn.close()
        sfn.close()
    }
}

/** One network with its buffers, which are made once. outputs: their names, in the order of what run returns. */
private class Network(assets: AssetManager, file: String, outputs: List<String>) : AutoCloseable {
    private val model = CompiledModel.create(assets, file, options())
    private val image = model.createInputBuffer("image")
    private val outputs = outputs.associateWith { model.createOutputBuffer(it) }

    fun run(pixels: Pixels): List<FloatArray> {
        image.writeInt8(pixels.bytes) // bytes as they lie in memory: these are uint8
        model.run(mapOf("image" to image), outputs)
        return outputs.values.map { it.readFloat() }
    }

    override fun close() {
        (outputs.values + image).forEach { it.close() }
        model.close()
    }

    private fun options() = CompiledModel.Options(Accelerator.CPU).apply {
        cpuOptions = CompiledModel.CpuOptions(numThreads = THREADS)
    }
}
