"""What of the Blender add-on needs no Blender: datagrams, CSV takes, axes, spellings, clocks, the receiver."""

import contextlib
import math
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from service.cli.avatar import livelink
from service.cli.avatar.udp import UdpSender
from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Array
from service.vision.gaze import GAZE_NAMES, eye_rotations
from service.vision.rotation import euler_to_quaternion
from tests.clients.blender.addon import FILE, load
from tests.docs.pages import ROOT
from tests.service.processes import free_port

addon = load()
few = settings(max_examples=30)

WEIGHTS = np.linspace(0, 1, len(ARKIT_NAMES), dtype=np.float32)
GAZE = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], np.float32)
TIME = livelink.FrameTime(90, 0.5, 30, 1)
# Where a face's own axes point in Blender's frame, in the order of the camera frame's x, y and z.
BLENDER = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])


def quaternion(yaw: float = 0, pitch: float = 0, roll: float = 0) -> Array:
    """(4,) of a head that turns by degrees."""
    return euler_to_quaternion(np.array(yaw), np.array(pitch), np.array(roll))


def datagram(turn: Array | None = None, subject: str = "mfn", frame_time: livelink.FrameTime = TIME) -> bytes:
    turn = quaternion() if turn is None else turn
    return livelink.packet(WEIGHTS, GAZE, turn, subject, frame_time)


def matrix(turn: Any) -> np.ndarray:
    """(3, 3) of a quaternion as Blender writes it."""
    matrix: np.ndarray = Rotation.from_quat(turn, scalar_first=True).as_matrix()
    return matrix


def head_in_blender(turn: Array) -> np.ndarray:
    """(3, 3) of the head that a datagram turns."""
    return matrix(addon.to_blender(addon.rotations(addon.read_datagram(datagram(turn)))["head"]))


def test_a_face_arrives_as_it_was_sent() -> None:
    face = addon.read_datagram(datagram(subject="Zoë"), ("host", 5), 7.0)
    assert (face.subject, face.seconds, face.sender, face.arrival) == (
        "Zoë",
        pytest.approx(90.5 / 30),
        ("host", 5),
        7.0,
    )
    assert dict(zip(addon.SHAPES, face.weights, strict=True)) == dict(zip(ARKIT_NAMES, WEIGHTS.tolist(), strict=True))


def test_names_are_the_senders() -> None:
    assert [name.lower() for name in addon.SHAPES] == [name.lower() for name in livelink.SHAPES]
    assert [name.lower() for name in addon.ANGLES] == [name.lower() for name in livelink.HEAD_AND_EYES]
    assert set(addon.SHAPES) == set(ARKIT_NAMES)


@pytest.mark.parametrize(
    ("turn", "part", "direction"),
    [
        (quaternion(yaw=30), "nose", "+x"),  # to the subject's left
        (quaternion(pitch=30), "nose", "-z"),  # a nod: down
        (quaternion(roll=30), "crown", "-x"),  # a tilt: the crown goes to the subject's right
    ],
)
def test_a_head_nods_turns_and_tilts_to_known_sides(turn: Array, part: str, direction: str) -> None:
    ahead = {"nose": np.array([0, -1, 0]), "crown": np.array([0, 0, 1])}[part]
    moved = head_in_blender(turn) @ ahead - ahead
    axis = "xyz".index(direction[1])
    assert moved[axis] == pytest.approx(math.sin(math.radians(30)) * (1 if direction[0] == "+" else -1), abs=1e-6)
    assert moved @ ahead == pytest.approx(math.cos(math.radians(30)) - 1, abs=1e-6)


@few
@given(st.floats(-89, 89), st.floats(-89, 89), st.floats(-179, 179))
def test_any_turn_of_the_head_arrives(yaw: float, pitch: float, roll: float) -> None:
    turn = quaternion(yaw, pitch, roll)
    expected = BLENDER @ Rotation.from_quat(turn).as_matrix() @ BLENDER.T
    np.testing.assert_allclose(head_in_blender(turn), expected, atol=1e-5)


@few
@given(st.lists(st.floats(0, 1, width=32), min_size=len(GAZE_NAMES), max_size=len(GAZE_NAMES)))
def test_eyes_look_where_they_looked(weights: list[float]) -> None:
    gaze = np.array(weights, np.float32)
    face = addon.read_datagram(livelink.packet(WEIGHTS, gaze, quaternion(), "mfn", TIME))
    for part, (yaw, pitch) in zip(("eye_left", "eye_right"), eye_rotations(gaze), strict=True):
        expected = Rotation.from_euler("YX", [yaw, pitch], degrees=True).as_matrix()
        np.testing.assert_allclose(matrix(addon.rotations(face)[part]), expected, atol=1e-5)


