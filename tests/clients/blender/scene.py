"""A character in Blender, moved and keyed by the add-on; runs in the interpreter of the package bpy.

    python scene.py mfn_face.py CHARACTER.glb PORT COUNT TAKE.csv

Prints "ready" once it receives, takes COUNT faces, and prints what has become of the character, as JSON: see
test_in_blender.py.
"""

import importlib
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

bpy: Any = importlib.import_module("bpy")

PATIENCE = 60  # seconds
START = 10  # the frame that recording starts at
CSV_STARTS = 200, 200, 100  # the second time in place of the first; the third between two takes


def frame_of_world(thing: Any) -> list[list[float]]:
    """(3, 3) the axes of a bone or an object, as Blender shows it now."""
    bpy.context.view_layer.update()
    if isinstance(thing, bpy.types.PoseBone):
        matrix = thing.id_data.matrix_world @ thing.matrix
    else:
        matrix = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world
    return [list(row) for row in matrix.to_3x3().normalized()]


def at_frame(face: Any, parts: dict[str, Any], frame: float) -> dict[str, Any]:
    """Shape keys and axes at a frame of the scene."""
    bpy.context.scene.frame_set(math.floor(frame), subframe=frame % 1)
    values = {key.name: key.value for key in face.data.shape_keys.key_blocks[1:]}
    return {"shapes": values, "parts": {name: frame_of_world(part) for name, part in parts.items()}}


def keyed_frames(data: Any, path: str) -> list[list[float]]:
    """The frames that each number of a property is keyed at."""
    action = data.animation_data.action
    if hasattr(action, "fcurves"):
        curves = action.fcurves
    else:
        curves = [curve for bag in action.layers[0].strips[0].channelbags for curve in bag.fcurves]
    return [[point.co.x for point in curve.keyframe_points] for curve in curves if curve.data_path == path]


def objects(addon: Any, face: Any) -> list[list[list[float]]]:
    """(3, 3) a mesh without bones, which lies on its side, before and after it follows a face: in Blender's frame, then
    in one with y up."""
    mesh = bpy.data.objects.new("thing", bpy.data.meshes.new("thing"))
    bpy.context.collection.objects.link(mesh)
    mesh.rotation_euler = (0.3, 0.2, 0.1)
    bpy.context.view_layer.objects.active = mesh
    bpy.ops.mfn.add()
    character = bpy.context.scene.mfn.characters[-1]
    character.head = mesh.name
    found = [frame_of_world(mesh)]
    for y_up in (False, True):
        character.y_up = y_up
        addon.Rig(character).show(face)
        found.append(frame_of_world(mesh))
    return found


def main(addon_file: str, character: str, port: str, count: str, csv_file: str) -> None:
    """Runs the command."""
    sys.path.insert(0, str(Path(addon_file).parent))
    addon = importlib.import_module(Path(addon_file).stem)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon.register()
    bpy.ops.import_scene.gltf(filepath=character)
    scene, face = bpy.context.scene, bpy.data.objects["face"]
    scene.render.fps, scene.mfn.port = 24, int(port)
    armature = face.find_armature()
    bpy.context.view_layer.objects.active = face
    bpy.ops.mfn.add()
    added = scene.mfn.characters[0]
    facts: dict[str, Any] = {"program": bpy.app.version_string}
    facts["found"] = {part: getattr(added, part) for part in addon.USUAL_PARTS}
    added.subject = "mfn-2"
    parts = {"head": armature.pose.bones["head"]} | {eye: bpy.data.objects[eye] for eye in ("eye_left", "eye_right")}
    facts["rest"] = at_frame(face, parts, START)

    bpy.ops.mfn.start()
    bpy.ops.mfn.record()
    print("ready", flush=True)
    received, deadline = 0, time.monotonic() + PATIENCE
    while received < int(count) and time.monotonic() < deadline:
        addon.tick()
        received = sum(map(len, addon.session.take.faces.values()))
        time.sleep(0.01)
    facts["live"] = {"shapes": {key.name: key.value for key in face.data.shape_keys.key_blocks[1:]}}
    facts["objects"] = objects(addon, addon.session.take.faces["mfn-2"][-1][1])
    bpy.context.view_layer.objects.active = face
    facts["heard"] = list(addon.session.subjects)
    bpy.ops.mfn.record()
    bpy.ops.mfn.stop()
    facts["timer"] = bpy.app.timers.is_registered(addon.tick) and addon.tick() is None

    keys = face.data.shape_keys
    head = armature.pose.bones["head"].path_from_id("rotation_quaternion")
    facts["keyed"] = keyed_frames(keys, keys.key_blocks["jawOpen"].path_from_id("value"))
    facts["keyed_head"] = keyed_frames(armature, head)
    frames = facts["keyed"][0]
    facts["frames"] = [at_frame(face, parts, frame) for frame in frames]

    for start in CSV_STARTS:
        scene.frame_set(start)
        bpy.ops.mfn.import_csv(filepath=csv_file)
    facts["keyed_with_csv"] = keyed_frames(keys, keys.key_blocks["jawOpen"].path_from_id("value"))
    facts["csv"] = at_frame(face, parts, facts["keyed_with_csv"][0][-1])
    addon.unregister()
    addon.register()
    addon.unregister()
    print(json.dumps(facts), flush=True)
    os._exit(0)  # the package bpy 4.2 crashes at its end wherever an operator was registered


if __name__ == "__main__":
    main(*sys.argv[1:])
