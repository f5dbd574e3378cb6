"""Opens a character in Blender and tells what it has become there; runs in the interpreter of the package bpy.

    python blender.py CHARACTER.glb EXPORTED.glb PICTURE.png

Prints JSON, see test_readers.py. EXPORTED.glb is what Blender makes of it; PICTURE.png shows it with an open jaw, a
shut left eye and a turned head.
"""

import importlib
import json
import math
import sys
from typing import Any

import numpy as np

bpy: Any = importlib.import_module("bpy")
mathutils: Any = importlib.import_module("mathutils")

SIDE = 256  # pixels of the picture


def from_blender(points: np.ndarray) -> np.ndarray:
    """(..., 3) in the frame of glTF: there z is up and y away from the viewer."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def coordinates(points: Any) -> np.ndarray:
    """(V, 3) of Blender's vertices or a shape key's points."""
    flat = np.empty(3 * len(points))
    points.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def targets(face: Any) -> dict[str, list[list[float]]]:
    """Where each shape key moves the face, and how."""
    keys = face.data.shape_keys.key_blocks
    rest = from_blender(coordinates(keys[0].data))
    told = {}
    for key in keys[1:]:
        moved = from_blender(coordinates(key.data)) - rest
        weight = (moved**2).sum(1)
        total = weight.sum()
        told[key.name] = [(weight @ rest / total).tolist(), (weight @ moved / total).tolist()]
    return told


def places(armature: Any) -> dict[str, list[float]]:
    """Where bones and eyes are."""
    found = {bone.name: armature.matrix_world @ bone.matrix.translation for bone in armature.pose.bones}
    found |= {name: bpy.data.objects[name].matrix_world.translation for name in ("eye_left", "eye_right")}
    return {name: from_blender(np.array(place)).tolist() for name, place in found.items()}


def turned(armature: Any, face: Any) -> dict[str, list[float]]:
    """How far the face's tip and foot and an eye go when the head turns by 30 degrees toward the subject's left."""
    before = shown(face), places(armature)["eye_left"]
    bone = armature.pose.bones["head"]
    turn = mathutils.Quaternion((0, 0, 1), math.radians(30)).to_matrix().to_4x4()
    middle = mathutils.Matrix.Translation(bone.matrix.translation)
    bone.matrix = middle @ turn @ middle.inverted() @ bone.matrix
    bpy.context.view_layer.update()
    after = shown(face), places(armature)["eye_left"]
    moved = after[0] - before[0]
    return {
        "tip": moved[before[0][:, 2].argmax()].tolist(),
        "foot": moved[before[0][:, 1].argmin()].tolist(),
        "eye_left": (np.array(after[1]) - before[1]).tolist(),
    }


def shown(face: Any) -> np.ndarray:
    """(V, 3) the face's vertices after its bones and shape keys."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    return from_blender(coordinates(face.evaluated_get(depsgraph).data.vertices))


def render(file: str) -> None:
    """Takes the picture."""
    scene = bpy.context.scene
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location, camera.rotation_euler = (0, -0.95, 0.17), (math.radians(90), 0, 0)
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 3, (math.radians(50), 0, math.radians(-25))
    for each in (camera, sun):
        scene.collection.objects.link(each)
    scene.camera, scene.world = camera, bpy.data.worlds.new("world")
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 24, False
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.filepath = file
    bpy.ops.render.render(write_still=True)


def main(character: str, exported: str, picture: str) -> None:
    """Runs the command."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=character)
    face = bpy.data.objects["face"]
    armature = face.find_armature()
    facts = {
        "program": f"Blender {bpy.app.version_string}",
        "targets": targets(face),
        "places": places(armature),
        "materials": sorted(slot.material.name for slot in face.material_slots),
    }
    bpy.ops.export_scene.gltf(filepath=exported, export_format="GLB")
    facts["turned"] = turned(armature, face)
    keys = face.data.shape_keys.key_blocks
    keys["jawOpen"].value, keys["eyeBlinkLeft"].value = 0.6, 1
    render(picture)
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