@few
@given(st.binary(max_size=400))
def test_what_is_no_face_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ValueError, match="the datagram"):
        addon.read_datagram(data)


@few
@given(st.integers(0, 340), st.binary(max_size=3))
def test_a_damaged_datagram_is_refused_or_has_numbers(at: int, noise: bytes) -> None:
    data = datagram()
    with contextlib.suppress(ValueError):
        face = addon.read_datagram(data[:at] + noise + data[at + len(noise) :])
        assert all(map(math.isfinite, (face.seconds, *face.weights, *face.angles)))


@pytest.mark.parametrize(
    ("spelling", "shape"),
    [
        ("eyeBlinkLeft", "eyeBlinkLeft"),
        ("EyeBlinkLeft", "eyeBlinkLeft"),
        ("eyeBlink_L", "eyeBlinkLeft"),
        ("eyeBlink.R", "eyeBlinkRight"),
        ("eye_blink_right", "eyeBlinkRight"),
        ("Eye Blink Left", "eyeBlinkLeft"),
        ("head_blendShape.eyeBlinkLeft", "eyeBlinkLeft"),
        ("body:jawOpen.001", "jawOpen"),
        ("mouth_L", "mouthLeft"),
        ("browInnerUp_L", "browInnerUp"),
        ("cheekPuffRight", "cheekPuff"),
        ("wrinkle_jawOpen", None),
        ("Basis", None),
        ("", None),
    ],
)
def test_shape_keys_are_known_by_usual_spellings(spelling: str, shape: str | None) -> None:
    assert addon.arkit_name(spelling) == shape


def test_spellings_are_of_one_name_each() -> None:
    for shape in addon.SHAPES:
        side = "Left" if shape.endswith("Left") else "Right"
        for spelling in (shape, shape.upper(), f"{shape.removesuffix(side)}_{side[0]}" if side in shape else shape):
            assert addon.arkit_name(spelling) == shape


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["root", "neck", "head", "eye_left", "eye_right"], ("head", "eye_left", "eye_right")),
        (["mixamorig:Head", "mixamorig:LeftEye", "mixamorig:RightEye"],) * 2,
        (["Head.001", "eye.L", "eye.R"],) * 2,
        (["Icosphere"], ("", "", "")),
    ],
)
def test_head_and_eyes_are_found_by_usual_names(names: list[str], parts: tuple[str, ...]) -> None:
    assert tuple(addon.usual_part(part, names) for part in addon.USUAL_PARTS) == tuple(parts)


def test_curves_of_quaternions_do_not_leap() -> None:
    turns = [addon.about(1, math.radians(angle)) for angle in range(0, 720, 15)]
    flipped = [tuple(-value for value in turn) if index % 3 else turn for index, turn in enumerate(turns)]
    smooth = list(addon.continuous(flipped))
    assert all(math.dist(a, b) < 0.2 for a, b in pairwise(smooth))
    for turn, same in zip(turns, smooth, strict=True):
        np.testing.assert_allclose(matrix(same), matrix(turn), atol=1e-9)


def face_at(seconds: float, arrival: float, sender: tuple[str, int] = ("a", 1), subject: str = "mfn") -> Any:
    return addon.Face(subject, seconds, (), (), sender, arrival)


def test_a_take_has_the_senders_times() -> None:
    take = addon.Take(start=1)
    for frame in range(4):  # 30 frames a second, which arrive unevenly
        take.add(face_at(5000 + frame / 30, 100 + frame / 30 + (0.02 if frame % 2 else 0)))
    assert [seconds for seconds, _ in take.faces["mfn"]] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30])


def test_a_take_goes_on_where_a_clock_leaps_and_with_other_senders() -> None:
    take = addon.Take(start=1)
    take.add(face_at(86399.5, 100))
    take.add(face_at(0.5, 101))  # midnight
    take.add(face_at(0.6, 101.1))
    take.add(face_at(7000, 102, ("phone", 2), "iPhone"))
    assert [seconds for seconds, _ in take.faces["mfn"]] == pytest.approx([0, 1, 1.1])
    assert [seconds for seconds, _ in take.faces["iPhone"]] == pytest.approx([2])


