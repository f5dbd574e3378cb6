# SPDX-License-Identifier: Apache-2.0
"""MFN Face: a Blender add-on that moves characters by live faces, and keys them.

`mfn watch 0 --livelink HOST` sends each face as a datagram of Live Link Face's, which this add-on receives; so it does
from Epic's phone app, and it imports the app's CSV takes. Of the formats that `mfn` sends this one loses nothing with
several faces: every datagram is a whole face with the name of its subject and its time. (VMC has one performer a port.)

Frames. The sender's camera frame is glTF's: right-handed, x to the subject's left, y up, z where the face looks. In
Blender a character has z up and looks along -y, so that (x, y, z) there is (x, -z, y) here. Quaternions are, as
Blender's, (w, x, y, z).
"""

import csv
import math
import re
import socket
import struct
import threading
import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import bpy
from bpy_extras.io_utils import ImportHelper

bl_info = {
    "name": "MFN Face",
    "author": "MFN",
    "version": (1, 0, 0),
    "blender": (4, 2, 0),
    "location": "3D View > Sidebar > MFN; File > Import",
    "description": "Moves characters by live faces and keys them: mfn watch, Live Link Face, its CSV takes",
    "category": "Animation",
}

# --- Faces, as Live Link Face sends them

# ARKit's weights in the order of a datagram.
SHAPES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight",
    "eyeWideRight",
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft",
    "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
# Angles in radians, which follow the weights.
ANGLES = (
    "headYaw", "headPitch", "headRoll",
    "leftEyeYaw", "leftEyePitch", "leftEyeRoll", "rightEyeYaw", "rightEyePitch", "rightEyeRoll",
)  # fmt: skip
VALUES = len(SHAPES) + len(ANGLES)
PORT = 11111
PACKET_VERSION = 6
LONGEST_NAME = 256  # bytes


class Face(NamedTuple):
    """A face at a time.

    subject: its name. seconds: its time on its sender's clock. weights: by SHAPES. angles: radians, by ANGLES. sender:
    the address that it came from. arrival: when it came, in seconds of this machine's clock.
    """

    subject: str
    seconds: float
    weights: Sequence[float]
    angles: Sequence[float]
    sender: tuple = ()
    arrival: float = 0.0


def read_datagram(data: bytes, sender: tuple = (), arrival: float = 0.0) -> Face:
    """Reads a datagram of Live Link Face, version 6. Raises ValueError, in words, for anything else."""
    try:
        (version,) = struct.unpack_from(">B", data)
        if version != PACKET_VERSION:
            raise ValueError(f"the datagram has version {version}; expected Live Link Face's {PACKET_VERSION}")
        _, at = _read_name(data, 1)  # the device
        subject, at = _read_name(data, at)
        number, sub_frame, numerator, denominator, count = struct.unpack_from(">ifiiB", data, at)
        values = struct.unpack_from(f">{count}f", data, at + struct.calcsize(">ifiiB"))
    except struct.error:
        raise ValueError(f"the datagram of {len(data)} bytes ends too early") from None
    if count != VALUES:
        raise ValueError(f"the datagram has {count} values; expected {VALUES}")
    if numerator < 1 or denominator < 1:
        raise ValueError(f"the datagram has {numerator}/{denominator} frames a second")
    if not all(map(math.isfinite, (sub_frame, *values))):
        raise ValueError("the datagram has a value that is no number")
    seconds = (number + sub_frame) * denominator / numerator
    return Face(subject, seconds, values[: len(SHAPES)], values[len(SHAPES) :], sender, arrival)


def _read_name(data: bytes, at: int) -> tuple[str, int]:
    """The name at a place of a datagram, and the place after it."""
    (length,) = struct.unpack_from(">i", data, at)
    end = at + 4 + length
    if not 0 <= length <= LONGEST_NAME or end > len(data):
        raise ValueError(f"the datagram has a name of {length} bytes")
    return data[at + 4 : end].decode(errors="replace"), end


