"""The characters in programs that others have written: what they read is what the files say.

Assimp runs wherever its package is. The others take hundreds of megabytes: name where they are, and they run too.

    BLENDER_PYTHON=FOLDER/bin/python     an interpreter with the package bpy
    BABYLON=FOLDER/node_modules          npm packages @babylonjs/core and @babylonjs/loaders
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from service.vision.arkit import ARKIT_NAMES
from tests.studio.modelling.model import FOLDER, NAMES, Model

READERS = Path(__file__).parent / "readers"
EXACT = 2e-6  # metres
HEAD_TURNED = 30  # degrees

Facts = dict[str, Any]
each = pytest.mark.parametrize("name", NAMES)


def named(variable: str) -> str:
    """What an environment variable names; skips the test where it is not set."""
    if not os.environ.get(variable):
        pytest.skip(f"{variable} is not set: see {Path(__file__).name}")
    return os.environ[variable]


def run(*command: str | Path) -> Facts:
    """The facts that a program prints, in the last line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    facts: Facts = json.loads(done.stdout.strip().splitlines()[-1])
    return facts


def expected_targets(told: Model) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Where each target moves the face, and how: means over vertices, weighted by the square of the move."""
    rest = np.concatenate([told.array(p["attributes"]["POSITION"]) for p in told.face["primitives"]]).astype(float)
    found = {}
    for row, target in enumerate(ARKIT_NAMES):
        moved = [told.array(primitive["targets"][row]["POSITION"]) for primitive in told.face["primitives"]]
        move = np.concatenate(moved).astype(float)
        weight = (move**2).sum(1)
        found[target] = weight @ rest / weight.sum(), weight @ move / weight.sum()
    return found


def assert_read(facts: Facts, told: Model) -> None:
    """The program has the targets, the places and the materials that the file has."""
    assert sorted(facts["targets"]) == sorted(ARKIT_NAMES)
    for target, (place, move) in expected_targets(told).items():
        np.testing.assert_allclose(facts["targets"][target], [place, move], atol=EXACT, rtol=0, err_msg=target)
    for node in ("neck", "head", "eye_left", "eye_right"):
        np.testing.assert_allclose(facts["places"][node], told.place(node), atol=EXACT, rtol=0, err_msg=node)
    materials = [told.json["materials"][primitive["material"]]["name"] for primitive in told.face["primitives"]]
    assert facts["materials"] == sorted(materials)


@each
def test_assimp(name: str) -> None:
    """Its binding for Python tells nothing of targets, but it ends with an error where it cannot read one."""
    assimp = pytest.importorskip("assimp_py", reason="the package assimp-py is not installed")
    file = FOLDER / f"{name}.glb"
    scene, told = assimp.import_file(str(file), 0), Model(file)
    count: Counter[str] = Counter()
    for mesh in scene.meshes:
        count[mesh.name.split("-")[0]] += mesh.num_vertices
    expected = [told.json["accessors"][p["attributes"]["POSITION"]]["count"] for p in told.face["primitives"]]
    assert count["face"] == sum(expected)
    (root,) = (node for node in scene.root_node.children if node.name == "root")
    (neck,) = root.children
    (head,) = neck.children
    assert {"eye_left", "eye_right"} <= {node.name for node in head.children}
    np.testing.assert_allclose(np.array(head.transformation)[:3, 3], told.node("head")["translation"], atol=EXACT)


@each
def test_babylon(name: str) -> None:
    modules, node = named("BABYLON"), shutil.which("node")
    assert node is not None
    file = FOLDER / f"{name}.glb"
    assert_read(run(node, READERS / "babylon.mjs", modules, file), Model(file))


@each
def test_blender(name: str, tmp_path: Path) -> None:
    python, exported, picture = named("BLENDER_PYTHON"), tmp_path / "again.glb", tmp_path / f"{name}.png"
    file = FOLDER / f"{name}.glb"
    facts, told = run(python, READERS / "blender.py", file, exported, picture), Model(file)
    assert_read(facts, told)
    # The head turns about its own place toward +x, eyes with it; shoulders stay.
    eye = told.place("eye_left") - told.place("head")
    after = Rotation.from_euler("Y", HEAD_TURNED, degrees=True).apply(eye)
    np.testing.assert_allclose(facts["turned"]["eye_left"], after - eye, atol=1e-5)
    assert facts["turned"]["tip"][0] > 0.03
    assert np.abs(facts["turned"]["foot"]).max() < 1e-5
    # What Blender writes is the same character.
    again = Model(exported)
    assert tuple(again.face["extras"]["targetNames"]) == ARKIT_NAMES
    for target, values in expected_targets(again).items():
        np.testing.assert_allclose(values, expected_targets(told)[target], atol=1e-4, err_msg=target)
    assert {"neck", "head", "eye_left", "eye_right"} <= {node.get("name") for node in again.json["nodes"]}
