"""A Godot project that has the addon, a character and the program scene.gd, packed as Godot's exports are."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

from tests.docs.pages import ROOT

ADDON = ROOT / "clients/godot/addons/mfn"
SCENE = Path(__file__).with_name("scene.gd")
CHARACTER = ROOT / "studio/characters/human.glb"
PICTURE = ROOT / "docs/astronaut.jpg"

PROJECT = """config_version=5

[application]
config/name="MFN"
run/main_scene="res://scene.tscn"

[rendering]
renderer/rendering_method="gl_compatibility"
"""
MAIN_SCENE = """[gd_scene load_steps=2 format=3]

[ext_resource type="Script" path="res://scene.gd" id="1"]

[node name="scene" type="Node3D"]
script = ExtResource("1")
"""


def global_class(script: Path) -> str:
    """A line of the list by which Godot finds the scripts with a name; its editor writes it."""
    text = script.read_text(encoding="utf-8")
    found = re.search(r"^class_name (\w+)\nextends (\w+)$", text, re.MULTILINE)
    assert found is not None, script
    name, base = found.groups()
    return (
        f'{{"base": &"{base}", "class": &"{name}", "icon": "", "is_abstract": false, "is_tool": false, '
        f'"language": &"GDScript", "path": "res://addons/mfn/{script.name}"}}'
    )


def pack(file: Path, given: dict[str, Any], neutral: dict[str, float]) -> None:
    """Writes the project. given: what scene.gd reads as given.json. neutral: a resting face."""
    scripts = sorted(ADDON.glob("mfn_*.gd"))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("project.godot", PROJECT)
        archive.writestr("scene.tscn", MAIN_SCENE)
        archive.writestr("given.json", json.dumps(given))
        archive.writestr("person-1.neutral.json", json.dumps({"neutral": neutral}))
        classes = ", ".join(map(global_class, scripts))
        archive.writestr(".godot/global_script_class_cache.cfg", f"list=[{classes}]\n")
        for script in scripts:
            archive.write(script, f"addons/mfn/{script.name}")
        archive.write(SCENE, "scene.gd")
        archive.write(CHARACTER, "human.glb")
        archive.write(PICTURE, "picture.jpg")
