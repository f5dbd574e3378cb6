"""The Unity package's components on stand-ins for Unity: that they compile, that the package's own tests pass, and that
a character stands as one that VMC moves."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.sync.server import ServerConnection

from service.cli.avatar.axes import UNITY
from service.cli.avatar.mirror import mirror_blendshapes, mirror_gaze
from service.vision.arkit import ARKIT_NAMES
from service.vision.gaze import GAZE_NAMES, eye_rotations
from service.vision.rotation import euler_to_quaternion
from tests.clients.unity.building import (
    CLIENT,
    COMPONENTS,
    ENGINE,
    HERE,
    PACKAGE,
    PATIENCE,
    UNASSIGNED,
    build,
    build_components,
)
from tests.clients.unity.fake_service import POSE, answer, fake_service, greet, next_frame, serve_faces
from tests.docs.pages import ROOT, blocks


@pytest.fixture(scope="module")
def components(built: Path) -> Path:
    build_components(built)
    build(built / "ComponentProgram.exe", HERE / "ComponentProgram.cs", references=(CLIENT, COMPONENTS, ENGINE))
    return built


def run(program: Path, *arguments: str) -> str:
    done = subprocess.run(["mono", program, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_own_tests_pass(components: Path) -> None:
    """They run in Unity's Test Runner, too."""
    program = components / "Mfn.Unity.Tests.exe"
    sources = [HERE / "stubs/NUnit.cs", *sorted((PACKAGE / "Tests/Editor").glob("*.cs"))]
    build(program, *sources, references=(CLIENT, COMPONENTS, ENGINE))
    assert ", 0 failed" in run(program)


def test_its_editor_s_part_its_samples_and_the_code_of_its_pages_compile(components: Path, tmp_path: Path) -> None:
    sources = [*sorted((PACKAGE / "Editor").glob("*.cs")), *sorted((PACKAGE / "Samples~").rglob("*.cs"))]
    for page in (PACKAGE / "README.md", ROOT / "docs/unity.md"):
        (text,) = blocks(page, "csharp")
        sources.append(tmp_path / f"{page.stem}.cs")
        sources[-1].write_text(text, encoding="utf-8")
    references = (CLIENT, COMPONENTS, ENGINE, "System.dll")
    build(components / "Rest.dll", *sources, references=references, options=(UNASSIGNED,))


def test_it_compiles_for_android(components: Path) -> None:
    build_components(components, "Android.dll", "-define:UNITY_ANDROID")


@pytest.mark.parametrize("text", ['{"neutral": {"jawOpen": 0.25}}', '{"resting": {}}'])
def test_a_saved_resting_face_is_the_stream_s(components: Path, tmp_path: Path, text: str) -> None:
    """A file that holds none is warned of, and the stream opens without."""
    told: list[dict[str, Any]] = []

    def conduct(connection: ServerConnection) -> None:
        told.append(greet(connection))
        connection.send(answer(next_frame(connection), 1, blendshapes=dict.fromkeys(ARKIT_NAMES, 0.5)))

    files = tmp_path / "picture", tmp_path / "neutral"
    for file, content in zip(files, ("picture", text), strict=True):
        file.write_text(content, encoding="utf-8")
    with fake_service(conduct) as address:
        shown = run(components / "ComponentProgram.exe", address, *map(str, files))
    found = json.loads(text).get("neutral")
    assert told[0].get("neutral") == found
    assert ("neutral holds no resting face" in shown) == (found is None)


def hamilton(a: Any, b: Any) -> Any:
    """The product of two quaternions [x, y, z, w]."""
    vector = a[3] * b[:3] + b[3] * a[:3] + np.cross(a[:3], b[:3])
    return np.append(vector, a[3] * b[3] - a[:3] @ b[:3])


def assert_same_rotation(found: Any, expected: Any) -> None:
    found = np.array(found)
    np.testing.assert_allclose(found * np.sign(found @ expected), expected, atol=2e-5)


@pytest.mark.parametrize("angles", [(25.0, -12.0, 8.0), (-40.0, 20.0, -15.0)])
def test_a_character_stands_as_by_vmc(components: Path, tmp_path: Path, angles: tuple[float, float, float]) -> None:
    generator = np.random.default_rng(5)
    quaternion = euler_to_quaternion(*(np.array(angle) for angle in angles))
    gaze = generator.random(len(GAZE_NAMES))
    weights = dict(zip(ARKIT_NAMES, generator.random(len(ARKIT_NAMES)), strict=True))
    face = {
        "pose": {**POSE, "quaternion": quaternion.tolist()},
        "blendshapes": weights,
        "gaze": dict(zip(GAZE_NAMES, gaze.tolist(), strict=True)),
    }
    (tmp_path / "picture").write_bytes(b"picture")
    with fake_service(serve_faces(1, **face)) as address:
        shown = json.loads(run(components / "ComponentProgram.exe", address, str(tmp_path / "picture")))
    for name, mirror in (("plain", False), ("mirrored", True)):
        bones = shown[name]["bones"]
        head = quaternion if mirror else UNITY.rotation(quaternion)  # two reflections cancel
        assert_same_rotation(bones["head"], head)
        yaw, pitch = eye_rotations(mirror_gaze(gaze) if mirror else gaze).T
        eyes = UNITY.rotation(euler_to_quaternion(yaw, pitch, np.zeros(2)))
        for bone, eye in zip(("eye_left", "eye_right"), eyes, strict=True):
            assert_same_rotation(bones[bone], hamilton(head, eye))
        # the neck takes 0.4 of the head's turn, about the same axis
        half = np.arccos(head[3])
        neck = np.append(head[:3] / np.sin(half) * np.sin(0.4 * half), np.cos(0.4 * half))
        assert_same_rotation(bones["neck"], neck)
        expected = np.array(list(weights.values()))
        moved = [shown[name]["weights"][arkit] for arkit in ARKIT_NAMES]
        np.testing.assert_allclose(moved, mirror_blendshapes(expected) if mirror else expected, atol=1e-6)
