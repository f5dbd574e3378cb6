"""Faces on to avatars, received on loopback and read."""

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

from service.cli.avatar.livelink import HEAD_AND_EYES, SHAPES
from service.cli.avatar.outputs import LeadingFace, LiveLink, Vmc
from service.cli.avatar.udp import UdpSender
from service.inference.models import Models
from service.vision.gaze import GAZE_NAMES, no_gaze
from tests.service.cli.video.results import processed_frame

SMALL, LARGE = (100.0, 100.0, 150.0, 150.0), (300.0, 100.0, 500.0, 300.0)


class Receiver:
    """A port of this machine, and a sender to it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(10)
        self.sender = UdpSender(*self._socket.getsockname())

    def packets(self, number: int) -> list[bytes]:
        return [self._socket.recv(4096) for _ in range(number)]

    def nothing_more(self) -> bool:
        """What is sent on loopback has arrived when the sending returns."""
        self._socket.setblocking(False)
        try:
            self._socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(10)
        return False

    def close(self) -> None:
        self.sender.close()
        self._socket.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def subject_of(packet: bytes) -> str:
    (length,) = struct.unpack_from(">i", packet, 41)
    return packet[45 : 45 + length].decode()


def weights_of(packet: bytes) -> dict[str, float]:
    return dict(zip(SHAPES, np.frombuffer(packet[-61 * 4 :], ">f4")[:52].tolist(), strict=True))


def vmc_messages(packets: list[bytes]) -> list[tuple[str, list[Any]]]:
    osc_bundle = pytest.importorskip("pythonosc.osc_bundle")
    return [(each.address, each.params) for packet in packets for each in osc_bundle.OscBundle(packet)]


def expressions(models: Models, *names: str) -> np.ndarray:
    """One face a name, which shows it to 0.75 and nothing else."""
    weights = np.zeros((len(names), 46))
    for row, name in enumerate(names):
        weights[row, models.face_model.expression_names.index(name)] = 0.75
    return weights


def lead_over(
    lead: LeadingFace, *frames: tuple[float, dict[int, tuple[float, float, float, float]]]
) -> list[int | None]:
    """The leading track in each of some frames, a time and the faces of each."""
    leaders = []
    for timestamp, boxes in frames:
        row = lead.row_in(processed_frame(boxes).result, timestamp)
        leaders.append(None if row is None else list(boxes)[row])
    return leaders


def test_the_largest_leads_and_keeps_the_lead() -> None:
    assert lead_over(
        LeadingFace(), (0.0, {}), (0.1, {1: SMALL, 2: LARGE}), (0.2, {2: SMALL, 1: LARGE}), (0.3, {1: LARGE, 2: SMALL})
    ) == [None, 2, 2, 2]


def test_the_lead_passes_on_after_a_second_out_of_sight() -> None:
    assert lead_over(
        LeadingFace(), (0.0, {1: SMALL}), (0.9, {2: LARGE}), (1.0, {1: SMALL, 2: LARGE}), (1.5, {}), (1.9, {2: LARGE}),
        (2.1, {2: LARGE}), (2.2, {1: LARGE, 2: SMALL}),
    ) == [1, None, 1, None, None, 2, 2]  # fmt: skip


def test_live_link_carries_the_leading_face(models: Models, receiver: Receiver) -> None:
    boxes = {4: SMALL, 9: LARGE}
    view = processed_frame(boxes, timestamp=2.0, expression=expressions(models, "jawOpen", "eyeBlink_L"))
    LiveLink(receiver.sender, models.arkit, everyone=False, mirror=False).consume(view)
    [packet] = receiver.packets(1)
    assert subject_of(packet) == "mfn"
    assert {name: weight for name, weight in weights_of(packet).items() if weight} == {"EyeBlinkLeft": 0.75}
    assert struct.unpack_from(">i", packet, 48) == (120,)  # of 60 frames a second
    assert receiver.nothing_more()


def test_live_link_carries_everyone_by_track(models: Models, receiver: Receiver) -> None:
    view = processed_frame({4: SMALL, 9: LARGE}, expression=expressions(models, "jawOpen", "eyeBlink_L"))
    LiveLink(receiver.sender, models.arkit, everyone=True, mirror=True).consume(view)
    first, second = receiver.packets(2)
    assert (subject_of(first), subject_of(second)) == ("mfn-4", "mfn-9")
    assert weights_of(first)["JawOpen"] == 0.75
    assert {name: weight for name, weight in weights_of(second).items() if weight} == {"EyeBlinkRight": 0.75}
    assert receiver.nothing_more()


def eyes_up(*rows: int, count: int = 2) -> np.ndarray:
    """Of some faces; the others' gaze was not seen."""
    gaze = no_gaze(count)
    gaze[list(rows)] = 0
    gaze[list(rows), GAZE_NAMES.index("eyeLookUpLeft")] = 0.5
    return gaze


