"""Characters of the user's own: which are read, what of them moves, and what is said of the others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from service.cli.capture.formats import character as module
from service.cli.capture.formats import glb
from service.cli.capture.formats.character import Character, CharacterError, character_file, characters
from service.vision.arkit import ARKIT_NAMES
from tests.service.cli.capture.formats import takes
from tests.service.cli.capture.formats.characters import (
    BONES,
    EYES,
    SMIRK,
    TARGETS,
    TRIANGLE,
    document,
    read_document,
    write_glb,
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return write_glb(tmp_path / "own.glb", document())


def floats(path: Path, accessor: int, width: int) -> np.ndarray:
    """What an accessor of a written file holds (N, width)."""
    written = read_document(path)
    told = written["accessors"][accessor]
    data = path.read_bytes()
    start = len(data) - written["buffers"][0]["byteLength"] + written["bufferViews"][told["bufferView"]]["byteOffset"]
    return np.frombuffer(data, "<f4", told["count"] * width, start).reshape(-1, width)


def outputs(path: Path) -> dict[str, int]:
    """The accessors of what moves, by the names of its nodes."""
    written = read_document(path)
    (animation,) = written["animations"]
    return {
        written["nodes"][channel["target"]["node"]]["name"]: animation["samplers"][channel["sampler"]]["output"]
        for channel in animation["channels"]
    }


def test_what_moves(own: Path) -> None:
    read = Character.read(own)
    assert list(read.joints) == ["neck", "head", "eye_left", "eye_right"]
    assert [read.joints[name].node for name in read.joints] == [1, 2, 3, 4]
    body, teeth = read.faces.values()
    assert list(read.faces) == [5, 6]
    assert body == teeth
    assert [ARKIT_NAMES[shape] for shape in body.shapes] == ["jawOpen", "eyeBlinkLeft", "browInnerUp", "browInnerUp"]
    assert body.places == (0, 2, 3, 4)


def test_weights_of_a_characters_own_targets(own: Path, tmp_path: Path) -> None:
    """Targets that are none of ARKit's stay as they are at rest; meshes with the same targets share their weights."""
    path = tmp_path / "take.glb"
    glb.write(takes.take(), path, Character.read(own))
    moved = outputs(path)
    assert list(moved) == ["body", "teeth", *list(BONES)[1:], *EYES]
    assert moved["body"] == moved["teeth"]
    weights = floats(path, moved["body"], 1).reshape(-1, len(TARGETS))
    rest = [0, SMIRK, 0, 0, 0]
    expected = {takes.JAW: [0.7, SMIRK, 0, 0, 0], takes.BLINK: [0, SMIRK, 0.9, 0, 0], takes.REST: rest}
    for frame, row in expected.items():
        np.testing.assert_allclose(weights[frame], row, atol=1e-6)


def test_joints_turn_in_the_scene_whatever_their_axes(own: Path, tmp_path: Path) -> None:
    """What the head does in the scene is the pose, by the bones above, which scipy multiplies."""
    path = tmp_path / "take.glb"
    take = takes.take()
    glb.write(take, path, Character.read(own))
    moved = outputs(path)
    hips, neck, head = (Rotation.from_euler("xyz", angles, degrees=True) for angles in BONES.values())
    new_neck, new_head = (Rotation.from_quat(floats(path, moved[name], 4)) for name in list(BONES)[1:])
    pose = Rotation.from_quat(take.held(take.quaternion))
    seen = (hips * new_neck * new_head) * (hips * neck * head).inv()
    assert (seen * pose.inv()).magnitude().max() < 1e-5
    share = (hips * new_neck) * (hips * neck).inv()
    np.testing.assert_allclose(share.magnitude(), 0.4 * pose.magnitude(), atol=1e-5)
    glance = takes.GLANCE
    left = Rotation.from_quat(floats(path, moved["mixamorigLeftEye"], 4)[glance])
    rest = hips * neck * head
    eye = Rotation.from_euler("xyz", EYES["mixamorigLeftEye"], degrees=True)
    looked = (rest * left) * (rest * eye).inv()
    np.testing.assert_allclose(looked.as_euler("YXZ", degrees=True), [19.5, 14, 0], atol=0.01)  # see test_glb


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    of = document()
    change(of)
    return of


def test_without_a_neck_the_head_turns_by_the_whole(tmp_path: Path) -> None:
    own = write_glb(tmp_path / "own.glb", changed(lambda of: of["nodes"][1].update(name="spine")))
    path = tmp_path / "take.glb"
    take = takes.take()
    read = Character.read(own)
    assert list(read.joints) == ["head", "eye_left", "eye_right"]
    glb.write(take, path, read)
    above = Rotation.from_euler("xyz", BONES["mixamorigHips"], degrees=True)
    above *= Rotation.from_euler("xyz", BONES["mixamorigNeck"], degrees=True)
    rest = Rotation.from_euler("xyz", BONES["mixamorigHead"], degrees=True)
    new = Rotation.from_quat(floats(path, outputs(path)["mixamorigHead"], 4))
    seen = (above * new) * (above * rest).inv()
    assert (seen * Rotation.from_quat(take.held(take.quaternion)).inv()).magnitude().max() < 1e-5


