"""Animated characters in three.js and before Khronos' validator."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from service.cli.capture.formats import character, glb
from service.cli.capture.formats.character import Character, character_file, characters
from service.cli.whole_file import WriteError
from tests.service.cli.capture.formats import programs, takes
from tests.service.cli.capture.formats.characters import document, write_glb

VALIDATE = """
const validator = require(process.argv[1]);
const fs = require("fs");
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])), { maxIssues: 20 })
  .then((report) => console.log(JSON.stringify(report.issues)));
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("glb") / "take.glb"
    glb.write(takes.take(), path)
    return path


@pytest.fixture(scope="module")
def shown(path: Path) -> Any:
    """What three.js shows in each frame of the take."""
    return programs.in_three(path, *takes.take().film.timestamps.tolist())


def turned(quaternion: list[float], point: list[float]) -> np.ndarray:
    return np.asarray(Rotation.from_quat(quaternion).apply(point))


def test_khronos_validator_finds_nothing(path: Path) -> None:
    validator = programs.NODE_MODULES / "gltf-validator"
    issues = programs.run(programs.node("gltf-validator"), "-e", VALIDATE, validator, path)
    counts = [issues[kind] for kind in ("numErrors", "numWarnings", "numInfos", "numHints")]
    assert counts == [0, 0, 0, 0], issues["messages"]


def test_three_plays_one_animation(shown: Any) -> None:
    assert (shown["name"], shown["animations"]) == ("film", 1)
    assert shown["duration"] == pytest.approx(9 * 1001 / 30000, abs=1e-6)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (takes.REST, {}),
        (takes.BLINK, {"eyeBlinkLeft": 0.9}),
        (takes.JAW, {"jawOpen": 0.7}),
        (takes.UNSEEN, {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.8, "eyeLookDownLeft": 0.4, "eyeLookDownRight": 0.4}),
        (takes.BRIDGED, {"jawOpen": 0.35}),
        (
            takes.ALL,
            {"mouthSmileRight": 0.6, "jawRight": 0.25, "eyeLookUpLeft": 0.3, "eyeLookUpRight": 0.3},
        ),
    ],
)
def test_weights_in_three(frame: int, expected: dict[str, float], shown: Any) -> None:
    for weights in shown["frames"][frame]["weights"]:  # of the primitives, one a material
        moved = {name: weight for name, weight in weights.items() if abs(weight) > 1e-4}
        assert moved == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("frame", "nose", "crown"),
    [
        (takes.REST, (0, 0, 1), (0, 1, 0)),
        (takes.NOD, (0, -0.34202, 0.93969), (0, 0.93969, 0.34202)),  # 20 degrees: the nose goes down
        (takes.TURN, (0.5, 0, 0.86603), (0, 1, 0)),  # 30 degrees: it goes to the character's left
        (takes.TILT, (0, 0, 1), (-0.17365, 0.98481, 0)),  # 10 degrees: the crown goes to its right
    ],
)
def test_where_nose_and_crown_point_in_three(
    frame: int, nose: tuple[float, ...], crown: tuple[float, ...], shown: Any
) -> None:
    told = shown["frames"][frame]
    np.testing.assert_allclose(turned(told["head"], [0, 0, 1]), nose, atol=1e-3)
    np.testing.assert_allclose(turned(told["head"], [0, 1, 0]), crown, atol=1e-3)


def test_the_neck_takes_its_share(shown: Any) -> None:
    neck = Rotation.from_quat(shown["frames"][takes.NOD]["neck"])
    np.testing.assert_allclose(neck.as_rotvec(degrees=True), [8, 0, 0], atol=0.01)


def test_where_the_eyes_look_in_three(shown: Any) -> None:
    left, right = (Rotation.from_quat(eye) for eye in shown["frames"][takes.GLANCE]["eyes"])
    # About y then x: 0.5 x 39 and 0.8 x 21.5 degrees to the character's left, 0.4 x 35 down.
    np.testing.assert_allclose(left.as_euler("YXZ", degrees=True), [19.5, 14, 0], atol=0.01)
    np.testing.assert_allclose(right.as_euler("YXZ", degrees=True), [17.2, 14, 0], atol=0.01)
    for eye in shown["frames"][takes.REST]["eyes"]:
        assert eye == pytest.approx([0, 0, 0, 1])


def test_extras_tell_the_film(path: Path) -> None:
    data = path.read_bytes()
    document = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    assert document["animations"][0]["extras"] == {
        "person": 1,
        "timecode": "10:00:59:28.000",
        "frameRate": [30000, 1001],
        "dropFrame": True,
    }
    assert "2020 USC Institute for Creative Technologies" in document["asset"]["copyright"]


@pytest.mark.parametrize("name", characters())
def test_each_character_moves(name: str, tmp_path: Path) -> None:
    glb.write(takes.take(), tmp_path / "take.glb", Character.read(character_file(name)))
    data = (tmp_path / "take.glb").read_bytes()
    assert len(data) == struct.unpack_from("<I", data, 8)[0]
    document = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    moved = [document["nodes"][channel["target"]["node"]]["name"] for channel in document["animations"][0]["channels"]]
    assert moved == ["face", "neck", "head", "eye_left", "eye_right"]


def test_where_studios_characters_are_not_installed_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(character, "published", lambda _: tmp_path / "nothing")
    with pytest.raises(WriteError, match=r"take\.glb cannot be written: human: No such file .* none are installed\."):
        glb.write(takes.take(), tmp_path / "take.glb")
    assert not list(tmp_path.iterdir())


def test_khronos_validator_finds_nothing_wrong_with_an_own_character(tmp_path: Path) -> None:
    own = write_glb(tmp_path / "own.glb", document())
    glb.write(takes.take(), tmp_path / "take.glb", Character.read(own))
    validator = programs.NODE_MODULES / "gltf-validator"
    issues = programs.run(programs.node("gltf-validator"), "-e", VALIDATE, validator, tmp_path / "take.glb")
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]
