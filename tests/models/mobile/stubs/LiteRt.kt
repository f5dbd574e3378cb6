/* What the app and the documents use of LiteRT 2.3, a Kotlin library, which publishes no list of its API. */
@file:Suppress("UNUSED_PARAMETER")

package com.google.ai.edge.litert

import android.content.res.AssetManager

class LiteRtException(message: String) : Exception(message)

enum class Accelerator { CPU, GPU }

class TensorBuffer : AutoCloseable {
    fun writeInt8(data: ByteArray) = Unit
    fun writeFloat(data: FloatArray) = Unit
    fun readFloat() = FloatArray(0)
    override fun close() = Unit
}

class CompiledModel : AutoCloseable {
    data class CpuOptions(
        val numThreads: Int? = null,
        val xnnPackFlags: Int? = null,
        val xnnPackWeightCachePath: String? = null
    )

    class Options(vararg val accelerators: Accelerator) {
        var cpuOptions: CpuOptions? = null
    }

    fun createInputBuffer(inputName: String, signature: String? = null) = TensorBuffer()
    fun createOutputBuffer(outputName: String, signature: String? = null) = TensorBuffer()
    fun run(inputs: Map<String, TensorBuffer>, outputs: Map<String, TensorBuffer>, signature: String? = null) = Unit
    override fun close() = Unit

    companion object {
        fun create(assetManager: AssetManager, assetName: String, options: Options) = CompiledModel()
    }
}