def test_a_matrix_above_a_joint_is_as_good_as_a_rotation(own: Path, tmp_path: Path) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = 2 * Rotation.from_euler("xyz", BONES["mixamorigHips"], degrees=True).as_matrix()
    matrix[:3, 3] = 1, 2, 3

    def change(of: dict[str, Any]) -> None:
        del of["nodes"][0]["rotation"]
        of["nodes"][0]["matrix"] = matrix.T.ravel().tolist()  # column by column

    other = Character.read(write_glb(tmp_path / "matrix.glb", changed(change)))
    for name, joint in Character.read(own).joints.items():
        np.testing.assert_allclose(other.joints[name].parent, joint.parent, atol=1e-6)


def test_a_bone_comes_before_what_is_named_like_it(tmp_path: Path) -> None:
    def change(of: dict[str, Any]) -> None:
        of["nodes"].append({"name": "head"})
        of["skins"] = [{"joints": [0, 1, 2]}]

    assert Character.read(write_glb(tmp_path / "a.glb", changed(change))).joints["head"].node == 2


def test_studios_characters_by_their_names() -> None:
    assert characters() == ("alien", "cat", "goblin", "human", "robot")
    assert Character.read(character_file("cat")).faces
    assert character_file("dragon.glb") == Path("dragon.glb")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda of: [of["nodes"].pop() for _ in range(3)], "no morph targets by ARKit's names"),
        (lambda of: of["buffers"][0].update(uri="own.bin"), "refers to other files"),
        (lambda of: of.update(images=[{"uri": "skin.png"}]), "refers to other files"),
        (lambda of: of["buffers"][0].update(uri="data:,"), "no buffer inside"),
        (lambda of: of["buffers"][0].update(byteLength=1000), "no buffer inside"),
        (lambda of: of["nodes"][2].update(matrix=[1] * 16), "a matrix on 'mixamorigHead'"),
        (lambda of: of["nodes"][2].update(children=[0]), "not as glTF 2.0 has it"),  # in a circle
        (lambda of: of["nodes"][2].update(rotation=[1, 2]), "not as glTF 2.0 has it"),
        (lambda of: of["nodes"][5].update(mesh=9), "not as glTF 2.0 has it"),
        (lambda of: of["nodes"][5].update(weights=[1]), "not as glTF 2.0 has it"),
        (lambda of: of.update(nodes=7), "not as glTF 2.0 has it"),
        (lambda of: of.update(accessors={}), "not as glTF 2.0 has it"),
        (lambda of: of.pop("buffers"), "not as glTF 2.0 has it"),
        (lambda of: of["nodes"].extend([{}] * 10_000), "10008 nodes; 10000 are the most"),
        (
            lambda of: of["meshes"][0]["primitives"][0].update(targets=[{}] * 1001),
            "1001 morph targets on a mesh; 1000 are the most",
        ),
    ],
)  # fmt: skip
def test_what_cannot_move_is_told(change: Callable[[dict[str, Any]], object], words: str, tmp_path: Path) -> None:
    path = write_glb(tmp_path / "own.glb", changed(change))
    with pytest.raises(CharacterError, match=words) as error:
        Character.read(path)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no binary glTF file"),
        (b"{}", "no binary glTF file"),
        (b"glTF", "not as glTF 2.0"),
        (b"glTF\x01\0\0\0\0\0\0\0", "is glTF 1. Export it as glTF 2.0"),
        (b"glTF\x02\0\0\0\xff\0\0\0", "cut short"),
        (b"glTF\x02\0\0\0\x0c\0\0\0", "not as glTF 2.0"),
    ],
)
def test_what_is_no_glb_file(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "own.glb"
    path.write_bytes(data)
    with pytest.raises(CharacterError, match=words):
        Character.read(path)


def test_a_file_that_is_too_large(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TEXT", 100)
    with pytest.raises(CharacterError, match=r"more than 0\.0001 MB\. Export the character alone"):
        Character.read(own)
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    with pytest.raises(CharacterError, match="smaller textures"):
        Character.read(own)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CharacterError, match=r"dragon: No such file or directory.*human, robot"):
        Character.read(tmp_path / "dragon")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.sampled_from("ab"), children, max_size=2),
    max_leaves=4,
)


def replaced(of: Any, way: list[int], value: Any) -> Any:
    """A document in which something, found by a way of numbers, is another value."""
    if not way or not isinstance(of, dict | list) or not of:
        return value
    keys = list(of) if isinstance(of, dict) else range(len(of))
    key = keys[way[0] % len(keys)]
    copy = dict(of) if isinstance(of, dict) else list(of)
    copy[key] = replaced(of[key], way[1:], value)
    return copy


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(way=st.lists(st.integers(0, 20), min_size=1, max_size=6), value=JSON)
def test_any_document_moves_or_is_refused(way: list[int], value: Any, tmp_path: Path) -> None:
    own = write_glb(tmp_path / "own.glb", replaced(document(), way, value))
    try:
        read = Character.read(own)
    except CharacterError:
        return
    glb.write(takes.take(), tmp_path / "take.glb", read)
    assert read_document(tmp_path / "take.glb")["animations"][0]["name"] == "film"


def test_a_buffer_is_kept(own: Path, tmp_path: Path) -> None:
    glb.write(takes.take(), tmp_path / "take.glb", Character.read(own))
    length = read_document(tmp_path / "take.glb")["buffers"][0]["byteLength"]
    assert (tmp_path / "take.glb").read_bytes()[-length:].startswith(TRIANGLE)