FRAME_RATES = (24, 25, 30, 48, 50, 60, 90, 100, 120)  # frames a second that a timecode may count
SLOW_RATES = (5, 10, 12, 15, 20)  # of webcams; frames of a shorter take than a second may be the first of more
TIMECODE = re.compile(r"(\d\d?):(\d\d?):(\d\d?)[:;](\d{1,3}(?:\.\d+)?)")  # hours, minutes, seconds, frames
NTSC = 1000 / 1001


def read_csv(file: Path, rate: float = 0.0) -> list[Face]:
    """Reads a take that Live Link Face has recorded; times begin at 0.

    rate: frames a second; 0 finds it out: the first usual one above the highest frame that the timecodes count, times
    1000/1001 where they are drop-frame. Of less than a whole second, 24 are the least. Raises ValueError, in words, for
    a file that is none.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
            rows = [{(name or "").lower(): text for name, text in row.items()} for row in csv.DictReader(lines)]
        codes = [TIMECODE.fullmatch(row["timecode"].strip()).groups() for row in rows]
        values = [[float(row[name.lower()]) for name in (*SHAPES, *ANGLES)] for row in rows]
    except KeyError as error:
        raise ValueError(f"{file.name} is no take of Live Link Face: it has no column {error}") from error
    except AttributeError as error:  # no match
        raise ValueError(f"{file.name} is no take of Live Link Face: a timecode is not HH:MM:SS:FF") from error
    except TypeError as error:  # None in place of a text
        raise ValueError(f"{file.name} is no take of Live Link Face: a row is too short") from error
    except (csv.Error, ValueError) as error:
        raise ValueError(f"{file.name} is no take of Live Link Face: {error}") from error
    if not rows or not all(math.isfinite(value) for row in values for value in row):
        raise ValueError(f"{file.name} has no rows, or values that are no numbers")
    frames, found_rate = _count_frames([(int(h) * 60 + int(m), int(s), float(f)) for h, m, s, f in codes])
    return [
        Face(file.stem, frame / (rate or found_rate), row[: len(SHAPES)], row[len(SHAPES) :])
        for frame, row in zip(frames, values, strict=True)
    ]


def _count_frames(codes: Sequence[tuple[int, int, float]]) -> tuple[list[float], float]:
    """Frames since the first of these timecodes (minute of the day, second, frame), and frames a second.

    Drop-frame timecodes leave out the first numbers of every minute but each tenth: 2 of 30 a second, 4 of 60.
    """
    highest = max(frame for _, _, frame in codes)
    whole = len({code[:2] for code in codes}) > 2  # at least one second from its first frame to its last
    usual_rates = (*SLOW_RATES, *FRAME_RATES) if whole else FRAME_RATES
    counted = next((usual for usual in usual_rates if usual > highest), math.floor(highest) + 1)
    left_out = counted // 15
    dropping = any(
        before[1:] >= (59, counted - 1) and minute % 10 and second == 0 and left_out <= frame < left_out + 1
        for before, (minute, second, frame) in pairwise(codes)
    )

    def number(minute: int, second: int, frame: float) -> float:
        dropped = left_out * (minute - minute // 10) if dropping else 0
        return (minute * 60 + second) * counted + frame - dropped

    first, day = number(*codes[0]), number(24 * 60, 0, 0)
    return [(number(*code) - first) % day for code in codes], counted * (NTSC if dropping else 1)


# --- Rotations

Quaternion = tuple[float, float, float, float]  # w, x, y, z, unit
AHEAD: Quaternion = (1.0, 0.0, 0.0, 0.0)


def about(axis: int, angle: float) -> Quaternion:
    """The rotation about x, y or z (0 to 2) by an angle in radians."""
    x, y, z = (math.sin(angle / 2) if each == axis else 0.0 for each in range(3))
    return math.cos(angle / 2), x, y, z


def multiply(*factors: Quaternion) -> Quaternion:
    """The rotation that does all of these, the last one first."""
    product = AHEAD
    for w2, x2, y2, z2 in factors:
        w1, x1, y1, z1 = product
        product = (
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        )
    return product


def inverse(rotation: Quaternion) -> Quaternion:
    """The rotation back."""
    w, x, y, z = rotation
    return w, -x, -y, -z


def rotations(face: Face) -> dict[str, Quaternion]:
    """How head and eyes turn in the camera frame; eyes relative to the head.

    The head's yaw is > 0 to the subject's left, its pitch up, its roll counter-clockwise as its viewer sees it. The
    eyes' yaw is > 0 to the subject's right, their pitch down: so does the app.
    """
    yaw, pitch, roll, left_yaw, left_pitch, _, right_yaw, right_pitch, _ = face.angles
    return {
        "head": multiply(about(1, yaw), about(0, -pitch), about(2, roll)),
        "eye_left": multiply(about(1, -left_yaw), about(0, left_pitch)),
        "eye_right": multiply(about(1, -right_yaw), about(0, right_pitch)),
    }


def to_blender(rotation: Quaternion) -> Quaternion:
    """A rotation in the camera frame, in the frame of a character that has z up and looks along -y."""
    w, x, y, z = rotation
    return w, x, -z, y


def continuous(turns: Iterable[Quaternion]) -> Iterator[Quaternion]:
    """The same rotations, none more than half a turn of the quaternion from the one before: q and -q are one rotation,
    but curves between their numbers would pass through others."""
    before = AHEAD
    for turn in turns:
        if sum(a * b for a, b in zip(before, turn, strict=True)) < 0:
            turn = tuple(-value for value in turn)
        before = turn
        yield turn


# --- Names


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _spellings() -> dict[str, str]:
    """Plain spellings of ARKit's names: eyeBlinkLeft and eyeBlinkL; halves of the two that have none in ARKit."""
    found = {}
    for shape in SHAPES:
        found[_plain(shape)] = shape
        for side in ("Left", "Right"):
            if shape.endswith(side):
                found[_plain(shape.removesuffix(side) + side[0])] = shape
    for shape in ("browInnerUp", "cheekPuff"):
        found |= {_plain(shape + side): shape for side in ("Left", "Right", "L", "R")}
    return found


