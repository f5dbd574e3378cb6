/* A face as ARKit names it: service/vision/arkit.py in Kotlin. Match by name, never by position. */
package mfn

val EXPRESSION_NAMES = listOf(
    "browDown_L", "browDown_R", "browInnerUp_L", "browInnerUp_R", "browOuterUp_L", "browOuterUp_R", "cheekPuff_L",
    "cheekPuff_R", "cheekSquint_L", "cheekSquint_R", "eyeBlink_L", "eyeBlink_R", "eyeSquint_L", "eyeSquint_R",
    "eyeWide_L", "eyeWide_R", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimple_L",
    "mouthDimple_R", "mouthFrown_L", "mouthFrown_R", "mouthFunnel", "mouthLeft", "mouthLowerDown_L",
    "mouthLowerDown_R", "mouthPress_L", "mouthPress_R", "mouthPucker", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmile_L", "mouthSmile_R", "mouthStretch_L",
    "mouthStretch_R", "mouthUpperUp_L", "mouthUpperUp_R", "noseSneer_L", "noseSneer_R", "eyeLookDown"
)

/** In the order of a face's gaze. */
val GAZE_NAMES = listOf(
    "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight",
    "eyeLookUpLeft", "eyeLookUpRight"
)

/** tongueOut stays 0, as the networks cannot see it; so do eyeLookIn, eyeLookOut and eyeLookUp without a gaze. */
val ARKIT_NAMES = listOf(
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut"
)

/** The share that an expression has in a name of ARKit's. */
private fun share(expression: String, arkit: String): Float {
    val stem = expression.removeSuffix("_L").removeSuffix("_R")
    return when {
        stem == "browInnerUp" || stem == "cheekPuff" -> if (arkit == stem) 0.5f else 0f // one there for both halves
        stem == "eyeLookDown" -> if (arkit == "${stem}Left" || arkit == "${stem}Right") 1f else 0f
        expression.endsWith("_L") -> if (arkit == "${stem}Left") 1f else 0f
        expression.endsWith("_R") -> if (arkit == "${stem}Right") 1f else 0f
        else -> if (arkit == stem) 1f else 0f
    }
}

private val SHARES = ARKIT_NAMES.map { arkit -> FloatArray(EXPRESSIONS) { share(EXPRESSION_NAMES[it], arkit) } }

/** The 52 weights in [0, 1] by ARKit's names. Without a gaze the lids stand for eyes that look down. */
fun arkit(expression: FloatArray, gaze: FloatArray? = null): Map<String, Float> {
    val weights = ARKIT_NAMES.indices.associate { i ->
        var weight = 0f
        for (k in expression.indices) weight += SHARES[i][k] * expression[k]
        ARKIT_NAMES[i] to weight
    }
    return if (gaze == null) weights else weights + GAZE_NAMES.zip(gaze.toList())
}
