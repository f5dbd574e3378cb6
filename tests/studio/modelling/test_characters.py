"""The characters as they are published: what a program that opens them may rely on."""

import json
import os
import shutil
import subprocess
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from service.vision.arkit import ARKIT_NAMES
from tests.studio.modelling.model import FOLDER, NAMES, Model

ROOT = Path(__file__).resolve().parents[3]
MEGABYTE = 1e6

each = pytest.mark.parametrize("name", NAMES)


@cache
def model(name: str) -> Model:
    return Model(FOLDER / f"{name}.glb")


def test_there_are_five() -> None:
    assert tuple(sorted(path.stem for path in FOLDER.glob("*.glb"))) == NAMES


@each
def test_targets_are_named_as_arkit_does(name: str) -> None:
    face = model(name).face
    assert tuple(face["extras"]["targetNames"]) == ARKIT_NAMES
    assert len(face["weights"]) == len(ARKIT_NAMES)
    assert all(len(primitive["targets"]) == len(ARKIT_NAMES) for primitive in face["primitives"])


@each
def test_every_target_moves_something(name: str) -> None:
    for blendshape in ARKIT_NAMES:
        most = max(float(np.abs(model(name).target(material, blendshape)).max()) for material in ("skin", "wet"))
        assert 0.001 < most < 0.12, blendshape  # metres


@each
def test_every_target_has_bytes(name: str) -> None:
    """Those that move nothing too: not every program reads accessors without (UnityGLTF, Unreal)."""
    told = model(name)
    for primitive in told.face["primitives"]:
        used = {index for target in primitive["targets"] for index in target.values()}
        assert all(told.json["accessors"][index]["sparse"]["count"] for index in used)
        still = [t for t in primitive["targets"] if not any(told.array(index).any() for index in t.values())]
        assert len({tuple(target.values()) for target in still}) <= 1  # they share theirs


@each
def test_nodes_hang_together_as_documented(name: str) -> None:
    told = model(name)
    assert [told.json["nodes"][node]["name"] for node in told.json["scenes"][0]["nodes"]] == ["root", "face"]
    assert told.children("root") == ["neck"]
    assert told.children("neck") == ["head"]
    assert {"eye_left", "eye_right"} <= set(told.children("head"))
    skin = told.json["skins"][told.node("face")["skin"]]
    assert [told.json["nodes"][joint]["name"] for joint in skin["joints"]] == ["root", "neck", "head"]
    inverse = told.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4)[:, 3, :3]
    for row, joint in enumerate(("root", "neck", "head")):
        np.testing.assert_allclose(inverse[row], -told.place(joint), atol=1e-6)


@each
def test_eyes_turn_about_their_middle_behind_the_lids(name: str) -> None:
    told = model(name)
    left, right = told.place("eye_left"), told.place("eye_right")
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=1e-5)
    assert left[0] > 0.02
    assert abs(left[1] - 0.18) < 0.03
    points = told.array(told.json["meshes"][told.node("eye_left")["mesh"]]["primitives"][0]["attributes"]["POSITION"])
    radii = np.linalg.norm(points, axis=1)
    assert radii.max() < 1.05 * radii.min()
    skin = told.array(told.primitive("skin")["attributes"]["POSITION"]) - left
    ahead = skin[np.hypot(skin[:, 0], skin[:, 1]) < 0.8 * radii.min()]
    assert np.linalg.norm(ahead[ahead[:, 2] > 0], axis=1).min() > 0.92 * radii.min()  # a lid's inner side


@each
def test_lids_meet_in_front_of_the_eye_when_they_blink(name: str) -> None:
    told = model(name)
    skin = told.array(told.primitive("skin")["attributes"]["POSITION"])
    triangles = told.array(told.primitive("skin")["indices"]).reshape(-1, 3)
    shut = skin + told.target("skin", "eyeBlinkLeft")
    eye = told.place("eye_left")
    corners = (shut - eye)[triangles]
    # a ray from the eye's middle to the front meets skin: the share of a fan of rays that does
    rays = np.array([[x, y, 1.0] for x in np.linspace(-0.3, 0.3, 9) for y in np.linspace(-0.3, 0.3, 15)])
    hit = [bool(rays_hit(ray / np.linalg.norm(ray), corners)) for ray in rays]
    assert np.mean(hit) > 0.97


@each
@pytest.mark.parametrize(("side", "away"), [("Left", 1), ("Right", -1)])  # away from the nose: +x or -x
def test_the_iris_is_seen_wherever_an_eye_looks(name: str, side: str, away: int) -> None:
    told = model(name)
    skin = told.array(told.primitive("skin")["attributes"]["POSITION"])
    triangles = told.array(told.primitive("skin")["indices"]).reshape(-1, 3)
    eye = told.place(f"eye_{side.lower()}")
    near = triangles[np.linalg.norm(skin[triangles].mean(1) - eye, axis=1) < 0.06]
    angle, around = (a.ravel() for a in np.meshgrid([0.1, 0.25, 0.4], np.radians(np.arange(0, 360, 30))))
    iris = np.stack([np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), np.cos(angle)], axis=1)
    for across, yaw in ((None, 0.0), ("Out", 39.0), ("In", -21.5)):
        for along, pitch in ((None, 0.0), ("Down", 35.0), ("Up", -27.1)):
            moved = skin + sum(
                (told.target("skin", f"eyeLook{way}{side}") for way in (across, along) if way), np.zeros_like(skin)
            )
            turned = Rotation.from_euler("YX", [away * yaw, pitch], degrees=True).apply(iris)
            seen = np.mean([not rays_hit(ray, (moved - eye)[near]) for ray in turned])
            assert seen > (0.05 if along else 0.6), (across, along)  # lids follow, and cover more above and below


