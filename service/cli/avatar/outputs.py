"""Faces on to avatars: as Live Link Face for Unreal Engine, as VMC for avatar programs."""

from typing import Final

import numpy as np

from service.cli.avatar import livelink, vmc
from service.cli.avatar.udp import UdpSender
from service.cli.video.loop import Seen
from service.tracking.session import FrameResult
from service.tracking.tracker import MAX_AGE_SECONDS
from service.vision.arkit import blendshapes
from service.vision.arrays import Array
from service.vision.gaze import GAZE_COEFFICIENTS, has_gaze

SUBJECT: Final = "mfn"  # of the leading face; others are told apart by their tracks


class Lead:
    """Whose face is the one where only one can be.

    Whoever is largest when nobody leads; until they have been out of sight for as long as tracks are remembered, so
    that an avatar does not jump from person to person.
    """

    def __init__(self) -> None:
        self._track_id: int | None = None
        self._last_seen = 0.0

    def row_in(self, result: FrameResult, timestamp: float) -> int | None:
        """Where the leading face stands among those of a frame; None while it is out of sight."""
        present: list[int] = result.track_id.tolist()
        if self._track_id not in present and timestamp - self._last_seen > MAX_AGE_SECONDS:
            self._track_id = None
        if self._track_id is None and present:
            self._track_id = present[int(result.faces.scale.argmax())]
        if self._track_id not in present:
            return None
        self._last_seen = timestamp
        return present.index(self._track_id)


class LiveLink:
    """Sends the leading face as the subject "mfn", or each as "mfn-" and its track's number."""

    def __init__(self, sender: UdpSender, arkit: Array, everyone: bool, mirror: bool) -> None:
        """arkit: (46, 52), see service.vision.arkit. mirror: the avatar's left is the person's right."""
        self._sender = sender
        self._arkit = arkit
        self._everyone = everyone
        self._mirror = mirror
        self._lead = Lead()

    def view(self, seen: Seen) -> None:
        faces, time = seen.result.faces, livelink.FrameTime.at(seen.frame.timestamp)
        for row, subject in self._subjects(seen):
            gaze = faces.gaze[row]
            weights = blendshapes(faces.expression[row], gaze, self._arkit)
            self._sender.send(livelink.packet(weights, gaze, faces.quaternion[row], subject, time, self._mirror))

    def _subjects(self, seen: Seen) -> list[tuple[int, str]]:
        if self._everyone:
            return [(row, f"{SUBJECT}-{track_id}") for row, track_id in enumerate(seen.result.track_id.tolist())]
        row = self._lead.row_in(seen.result, seen.frame.timestamp)
        return [] if row is None else [(row, SUBJECT)]


class Vmc:
    """Sends the leading face; the protocol knows one performer."""

    def __init__(self, sender: UdpSender, arkit: Array, mirror: bool) -> None:
        """As of LiveLink."""
        self._sender = sender
        self._arkit = arkit
        self._mirror = mirror
        self._lead = Lead()
        self._start: float | None = None
        self._eyes_turned = False

    def view(self, seen: Seen) -> None:
        faces, timestamp = seen.result.faces, seen.frame.timestamp
        if self._start is None:
            self._start = timestamp
        seconds = timestamp - self._start
        row = self._lead.row_in(seen.result, timestamp)
        if row is None:
            self._sender.send(*vmc.lost(seconds))
            return
        gaze = faces.gaze[row]
        weights = blendshapes(faces.expression[row], gaze, self._arkit)
        if has_gaze(gaze):
            self._eyes_turned = True
        elif self._eyes_turned:  # bones stay as they were last told: eyes that nobody sees any more look straight ahead
            self._eyes_turned, gaze = False, np.zeros(GAZE_COEFFICIENTS, np.float32)
        self._sender.send(*vmc.packets(weights, gaze, faces.quaternion[row], seconds, mirror=self._mirror))
