@file:Suppress("UNUSED_PARAMETER")

package androidx.camera.core

import java.nio.ByteBuffer
import java.util.concurrent.Executor

interface ImageInfo {
    val rotationDegrees: Int
}

interface ImageProxy : AutoCloseable {
    interface PlaneProxy {
        val rowStride: Int
        val pixelStride: Int
        val buffer: ByteBuffer
    }

    val planes: Array<PlaneProxy>
    val width: Int
    val height: Int
    val imageInfo: ImageInfo
}

class ImageAnalysis {
    interface Analyzer {
        fun analyze(image: ImageProxy)
    }

    class Builder {
        fun setOutputImageFormat(format: Int) = this
        fun setBackpressureStrategy(strategy: Int) = this
        fun build() = ImageAnalysis()
    }

    fun setAnalyzer(executor: Executor, analyzer: Analyzer) = Unit

    companion object {
        const val OUTPUT_IMAGE_FORMAT_RGBA_8888 = 2
        const val STRATEGY_KEEP_ONLY_LATEST = 0
    }
}
