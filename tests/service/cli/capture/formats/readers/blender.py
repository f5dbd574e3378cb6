"""Opens a take's .glb and .bvh in Blender and tells what they do; runs in the interpreter of the package bpy.

    python blender.py TAKE.glb TAKE.bvh FRAMES_A_SECOND FRAME...

Prints JSON, see test_blender.py: for each frame the shape keys that are not 0, and how far head and left eye are turned
in the world, as x, y, z, w in glTF's axes.
"""

import importlib
import json
import math
import sys
from typing import Any

bpy: Any = importlib.import_module("bpy")

RATE = 1000  # frames a second of the scene: Blender's importer of glTF takes whole ones


def gltf_axes(quaternion: Any) -> list[float]:
    """Blender's w, x, y, z with z up as x, y, z, w with y up."""
    w, x, y, z = quaternion
    return [x, z, -y, w]


def turned(armature: Any, bone: str) -> list[float]:
    """How far a bone is turned from its rest pose, in the world."""
    world = armature.matrix_world.to_quaternion()
    rest = (world @ armature.data.bones[bone].matrix_local.to_quaternion()).inverted()
    return gltf_axes(world @ armature.pose.bones[bone].matrix.to_quaternion() @ rest)


def character(file: str, seconds: list[float]) -> list[dict[str, Any]]:
    """What the character of a .glb does at some times."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = RATE
    bpy.ops.import_scene.gltf(filepath=file)
    (face,) = (each for each in bpy.data.objects if each.type == "MESH" and each.data.shape_keys)
    armature = face.find_armature()
    told = []
    for moment in seconds:
        part, whole = math.modf(moment * RATE)
        scene.frame_set(int(whole), subframe=part)
        eye = bpy.data.objects["eye_left"].matrix_world.to_quaternion()
        keys = {key.name: key.value for key in face.data.shape_keys.key_blocks[1:] if abs(key.value) > 1e-6}
        told.append({"keys": keys, "head": turned(armature, "head"), "eye_left": gltf_axes(eye)})
    return told


def skeleton(file: str, frames: list[int]) -> dict[str, Any]:
    """What the skeleton of a .bvh does in some frames, and the frame rate."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_anim.bvh(filepath=file, update_scene_fps=True)
    (armature,) = bpy.data.objects
    scene, heads = bpy.context.scene, []
    for frame in frames:
        scene.frame_set(frame + 1)  # its first one is 1
        heads.append(turned(armature, "Head"))
    return {"rate": scene.render.fps / scene.render.fps_base, "heads": heads}


def main(glb: str, bvh: str, rate: str, *frames: str) -> None:
    """Runs the command."""
    numbers = [int(frame) for frame in frames]
    told = {"glb": character(glb, [frame / float(rate) for frame in numbers]), "bvh": skeleton(bvh, numbers)}
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