SPELLINGS = _spellings()
# Plain names of bones and objects; the first that a character has is taken.
USUAL_PARTS = {
    "head": ("head", "mixamorighead", "defhead", "jbipchead", "bip01head", "cchead", "ccbasehead", "defspine006"),
    "eye_left": ("eyeleft", "lefteye", "eyel", "leye", "mixamoriglefteye", "defeyel", "jadjlfaceeye", "ccbaseleye"),
    "eye_right": ("eyeright", "righteye", "eyer", "reye", "mixamorigrighteye", "defeyer", "jadjrfaceeye", "ccbasereye"),
}


@cache
def arkit_name(name: str) -> str | None:
    """ARKit's name of a shape key, whose own may be eyeBlinkLeft, EyeBlink_L, eye_blink.L or head.eyeBlinkLeft; None
    where it is another's."""
    name = re.sub(r"\.\d{3}$", "", name)  # a copy's number
    return SPELLINGS.get(_plain(name)) or SPELLINGS.get(_plain(re.split(r"[.:]", name, maxsplit=1)[-1]))


def usual_part(part: str, names: Iterable[str]) -> str:
    """The name among these that head, eye_left or eye_right usually has; "" where there is none."""
    plain = {_plain(re.sub(r"\.\d{3}$", "", name)): name for name in names}
    return next((plain[usual] for usual in USUAL_PARTS[part] if usual in plain), "")


# --- Receiving


