"""A line a frame, for terminals and for programs that read lines."""

from collections.abc import Sequence

from service.cli.face_text import angles_of, strongest_of
from service.cli.video.loop import Seen
from service.vision.faces import Face


class Lines:
    """Prints each frame's number, its time, and its faces, best ones first."""

    def __init__(self, expression_names: Sequence[str]) -> None:
        self._names = expression_names

    def view(self, seen: Seen) -> None:
        result = seen.result
        faces = [
            self._face(face, track_id) for face, track_id in zip(result.faces, result.track_id.tolist(), strict=True)
        ]
        # Who reads along, a person or a program, wants each line now.
        print(f"{seen.number:6} {seen.frame.timestamp:9.3f} s  {'; '.join(faces) or 'no faces'}", flush=True)

    def _face(self, face: Face, track_id: int) -> str:
        yaw, pitch, roll = angles_of(face)
        return f"#{track_id} yaw {yaw} pitch {pitch} roll {roll} {strongest_of(face, self._names)}"