def test_the_receiver_hears_every_subject_and_frees_its_port() -> None:
    port = free_port()
    receiver = addon.Receiver("127.0.0.1", port)
    with pytest.raises(OSError, match="in use"):
        addon.Receiver("127.0.0.1", port)
    faces: list[Any] = []
    with UdpSender("127.0.0.1", port) as sender:
        deadline = time.monotonic() + 10
        sender.send(b"noise", datagram(subject="mfn-1"), datagram(subject="mfn-2"))
        while len(faces) < 2 and time.monotonic() < deadline:
            faces += receiver.take()
    receiver.close()
    assert [face.subject for face in faces] == ["mfn-1", "mfn-2"]
    assert "version" in receiver.refused
    addon.Receiver("127.0.0.1", port).close()


def test_the_page_names_what_users_see() -> None:
    page = (ROOT / "docs/blender.md").read_text(encoding="utf-8")
    source = FILE.read_text(encoding="utf-8")
    for label in ("Add Character", "Start", "Record", "Key Take", "Import Take", "Address", "Subject", "UDP Port"):
        assert f"*{label}*" in page
        assert f'"{label}"' in source
    for label in ("Head", "Left Eye", "Right Eye", "Y is up", "No face comes", "Live Link Face Take"):
        assert label in page
        assert f'"{label}' in source


HEADER = ["Timecode", "BlendShapeCount", *livelink.SHAPES[:15], "JawRight", "JawLeft", *livelink.SHAPES[17:]]
HEADER += livelink.HEAD_AND_EYES


def csv_take(file: Path, timecodes: list[str]) -> Path:
    """A take in the app's order of columns, whose jaw goes left by a hundredth a row."""
    rows = [
        [timecode, "61", *(f"{row / 100 if name == 'JawLeft' else 0:.10f}" for name in HEADER[2:])]
        for row, timecode in enumerate(timecodes)
    ]
    file.write_text("".join(",".join(row) + "\n" for row in [HEADER, *rows]), encoding="utf-8")
    return file


def test_a_csv_take_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    file = csv_take(tmp_path / "Slate_1_mfn.csv", ["00:59:59:58.500", "00:59:59:59.500", "01:00:00:00.500"])
    faces = addon.read_csv(file)
    assert [face.seconds for face in faces] == pytest.approx([0, 1 / 60, 2 / 60])
    assert [face.weights[addon.SHAPES.index("jawLeft")] for face in faces] == [0, 0.01, 0.02]
    assert {face.subject for face in faces} == {"Slate_1_mfn"}
    assert addon.read_csv(file, rate=59.94)[2].seconds == pytest.approx(2 / 59.94)


@pytest.mark.parametrize("rate", [10, 15, 20, 24, 30, 60])
def test_the_rate_of_a_csv_take_is_what_its_timecodes_count(tmp_path: Path, rate: int) -> None:
    codes = [f"00:00:{frame // rate:02}:{frame % rate:02}.000" for frame in range(3 * rate)]
    faces = addon.read_csv(csv_take(tmp_path / "take.csv", codes))
    np.testing.assert_allclose([face.seconds for face in faces], np.arange(3 * rate) / rate)


def test_a_csv_take_goes_over_midnight(tmp_path: Path) -> None:
    faces = addon.read_csv(csv_take(tmp_path / "take.csv", ["23:59:59:29.000", "00:00:00:00.000"]))
    assert [face.seconds for face in faces] == pytest.approx([0, 1 / 30])


@pytest.mark.parametrize(("counted", "left_out"), [(30, 2), (60, 4)])
def test_drop_frame_timecodes_leave_out_no_frames(tmp_path: Path, counted: int, left_out: int) -> None:
    around = [(9, 59, counted - 1), (10, 0, 0), (10, 59, counted - 1), (11, 0, left_out), (11, 0, left_out + 1)]
    faces = addon.read_csv(csv_take(tmp_path / "take.csv", [f"23:{m:02}:{s:02}:{f:02}.000" for m, s, f in around]))
    minute = counted * 60  # the tenth minute is whole
    frames = [0, 1, minute, minute + 1, minute + 2]
    assert [face.seconds for face in faces] == pytest.approx([frame * 1001 / (1000 * counted) for frame in frames])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("a,b\n1,2\n", "it has no column 'timecode'"),
        ("Timecode\nnow\n", "a timecode is not HH:MM:SS:FF"),
        ("Timecode\n00:00:00:00.0\n", "it has no column 'eyeblinkleft'"),
        (",".join(HEADER) + "\n00:00:00:00.0,61,0.5\n", "a row is too short"),
        (",".join(HEADER) + "\n00:00:00:00.0,61,half" + ",0" * 60 + "\n", "'half'"),
        ("\0", ""),
    ],
)
def test_a_file_that_is_no_take_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "take.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"take\.csv.*{words}"):
        addon.read_csv(file)