class Receiver:
    """Receives datagrams in a thread of its own, until it is closed."""

    WAITING = 10_000  # faces at most, so that a Blender that is busy for long does not fill its memory

    def __init__(self, address: str, port: int) -> None:
        """Raises OSError where the port is taken or the address is not this machine's."""
        self.faces: deque[Face] = deque(maxlen=self.WAITING)
        self.refused = ""  # why the latest datagram that is no face was not taken
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((address, port))
        except (OSError, OverflowError):
            self._socket.close()
            raise
        self._socket.settimeout(0.1)
        self._open = True
        self._thread = threading.Thread(target=self._run, name="MFN Face", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._socket:
            while self._open:
                try:
                    data, sender = self._socket.recvfrom(65535)
                    self.faces.append(read_datagram(data, sender, time.monotonic()))
                except TimeoutError:
                    continue
                except ValueError as error:
                    self.refused = str(error)

    def take(self) -> list[Face]:
        """The faces that have come since the last time."""
        return [self.faces.popleft() for _ in range(len(self.faces))]

    def close(self) -> None:
        """Ends the thread and frees the port."""
        self._open = False
        self._thread.join()


class Take:
    """Faces that are recorded, each at its time in seconds since the first one.

    Times are the senders' own, so that keys do not jitter as the network does. Each sender's clock is set by the
    arrival of its first face, and anew when it leaps, as at midnight or when a film starts again.
    """

    LEAP = 1.0  # seconds

    def __init__(self, start: float) -> None:
        """start: the frame of the scene at which the first face is keyed."""
        self.start = start
        self.faces: dict[str, list[tuple[float, Face]]] = {}
        self._first: float | None = None
        self._offsets: dict[tuple, float] = {}

    def add(self, face: Face) -> None:
        """Adds a face."""
        if self._first is None:
            self._first = face.arrival
        elapsed = face.arrival - self._first
        offset = self._offsets.get(face.sender)
        if offset is None or abs(face.seconds + offset - elapsed) > self.LEAP:
            offset = self._offsets[face.sender] = elapsed - face.seconds
        self.faces.setdefault(face.subject, []).append((face.seconds + offset, face))


# --- Characters


class Part(NamedTuple):
    """A bone or an object that turns.

    path: the property that turns it, relative to its rest. rest: the rotation of the frame in which it does, in the
    frame of the character.
    """

    owner: bpy.types.PoseBone | bpy.types.Object
    path: str
    rest: Quaternion

    def local(self, turn: Quaternion) -> Quaternion:
        """The property's value for a turn in the frame of the character."""
        return multiply(inverse(self.rest), turn, self.rest)

    def turn(self, value: Quaternion) -> None:
        """Sets the property."""
        if self.owner.rotation_mode != "QUATERNION":
            self.owner.rotation_mode = "QUATERNION"
        setattr(self.owner, self.path, value)


class Rig:
    """What of a character moves: shape keys, head and eyes, as they are now in the scene."""

    def __init__(self, character) -> None:
        """character: an MfnCharacter, an item of the scene's list."""
        self.y_up = character.y_up
        objects = family(character.object)
        keys = [each.data.shape_keys for each in objects if each.type == "MESH" and each.data.shape_keys]
        found = [(key, arkit_name(key.name)) for each in keys for key in each.key_blocks[1:]]
        self.shapes = [(key, SHAPES.index(name)) for key, name in found if name]
        parts = {name: find_part(objects, getattr(character, name)) for name in USUAL_PARTS}
        self.parts = {name: part for name, part in parts.items() if part}

    def turns(self, face: Face) -> dict[str, Quaternion]:
        """The value of each part's property."""
        for_frame = (lambda turn: turn) if self.y_up else to_blender
        turns = rotations(face)
        return {name: part.local(for_frame(turns[name])) for name, part in self.parts.items()}

    def show(self, face: Face) -> None:
        """Poses the character."""
        for key, index in self.shapes:
            key.value = face.weights[index]
        for name, turn in self.turns(face).items():
            self.parts[name].turn(turn)

    def key(self, frames: Sequence[float], faces: Sequence[Face]) -> None:
        """Keys the character at frames of the scene, in place of the keys that lie between their first and last."""
        for key, index in self.shapes:
            put_keys(key.id_data, key.path_from_id("value"), 0, frames, [face.weights[index] for face in faces])
        turns = [self.turns(face) for face in faces]
        for name, part in self.parts.items():
            part.turn(turns[-1][name])
            path = part.owner.path_from_id(part.path)
            for index, values in enumerate(zip(*continuous(turn[name] for turn in turns), strict=True)):
                put_keys(part.owner.id_data, path, index, frames, values)


def family(character: bpy.types.Object) -> list[bpy.types.Object]:
    """The object and all that hang on it; of a mesh on an armature, the armature's."""
    top = character.find_armature() or character
    return [top, *top.children_recursive]


def find_part(objects: Sequence[bpy.types.Object], name: str) -> Part | None:
    """The bone, or else the object, of this name; None where there is none."""
    for each in objects:
        if each.type == "ARMATURE" and name in each.pose.bones:
            bone = each.pose.bones[name]
            return Part(bone, "rotation_quaternion", tuple(bone.bone.matrix_local.to_quaternion()))
    for each in objects:
        if each.name == name:
            rest = each.matrix_parent_inverse
            if each.parent_type == "BONE" and each.parent_bone in each.parent.data.bones:
                rest = each.parent.data.bones[each.parent_bone].matrix_local @ rest
            # Delta transforms come on top of the object's own rotation, which stays as it is.
            return Part(each, "delta_rotation_quaternion", tuple(rest.to_quaternion()))
    return None


def part_names(character: bpy.types.Object) -> list[str]:
    """The names of a character's bones and objects."""
    objects = family(character)
    bones = [bone.name for each in objects if each.type == "ARMATURE" for bone in each.pose.bones]
    return bones + [each.name for each in objects]


# What a key of a curve has, and of how many numbers.
KEY_NUMBERS = {
    "co": 2, "handle_left": 2, "handle_right": 2, "handle_left_type": 1, "handle_right_type": 1, "interpolation": 1,
    "easing": 1, "amplitude": 1, "back": 1, "period": 1, "type": 1, "select_control_point": 1,
}  # fmt: skip
LINEAR = 1  # of a key's interpolation, as the curve's numbers have it


def put_keys(data: bpy.types.ID, path: str, index: int, frames: Sequence[float], values: Sequence[float]) -> None:
    """Keys a number of a property at rising frames, in place of the keys between the first and the last of these."""
    animation = data.animation_data_create()
    if animation.action is None:
        animation.action = bpy.data.actions.new(f"{data.name} face")
    action = animation.action
    if hasattr(action, "fcurve_ensure_for_datablock"):  # Blender 4.4 and later: actions have slots
        curve = action.fcurve_ensure_for_datablock(data, path, index=index)
    else:
        curve = action.fcurves.find(path, index=index) or action.fcurves.new(path, index=index)
    points = curve.keyframe_points
    left = bisect_left(points, frames[0], key=lambda point: point.co.x)
    right = bisect_right(points, frames[-1], key=lambda point: point.co.x)
    before = {name: _numbers(points, name) for name in KEY_NUMBERS}
    count = left + len(frames) + len(points) - right
    points.clear()  # and all are written anew, in order: Blender sorts keys by exchanging neighbours
    points.add(count)
    new = {
        "co": [number for pair in zip(frames, values, strict=True) for number in pair],
        "interpolation": [LINEAR] * len(frames),  # a smooth curve would swing past dense keys
    }
    for name, width in KEY_NUMBERS.items():
        middle = new.get(name) or _numbers(points, name)[: width * len(frames)]
        points.foreach_set(name, before[name][: width * left] + middle + before[name][width * right :])
    curve.update()


def _numbers(points, name: str) -> list[float]:
    """A property of all keys of a curve, one after another."""
    numbers = [0.0 if KEY_NUMBERS[name] > 1 else 0] * (KEY_NUMBERS[name] * len(points))
    points.foreach_get(name, numbers)
    return numbers


def key_take(scene: bpy.types.Scene, character, timed: Sequence[tuple[float, Face]], start: float) -> int:
    """Keys faces at their times in seconds, from a frame of the scene on; returns the number of keyed frames."""
    rate = scene.render.fps / scene.render.fps_base
    by_frame = {start + seconds * rate: face for seconds, face in timed}
    frames = sorted(by_frame)
    if frames:
        Rig(character).key(frames, [by_frame[frame] for frame in frames])
    return len(frames)


# --- The session: what runs between Start and Stop


class Session:
    """A receiver, the subjects that it hears, and the take that is recorded."""

    MEMORY = 2.0  # seconds that a subject is remembered

    def __init__(self, address: str, port: int) -> None:
        """Raises OSError where the port is taken or the address is not this machine's."""
        self.receiver = Receiver(address, port)
        self.subjects: dict[str, float] = {}  # when the latest face of each arrived
        self.take: Take | None = None

    def tick(self, scene: bpy.types.Scene) -> None:
        """Poses the characters by the latest faces, and adds all faces to the take."""
        latest = {}
        for face in self.receiver.take():
            latest[face.subject] = face
            if self.take:
                self.take.add(face)
        now = time.monotonic()
        recent = {subject: arrival for subject, arrival in self.subjects.items() if now - arrival < self.MEMORY}
        heard = recent | {subject: face.arrival for subject, face in latest.items()}
        if heard.keys() != self.subjects.keys():
            redraw_views()
        self.subjects = heard
        for character in scene.mfn.characters:
            if character.object and character.subject in latest:
                Rig(character).show(latest[character.subject])

    def end_take(self, scene: bpy.types.Scene) -> int:
        """Keys the characters by the take; returns the number of keyed frames, of all of them."""
        take, self.take = self.take, None
        return sum(
            key_take(scene, character, take.faces[character.subject], take.start)
            for character in scene.mfn.characters
            if take and character.object and character.subject in take.faces
        )


def redraw_views() -> None:
    """Has the sidebars drawn again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


session: Session | None = None
TICK = 1 / 60  # seconds


def tick() -> float | None:
    """What Blender's timer calls in its main thread, where alone the scene may be changed."""
    if session is None:
        return None
    session.tick(bpy.context.scene)
    return TICK


def close_session() -> None:
    """Stops receiving."""
    global session
    if session:
        session.receiver.close()
    session = None


# --- What users see


def heard_subjects(_character, _context, _text) -> list[str]:
    """What the field of a subject suggests."""
    return list(session.subjects) if session else []


def character_parts(character, _context, _text) -> list[str]:
    """What the fields of head and eyes suggest."""
    return part_names(character.object) if character.object else []


class MfnCharacter(bpy.types.PropertyGroup):
    """A character that a subject moves."""

    object: bpy.props.PointerProperty(type=bpy.types.Object, name="Character")
    subject: bpy.props.StringProperty(
        name="Subject",
        description="The face that moves it: mfn, or mfn-1, mfn-2 and so on with --everyone",
        default="mfn",
        search=heard_subjects,
    )
    head: bpy.props.StringProperty(name="Head", description="A bone or an object; empty: none", search=character_parts)
    eye_left: bpy.props.StringProperty(
        name="Left Eye", description="The subject's left; empty: shape keys alone move it", search=character_parts
    )
    eye_right: bpy.props.StringProperty(
        name="Right Eye", description="The subject's right; empty: shape keys alone move it", search=character_parts
    )
    y_up: bpy.props.BoolProperty(
        name="Y is up",
        description="In its object's own frame the character has y up and looks along z, as FBX files may have it",
    )


class MfnScene(bpy.types.PropertyGroup):
    """What the add-on keeps with a scene."""

    address: bpy.props.StringProperty(
        name="Address", description="127.0.0.1 hears this machine; 0.0.0.0 hears others, too", default="127.0.0.1"
    )
    port: bpy.props.IntProperty(name="UDP Port", default=PORT, min=1, max=65535)
    characters: bpy.props.CollectionProperty(type=MfnCharacter)


class Start(bpy.types.Operator):
    """Receive faces"""

    bl_idname = "mfn.start"
    bl_label = "Start"

    def execute(self, context):
        global session
        close_session()
        settings = context.scene.mfn
        try:
            session = Session(settings.address, settings.port)
        except OSError as error:
            self.report({"ERROR"}, f"Port {settings.port} of {settings.address} cannot be opened: {error}")
            return {"CANCELLED"}
        if not bpy.app.timers.is_registered(tick):
            bpy.app.timers.register(tick, persistent=True)
        return {"FINISHED"}


class Stop(bpy.types.Operator):
    """Stop receiving; a take that is being recorded is keyed"""

    bl_idname = "mfn.stop"
    bl_label = "Stop"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, _context):
        return session is not None

    def execute(self, context):
        session.end_take(context.scene)
        close_session()
        return {"FINISHED"}