@pytest.mark.parametrize(("mirror", "side"), [(False, "Left"), (True, "Right")])
def test_live_link_carries_each_ones_gaze(models: Models, receiver: Receiver, mirror: bool, side: str) -> None:
    view = processed_frame(
        {4: SMALL, 9: LARGE}, expression=expressions(models, "eyeLookDown", "eyeLookDown"), gaze=eyes_up(1)
    )
    LiveLink(receiver.sender, models.arkit, everyone=True, mirror=mirror).consume(view)
    first, second = receiver.packets(2)
    lids = {"EyeLookDownLeft": 0.75, "EyeLookDownRight": 0.75}
    assert {name: weight for name, weight in weights_of(first).items() if weight} == lids
    assert {name: weight for name, weight in weights_of(second).items() if weight} == {f"EyeLookUp{side}": 0.5}
    turns = [np.degrees(np.frombuffer(packet[-6 * 4 :], ">f4")) for packet in (first, second)]
    assert not turns[0].any()
    pitch = HEAD_AND_EYES[3:].index(f"{side}EyePitch")
    np.testing.assert_allclose(turns[1], np.eye(6)[pitch] * -13.55, atol=1e-4)


def test_vmc_turns_eyes_while_they_are_seen_and_straight_once_after(models: Models, receiver: Receiver) -> None:
    """Bones stay as they were last told; who never saw a gaze says nothing of eyes."""
    avatar = Vmc(receiver.sender, models.arkit, everyone=False, mirror=False, vrm_presets=False)
    turns: list[list[Any]] = []
    unseen, up = no_gaze(1), eyes_up(0, count=1)
    for number, (gaze, datagrams) in enumerate([(unseen, 2), (up, 3), (unseen, 3), (unseen, 2)]):
        avatar.consume(processed_frame({4: LARGE}, float(number), gaze=gaze))
        messages = vmc_messages(receiver.packets(datagrams))
        bones = [arguments for where, arguments in messages if where == "/VMC/Ext/Bone/Pos"]
        turns.append([name for name, *_ in bones[2:]] + [round(bone[4], 4) for bone in bones[2:]])
    assert receiver.nothing_more()
    x = round(float(np.sin(np.radians(-13.55) / 2)), 4)
    assert turns == [[], ["LeftEye", "RightEye", x, 0], ["LeftEye", "RightEye", 0, 0], []]


def test_live_link_is_silent_without_a_face(models: Models, receiver: Receiver) -> None:
    for everyone in (True, False):
        LiveLink(receiver.sender, models.arkit, everyone, mirror=False).consume(processed_frame({}))
    assert receiver.nothing_more()


@pytest.mark.parametrize(("mirror", "eye"), [(False, "EyeBlinkLeft"), (True, "EyeBlinkRight")])
def test_vmc_carries_the_leading_face_and_the_time_since_the_first(
    models: Models, receiver: Receiver, mirror: bool, eye: str
) -> None:
    avatar = Vmc(receiver.sender, models.arkit, everyone=False, mirror=mirror, vrm_presets=False)
    avatar.consume(processed_frame({}, timestamp=10.0))
    avatar.consume(processed_frame({4: SMALL, 9: LARGE}, 10.5, expressions(models, "jawOpen", "eyeBlink_L")))
    lost, *face = receiver.packets(3)
    assert vmc_messages([lost]) == [("/VMC/Ext/OK", [1, 3, 0, 0]), ("/VMC/Ext/T", [0.0])]
    messages = vmc_messages(face)
    assert messages[:2] == [("/VMC/Ext/OK", [1, 3, 0, 1]), ("/VMC/Ext/T", [0.5])]
    weights = dict(arguments for where, arguments in messages if where == "/VMC/Ext/Blend/Val")
    assert {name: weight for name, weight in weights.items() if weight} == {eye: 0.75}
    assert receiver.nothing_more()


@pytest.fixture
def neighbours() -> Iterator[tuple[UdpSender, list[socket.socket]]]:
    """Two ports of this machine, one after the other, and a sender to the first."""
    with ExitStack() as stack:
        while True:
            first, second = (stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(2))
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):  # taken, or beyond the last
                continue
            break
        for listening in (first, second):
            listening.settimeout(10)
        yield stack.enter_context(UdpSender("127.0.0.1", port)), [first, second]


def test_vmc_sends_each_face_to_a_port(models: Models, neighbours: tuple[UdpSender, list[socket.socket]]) -> None:
    sender, ports = neighbours
    avatar = Vmc(sender, models.arkit, everyone=True, mirror=False, vrm_presets=True)

    def received(port: int) -> tuple[list[Any], dict[str, float]]:
        """What a port is told: whether a face is tracked, and the weights that are not 0."""
        messages = vmc_messages([ports[port].recv(4096)])
        weights = [arguments for where, arguments in messages if where == "/VMC/Ext/Blend/Val"]
        return messages[0][1], {name: weight for name, weight in weights if weight}

    avatar.consume(processed_frame({}, 0.0))
    assert received(0) == ([1, 3, 0, 0], {})  # the sender is there
    avatar.consume(processed_frame({4: SMALL, 9: LARGE}, 0.0, expressions(models, "jawOpen", "eyeBlink_L")))
    assert received(0) == ([1, 3, 0, 1], {"A": 0.75})
    assert received(1) == ([1, 3, 0, 1], {"Blink_L": 0.75})
    avatar.consume(processed_frame({9: LARGE}, 0.5, expressions(models, "eyeBlink_L")))
    assert received(0) == ([1, 3, 0, 0], {})
    assert received(1) == ([1, 3, 0, 1], {"Blink_L": 0.75})
