// What lies around the networks, in Kotlin without Android: the sources are those in models/mobile/kotlin, and the
// check is the project's own, tests/models/mobile, which compares them with what the service's Python gives.
import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
}

val checkout = rootDir.resolve("../..")
val mobile = checkout.resolve("models/mobile")

java {
    sourceCompatibility = JavaVersion.VERSION_17
    targetCompatibility = JavaVersion.VERSION_17
}

kotlin {
    compilerOptions { jvmTarget = JvmTarget.JVM_17 }
    sourceSets {
        main { kotlin.srcDir(mobile.resolve("kotlin")) }
        test { kotlin.setSrcDirs(listOf(checkout.resolve("tests/models/mobile/kotlin"))) }
    }
}

val vectors = tasks.register<JavaExec>("vectors") {
    group = "verification"
    description = "Compares the Kotlin with the test vectors in models/mobile."
    classpath = sourceSets.test.get().runtimeClasspath
    mainClass = "CheckKt"
    args(listOf("vectors.txt", "tracking.txt", "landmarks.bin").map { mobile.resolve(it) })
}

tasks.check { dependsOn(vectors) }