@each
def test_the_globe_reaches_as_far_as_lids_can_show(name: str) -> None:
    told = model(name)
    points = told.array(told.json["meshes"][told.node("eye_left")["mesh"]]["primitives"][0]["attributes"]["POSITION"])
    assert 110 < np.degrees(np.arccos(points[:, 2] / np.linalg.norm(points, axis=1))).max() < 125


def rays_hit(ray: np.ndarray, corners: np.ndarray) -> bool:
    """Whether a ray (3,) from the origin meets a triangle of (T, 3, 3), by Möller and Trumbore."""
    a, b, c = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = np.cross(ray, c)
    scale = (b * p).sum(1)
    scale = np.where(np.abs(scale) < 1e-15, np.inf, scale)
    u = -(a * p).sum(1) / scale
    q = np.cross(-a, b)
    v, distance = (q @ ray) / scale, (c * q).sum(1) / scale
    return bool(((u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6) & (distance > 0.003)).any())


@each
def test_left_and_right_are_each_other_mirrored(name: str) -> None:
    told = model(name)
    skin = told.array(told.primitive("skin")["attributes"]["POSITION"])
    flip = np.array([-1.0, 1, 1])
    distance, partner = cKDTree(skin).query(skin * flip)
    assert np.percentile(distance, 99) < 2e-4  # metres
    for blendshape in ("eyeBlinkLeft", "mouthSmileLeft", "browDownLeft", "mouthUpperUpLeft"):
        left = told.target("skin", blendshape)
        right = told.target("skin", blendshape.replace("Left", "Right"))
        apart = np.linalg.norm(left[partner] * flip - right, axis=1)
        assert np.percentile(apart, 99) < 0.0012, blendshape
        assert left[skin[:, 0] > 0].any(), blendshape


@each
def test_directions_are_the_subjects(name: str) -> None:
    told = model(name)
    skin = told.array(told.primitive("skin")["attributes"]["POSITION"])

    def moved(blendshape: str) -> np.ndarray:
        offsets = told.target("skin", blendshape)
        return np.asarray(offsets[np.linalg.norm(offsets, axis=1).argmax()])

    assert moved("jawOpen")[1] < -0.01  # down
    assert moved("jawLeft")[0] > 0 > moved("jawRight")[0]  # the subject's left is +x
    assert moved("browInnerUp")[1] > 0
    smile = told.target("skin", "mouthSmileLeft")
    assert skin[np.linalg.norm(smile, axis=1).argmax(), 0] > 0
    tongue = told.target("wet", "tongueOut")
    assert tongue[:, 2].max() > 0.01  # toward the front


@each
def test_the_neck_follows_and_the_shoulders_stay(name: str) -> None:
    attributes = model(name).primitive("skin")["attributes"]
    points = model(name).array(attributes["POSITION"])
    weights, joints = (model(name).array(attributes[key]).astype(int) for key in ("WEIGHTS_0", "JOINTS_0"))
    assert (weights.sum(1) == 255).all()
    assert joints.max() == 2
    head = np.where(joints == 2, weights, 0).sum(1)
    root = np.where((joints == 0) & (weights > 0), weights, 0).sum(1)
    assert (root[points[:, 1] < points[:, 1].min() + 0.01] == 255).all()
    assert (head[points[:, 1] > 0.16] == 255).all()
    assert ((head > 25) & (head < 230)).sum() > 50  # a bend, no crease


@each
def test_numbers_are_sound(name: str) -> None:
    told = model(name)
    for mesh in told.json["meshes"]:
        for primitive in mesh["primitives"]:
            points, normals = (told.array(primitive["attributes"][key]) for key in ("POSITION", "NORMAL"))
            triangles = told.array(primitive["indices"])
            assert np.isfinite(points).all()
            assert triangles.max() < len(points)
            np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=5e-3)
    assert not told.json.get("extensionsUsed")


@each
def test_each_file_is_small(name: str) -> None:
    assert (FOLDER / f"{name}.glb").stat().st_size < 3 * MEGABYTE


def test_all_files_together_are_a_small_part_of_a_clone() -> None:
    assert sum(len(zlib.compress((FOLDER / f"{name}.glb").read_bytes())) for name in NAMES) < 4.5 * MEGABYTE


@each
def test_the_face_models_notice_travels_along(name: str) -> None:
    assert "2020 USC Institute for Creative Technologies" in model(name).json["asset"]["copyright"]
    notice = (ROOT / "models" / "face_model.LICENSE").read_text()
    assert notice[notice.index("MIT License") :] in (FOLDER / "LICENSE").read_text()


VALIDATE = """
const validator = require(process.argv[1]);
const fs = require("fs");
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])), { maxIssues: 20 })
  .then((report) => console.log(JSON.stringify(report.issues)));
"""


@each
def test_khronos_validator_finds_nothing(name: str) -> None:
    package = ROOT / "studio" / "node_modules" / "gltf-validator"
    node = shutil.which("node")
    if not package.is_dir():
        pytest.skip("studio/node_modules lacks gltf-validator: run npm ci in studio/")
    if node is None:
        pytest.skip("node is not on the PATH")
    done = subprocess.run(
        [node, "-e", VALIDATE, str(package), str(FOLDER / f"{name}.glb")],
        capture_output=True, text=True, check=True, timeout=60, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    issues = json.loads(done.stdout)
    assert (issues["numErrors"], issues["numWarnings"], issues["numInfos"]) == (0, 0, 0), issues["messages"]
