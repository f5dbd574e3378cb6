"""Sinks that send faces to avatars: as Live Link Face to Unreal Engine, by VMC to avatar programs."""

from typing import Final

import numpy as np

from service.cli.avatar import livelink, vmc
from service.cli.avatar.places import Places
from service.cli.avatar.udp import UdpSender
from service.cli.video.loop import ProcessedFrame
from service.tracking.session import FrameResult
from service.tracking.tracker import MAX_AGE_SECONDS
from service.vision.arkit import blendshapes
from service.vision.arrays import Array
from service.vision.faces import Faces
from service.vision.gaze import GAZE_COEFFICIENTS, has_gaze

SUBJECT: Final = "mfn"  # name of the leading face; with all faces, their tracks are appended


class LeadingFace:
    """Chooses the one face that drives an avatar.

    It is the largest face when there is none yet, and stays so until its track ends, so that an avatar does not jump
    from person to person.
    """

    def __init__(self) -> None:
        self._track_id: int | None = None
        self._last_visible = 0.0

    def row_in(self, result: FrameResult, timestamp: float) -> int | None:
        """Row of the leading face among the faces of a frame; None while it is not visible."""
        present: list[int] = result.track_id.tolist()
        if self._track_id not in present and abs(timestamp - self._last_visible) > MAX_AGE_SECONDS:
            self._track_id = None
        if self._track_id is None and present:
            self._track_id = present[int(result.faces.scale.argmax())]
        if self._track_id not in present:
            return None
        self._last_visible = timestamp
        return present.index(self._track_id)


class LiveLink:
    """Sends the leading face as the subject "mfn", or every face as "mfn-" and its track's number."""

    def __init__(self, sender: UdpSender, arkit: Array, everyone: bool, mirror: bool) -> None:
        """arkit: matrix (46, 52), see service.vision.arkit. everyone: whether every face is sent. mirror: the avatar's
        left is the person's right."""
        self._sender = sender
        self._arkit = arkit
        self._everyone = everyone
        self._mirror = mirror
        self._leading = LeadingFace()

    def consume(self, processed: ProcessedFrame) -> None:
        """Sends the faces of a frame."""
        faces, time = processed.result.faces, livelink.FrameTime.at(processed.frame.timestamp)
        for row, subject in self._subjects(processed):
            gaze = faces.gaze[row]
            weights = blendshapes(faces.expression[row], gaze, self._arkit)
            self._sender.send(livelink.packet(weights, gaze, faces.quaternion[row], subject, time, self._mirror))

    def _subjects(self, processed: ProcessedFrame) -> list[tuple[int, str]]:
        if self._everyone:
            return [(row, f"{SUBJECT}-{track_id}") for row, track_id in enumerate(processed.result.track_id.tolist())]
        row = self._leading.row_in(processed.result, processed.frame.timestamp)
        return [] if row is None else [(row, SUBJECT)]


class Vmc:
    """Sends the leading face, or every face to a port of its own, as the protocol has one performer."""

    def __init__(self, sender: UdpSender, arkit: Array, everyone: bool, mirror: bool, vrm_presets: bool) -> None:
        """arkit, everyone, mirror: as in LiveLink. vrm_presets: see vmc.packets."""
        self._sender = sender
        self._arkit = arkit
        self._mirror = mirror
        self._vrm_presets = vrm_presets
        self._leading = LeadingFace()
        self._places = Places(sender.ports) if everyone else None
        self._start: float | None = None
        self._eyes_turned: set[int] = set()  # the ports, from the first on, whose avatars were told of a gaze

    def consume(self, processed: ProcessedFrame) -> None:
        """Sends the faces of a frame, or that one is not visible."""
        result, timestamp = processed.result, processed.frame.timestamp
        if self._start is None:
            self._start = timestamp
        seconds = timestamp - self._start
        rows = self._places.rows_in(result, timestamp) if self._places else [self._leading.row_in(result, timestamp)]
        for port, row in enumerate(rows):
            packets = vmc.lost(seconds) if row is None else self._face(result.faces, row, port, seconds)
            self._sender.send(*packets, offset=port)

    def _face(self, faces: Faces, row: int, port: int, seconds: float) -> list[bytes]:
        gaze = faces.gaze[row]
        weights = blendshapes(faces.expression[row], gaze, self._arkit)
        if has_gaze(gaze):
            self._eyes_turned.add(port)
        elif port in self._eyes_turned:  # bones keep their last rotation: without gaze eyes must be sent straight ahead
            self._eyes_turned.remove(port)
            gaze = np.zeros(GAZE_COEFFICIENTS, np.float32)
        return vmc.packets(weights, gaze, faces.quaternion[row], seconds, self._mirror, self._vrm_presets)
