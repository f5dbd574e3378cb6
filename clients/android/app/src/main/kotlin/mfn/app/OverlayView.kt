package mfn.app

import android.content.Context
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.view.View
import java.util.Locale
import mfn.Face
import mfn.Point
import mfn.ViewMapping
import mfn.arkit
import mfn.headAxes
import mfn.tracking.NeutralState
import mfn.tracking.TrackedFace

private const val SHOWN_WEIGHTS = 4 // the strongest, beside each face
private const val LEAST_WEIGHT = 0.1f

/** Draws the last frame's faces over the camera's preview: box, 68 landmarks, the head's axes, strongest weights. */
class OverlayView(context: Context) : View(context) {
    private val density = resources.displayMetrics.density
    private val outline = stroke(Color.WHITE)
    private val axes = listOf(Color.RED, Color.GREEN, Color.BLUE).map { stroke(it) } // x, y, z
    private val dot = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = Color.CYAN }
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = Color.WHITE
        textSize = 14 * density
        setShadowLayer(2 * density, 0f, 0f, Color.BLACK)
    }
    private var seen: Seen? = null
    private var mirrored = false

    /** A sentence at the top; empty for none. */
    var message = ""
        set(value) {
            field = value
            invalidate()
        }

    /** Shows what was found in a frame; null for nothing. mirrored: whether the preview shows it as a mirror does. */
    fun show(seen: Seen?, mirrored: Boolean) {
        this.seen = seen
        this.mirrored = mirrored
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        super.onDraw(canvas)
        val line = text.textSize * 1.3f
        canvas.drawText(message, line / 2, 2 * line, text)
        val now = seen ?: return
        val mapping = ViewMapping(now.shown, width, height, mirrored)
        for (tracked in now.frame.faces) drawFace(canvas, tracked, now, mapping)
        val how = if (now.frame.detected) "searched" else "followed"
        canvas.drawText("%.0f ms, %s".format(Locale.ROOT, now.milliseconds, how), line / 2, line, text)
    }

    private fun drawFace(canvas: Canvas, tracked: TrackedFace, seen: Seen, mapping: ViewMapping) {
        val face = tracked.face
        val a = mapping.toView(Point(face.box.x1, face.box.y1))
        val b = mapping.toView(Point(face.box.x2, face.box.y2))
        val left = minOf(a.x, b.x)
        canvas.drawRect(left, a.y, maxOf(a.x, b.x), b.y, outline)
        for (landmark in tracked.landmarks) {
            val (x, y) = mapping.toView(landmark)
            canvas.drawCircle(x, y, 2 * density, dot)
        }
        val (origin, ends) = headAxes(face, seen.frame.width, seen.frame.height).map { mapping.toView(it) }
            .let { it.first() to it.drop(1) }
        for ((end, paint) in ends.zip(axes)) canvas.drawLine(origin.x, origin.y, end.x, end.y, paint)
        val labels = labels(tracked)
        val line = text.textSize * 1.2f
        val top = minOf(b.y, height - (labels.size + 0.5f) * line) // below the box, where there is room
        labels.forEachIndexed { i, label -> canvas.drawText(label, left, top + (i + 1) * line, text) }
    }

    private fun labels(tracked: TrackedFace): List<String> {
        val state = if (tracked.neutral == NeutralState.COLLECTING) ", hold your resting face" else ""
        return listOf("${tracked.id}$state") + strongest(tracked.face).map { (name, weight) ->
            "%s %.2f".format(Locale.ROOT, name, weight)
        }
    }

    private fun strongest(face: Face) = arkit(face.expression, face.gaze).entries
        .filter { it.value >= LEAST_WEIGHT }
        .sortedByDescending { it.value }
        .take(SHOWN_WEIGHTS)

    private fun stroke(color: Int) = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        this.color = color
        style = Paint.Style.STROKE
        strokeWidth = 2 * density
    }
}
