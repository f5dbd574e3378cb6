"""A take's character and skeleton in Blender: `BLENDER_PYTHON=FOLDER/bin/python pytest` of this file, with the package
bpy in that interpreter."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from service.cli.capture.formats import bvh, glb
from service.vision.arkit import ARKIT_NAMES
from tests.service.cli.capture.formats import programs, takes

FRAMES = (takes.NOD, takes.TURN, takes.TILT, takes.BLINK, takes.JAW, takes.GLANCE, takes.ALL)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    python, folder = programs.blender(), tmp_path_factory.mktemp("blender")
    glb.write(takes.take(), folder / "take.glb")
    bvh.write(takes.take(), folder / "take.bvh")
    script = programs.READERS / "blender.py"
    rate = str(float(takes.NTSC))
    return programs.run(python, script, folder / "take.glb", folder / "take.bvh", rate, *map(str, FRAMES))


def degrees_apart(a: Any, b: Any) -> float:
    return float(np.degrees((Rotation.from_quat(a) * Rotation.from_quat(b).inv()).magnitude()))


def test_shape_keys_equal_the_take(told: Any) -> None:
    for frame, shown in zip(FRAMES, told["glb"], strict=True):
        weights = dict(zip(ARKIT_NAMES, takes.take().blendshapes[frame].tolist(), strict=True))
        found = dict.fromkeys(ARKIT_NAMES, 0.0) | shown["keys"]
        assert found == pytest.approx(weights, abs=1e-3)


def test_heads_turn_as_in_the_take(told: Any) -> None:
    assert told["bvh"]["rate"] == pytest.approx(30000 / 1001, abs=1e-4)
    for frame, shown, skeleton in zip(FRAMES, told["glb"], told["bvh"]["heads"], strict=True):
        quaternion = takes.take().quaternion[frame]
        assert degrees_apart(shown["head"], quaternion) < 0.05
        assert degrees_apart(skeleton, quaternion) < 0.01


def test_the_left_eye_looks_to_its_left(told: Any) -> None:
    eye = Rotation.from_quat(told["glb"][FRAMES.index(takes.GLANCE)]["eye_left"])
    np.testing.assert_allclose(eye.as_euler("YXZ", degrees=True), [19.5, 14, 0], atol=0.05)