class Record(bpy.types.Operator):
    """Record from the current frame on; a second time: key the characters by what was recorded"""

    bl_idname = "mfn.record"
    bl_label = "Record"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, _context):
        return session is not None

    def execute(self, context):
        if session.take is None:
            session.take = Take(context.scene.frame_current)
        else:
            self.report({"INFO"}, f"{session.end_take(context.scene)} frames keyed")
        return {"FINISHED"}


class AddCharacter(bpy.types.Operator):
    """Add the active object, an armature or a mesh, as a character"""

    bl_idname = "mfn.add"
    bl_label = "Add Character"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return context.object is not None

    def execute(self, context):
        characters = context.scene.mfn.characters
        taken = {character.subject for character in characters}
        character = characters.add()
        character.object = context.object
        free = [subject for subject in heard_subjects(character, context, "") if subject not in taken]
        if free:
            character.subject = free[0]
        names = part_names(context.object)
        for part in USUAL_PARTS:
            setattr(character, part, usual_part(part, names))
        if not Rig(character).shapes:
            self.report({"WARNING"}, f"{context.object.name} has no shape keys by ARKit's names: its head may turn")
        return {"FINISHED"}


class RemoveCharacter(bpy.types.Operator):
    """Take the character off the list; it stays in the scene"""

    bl_idname = "mfn.remove"
    bl_label = "Remove"
    bl_options = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty()

    def execute(self, context):
        context.scene.mfn.characters.remove(self.index)
        return {"FINISHED"}


