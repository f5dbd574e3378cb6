/* The whole way from a picture to faces with both networks: service/inference/pipeline.py in Kotlin. */
package mfn

/** The two networks, run by whatever runtime the app has. */
interface Networks {
    /** The Multiple Face Network's outputs for a square of INPUT_SIDE pixels. */
    fun detect(square: Pixels): Raw

    /** The Single Face Network's outputs for a crop of CROP_SIDE pixels. */
    fun look(crop: Pixels): RawLook
}

/** Pixels of the Multiple Face Network's square input. */
const val INPUT_SIDE = 288

/** The published network's priors: levels of models/manifest.json. */
val LEVELS = listOf(
    Level(8, listOf(Anchor(14f, 14f))), Level(16, listOf(Anchor(36f, 36f))), Level(32, listOf(Anchor(110f, 110f)))
)

/** Half of the server's number of faces: each costs a run of the second network on the phone, in every frame. */
const val MAX_FACES = 10

/** Detects and describes the faces of pictures. It holds no state between pictures. */
class Detector(
    private val networks: Networks,
    val landmarks: LandmarkModel,
    val options: Options = Options(maxFaces = MAX_FACES)
) {
    private val priors = buildPriors(LEVELS, INPUT_SIDE)

    /** The faces that the Multiple Face Network finds, in descending score. */
    fun detect(picture: Picture): List<Face> {
        val letterbox = Letterbox.fit(picture.width, picture.height, INPUT_SIDE)
        return findFaces(networks.detect(letterbox.apply(picture)), priors, letterbox, options)
    }

    /**
     * The Single Face Network's estimates of faces alone, not blended with those before; boxes and scores stay.
     *
     * faces: found in this picture, or in a frame shortly before it.
     */
    fun refine(faces: List<Face>, picture: Picture): List<Face> = faces.map { face ->
        val crop = Crop.around(landmarks.project(face, picture.width, picture.height), face.quaternion)
        val pixels = crop.sample(picture)
        val straight = networks.look(pixels)
        val raw = if (isTurned(face.quaternion)) averaged(straight, networks.look(mirrored(pixels))) else straight
        refined(
            face, crop, raw.pose, raw.identity, raw.expression, raw.gaze, picture.width, picture.height,
            options.fieldOfView
        )
    }
}
