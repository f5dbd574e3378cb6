package mfn.app

import android.Manifest
import android.content.pm.PackageManager
import android.os.Bundle
import android.view.Gravity
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.Button
import android.widget.FrameLayout
import android.widget.LinearLayout
import androidx.activity.ComponentActivity
import androidx.activity.result.contract.ActivityResultContracts
import androidx.camera.core.CameraSelector
import androidx.camera.core.ImageAnalysis
import androidx.camera.view.CameraController
import androidx.camera.view.LifecycleCameraController
import androidx.camera.view.PreviewView
import com.google.ai.edge.litert.LiteRtException
import java.io.IOException
import java.util.concurrent.Executors
import mfn.Detector
import mfn.LandmarkModel
import mfn.tracking.Session

/** The camera's preview with the faces over it, and two buttons: the other camera, and "this is my resting face". */
class MainActivity : ComponentActivity() {
    /** Networks and session live on this thread. */
    private val analysis = Executors.newSingleThreadExecutor()
    private var networks: LiteRtNetworks? = null
    private var session: Session? = null

    private lateinit var controller: LifecycleCameraController
    private lateinit var overlay: OverlayView
    private var camerasKnown = false

    private val permission = registerForActivityResult(ActivityResultContracts.RequestPermission()) { granted ->
        if (granted) start() else overlay.message = getString(R.string.needs_camera)
    }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        controller = LifecycleCameraController(this).apply {
            setEnabledUseCases(CameraController.IMAGE_ANALYSIS)
            imageAnalysisBackpressureStrategy = ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST
            imageAnalysisOutputImageFormat = ImageAnalysis.OUTPUT_IMAGE_FORMAT_RGBA_8888
            cameraSelector = CameraSelector.DEFAULT_FRONT_CAMERA
        }
        overlay = OverlayView(this)
        setContentView(content())
        if (checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED) {
            start()
        } else {
            permission.launch(Manifest.permission.CAMERA)
        }
    }

    override fun onDestroy() {
        super.onDestroy()
        controller.clearImageAnalysisAnalyzer()
        analysis.execute { networks?.close() }
        analysis.shutdown()
    }

    private fun content() = FrameLayout(this).apply {
        fitsSystemWindows = true
        keepScreenOn = true
        val preview = PreviewView(context).also { it.controller = controller }
        addView(preview, FrameLayout.LayoutParams(MATCH_PARENT, MATCH_PARENT))
        addView(overlay, FrameLayout.LayoutParams(MATCH_PARENT, MATCH_PARENT))
        val buttons = LinearLayout(context).apply {
            addView(button(R.string.other_camera) { switchCamera() })
            addView(button(R.string.take_neutral) { analysis.execute { session?.calibrate() } })
        }
        val below = Gravity.BOTTOM or Gravity.CENTER_HORIZONTAL
        addView(buttons, FrameLayout.LayoutParams(WRAP_CONTENT, WRAP_CONTENT, below))
    }

    private fun button(label: Int, onClick: () -> Unit) = Button(this).apply {
        setText(label)
        setOnClickListener { onClick() }
    }

    /** Opens the camera, and loads the networks beside it. */
    private fun start() {
        controller.bindToLifecycle(this)
        controller.initializationFuture.addListener({ chooseCamera() }, mainExecutor)
        overlay.message = getString(R.string.loading)
        analysis.execute { load() }
    }

    /** Called on the thread of the analysis. */
    private fun load() {
        try {
            val landmarks = LandmarkModel(assets.open("landmarks.bin").use { it.readBytes() })
            val loaded = LiteRtNetworks(assets).also { networks = it }
            val started = Session(Detector(loaded, landmarks)).also { session = it }
            runOnUiThread { analyze(started) }
        } catch (error: LiteRtException) {
            say(R.string.no_networks, error)
        } catch (error: LinkageError) { // LiteRT has no code for this processor
            say(R.string.no_networks, error)
        } catch (error: IOException) {
            say(R.string.no_networks, error)
        }
    }

    private fun analyze(session: Session) {
        if (isDestroyed) return
        overlay.message = ""
        val analyzer = FaceAnalyzer(
            session,
            onSeen = { seen -> runOnUiThread { overlay.show(seen, mirrored()) } },
            onFailure = { say(R.string.frame_failed, it) }
        )
        controller.setImageAnalysisAnalyzer(analysis, analyzer)
    }

    private fun say(message: Int, error: Throwable) = runOnUiThread {
        overlay.message = getString(message, error.message ?: error.javaClass.simpleName)
    }

    /** The front camera, where there is one. Called when CameraX has started, or could not. */
    private fun chooseCamera() {
        val cameras = listOf(CameraSelector.DEFAULT_FRONT_CAMERA, CameraSelector.DEFAULT_BACK_CAMERA)
        camerasKnown = runCatching { controller.initializationFuture.get() }.isSuccess
        val first = cameras.firstOrNull { camerasKnown && controller.hasCamera(it) }
        if (first == null) overlay.message = getString(R.string.no_camera) else controller.cameraSelector = first
    }

    private fun switchCamera() {
        val other = if (mirrored()) CameraSelector.DEFAULT_BACK_CAMERA else CameraSelector.DEFAULT_FRONT_CAMERA
        if (!camerasKnown || !controller.hasCamera(other)) return
        controller.cameraSelector = other
        overlay.show(null, mirrored())
    }

    /** CameraX mirrors the front camera's preview, and never its frames. */
    private fun mirrored() = controller.cameraSelector == CameraSelector.DEFAULT_FRONT_CAMERA
}
