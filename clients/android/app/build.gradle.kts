plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "mfn.app"
    compileSdk = 36

    defaultConfig {
        applicationId = "mfn.app"
        minSdk = 28 // Context.getMainExecutor
        targetSdk = 36
        versionCode = 1
        versionName = "1"
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    androidResources { noCompress += "tflite" } // LiteRT maps the files into memory as they are
}

dependencies {
    implementation(project(":mfn"))
    implementation(libs.activity)
    implementation(libs.camera.camera2)
    implementation(libs.camera.view)
    implementation(libs.litert)
}

/** Copies the published networks into the app's assets. */
abstract class CopyNetworks : DefaultTask() {
    @get:InputFiles abstract val networks: ConfigurableFileCollection

    @get:OutputDirectory abstract val assets: DirectoryProperty

    @get:Inject abstract val files: FileSystemOperations

    @TaskAction
    fun copy() {
        files.sync {
            from(networks)
            into(assets)
        }
    }
}

val models = rootDir.resolve("../../models")
val copyNetworks = tasks.register<CopyNetworks>("copyNetworks") {
    networks.from(
        models.resolve("mfn.int8.tflite"), models.resolve("sfn.int8.tflite"), models.resolve("mobile/landmarks.bin"),
        models.resolve("face_model.LICENSE") // goes with landmarks.bin
    )
}

androidComponents.onVariants { variant ->
    variant.sources.assets?.addGeneratedSourceDirectory(copyNetworks, CopyNetworks::assets)
}