class ImportTake(bpy.types.Operator, ImportHelper):
    """Key the character whose object is active by a CSV take of Live Link Face or of mfn capture"""

    bl_idname = "mfn.import_csv"
    bl_label = "Import Take"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".csv"
    filter_glob: bpy.props.StringProperty(default="*.csv", options={"HIDDEN"})
    rate: bpy.props.FloatProperty(name="Frames a Second", description="0: as its timecodes count", min=0)

    def execute(self, context):
        scene = context.scene
        active = context.object and (context.object.find_armature() or context.object)
        owners = [each for each in scene.mfn.characters if each.object and active in family(each.object)]
        if not owners:
            self.report({"ERROR"}, "Select a character of the list in the sidebar's MFN tab, or add one there")
            return {"CANCELLED"}
        try:
            faces = read_csv(Path(self.filepath), self.rate)
        except (OSError, ValueError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        timed = [(face.seconds, face) for face in faces]
        self.report({"INFO"}, f"{key_take(scene, owners[0], timed, scene.frame_current)} frames keyed")
        return {"FINISHED"}


class Sidebar(bpy.types.Panel):
    """The panel in the 3D view's sidebar."""

    bl_idname = "MFN_PT_sidebar"
    bl_label = "MFN Face"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MFN"

    def draw(self, context):
        settings, layout = context.scene.mfn, self.layout
        column = layout.column()
        column.enabled = session is None
        column.prop(settings, "address")
        column.prop(settings, "port")
        if session is None:
            layout.operator("mfn.start", icon="PLAY")
        else:
            row = layout.row(align=True)
            row.operator("mfn.stop", icon="PAUSE")
            recording = session.take is not None
            row.operator("mfn.record", text="Key Take" if recording else "Record", icon="REC", depress=recording)
            layout.label(
                text=", ".join(list(session.subjects)) or session.receiver.refused or "No face comes", icon="USER"
            )
        for index, character in enumerate(settings.characters):
            box = layout.box()
            row = box.row()
            row.prop(character, "object", text="")
            row.operator("mfn.remove", text="", icon="X").index = index
            for name in ("subject", *USUAL_PARTS, "y_up"):
                box.prop(character, name)
        layout.operator("mfn.add", icon="ADD")
        layout.operator("mfn.import_csv", icon="IMPORT")


def draw_import(menu, _context) -> None:
    """The line in File > Import."""
    menu.layout.operator("mfn.import_csv", text="Live Link Face Take (.csv)")


CLASSES = (
    MfnCharacter,
    MfnScene,
    Start,
    Stop,
    Record,
    AddCharacter,
    RemoveCharacter,
    ImportTake,
    Sidebar,
)


def register() -> None:
    """Adds it to Blender."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.mfn = bpy.props.PointerProperty(type=MfnScene)
    bpy.types.TOPBAR_MT_file_import.append(draw_import)


def unregister() -> None:
    """Takes it out of Blender."""
    close_session()
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    bpy.types.TOPBAR_MT_file_import.remove(draw_import)
    del bpy.types.Scene.mfn
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)


if __name__ == "__main__":  # Blender's text editor
    register()
