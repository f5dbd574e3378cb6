"""Prints one line for each frame, for terminals and for programs that read lines."""

from collections.abc import Sequence

from service.cli.face_text import angles_of, strongest_of
from service.cli.video.loop import ProcessedFrame
from service.vision.faces import Face


class Lines:
    """A sink that prints each frame's number, its time, and its faces, best ones first."""

    def __init__(self, expression_names: Sequence[str]) -> None:
        self._names = expression_names

    def consume(self, processed: ProcessedFrame) -> None:
        """Prints a frame's line."""
        result = processed.result
        faces = [
            self._face(face, track_id) for face, track_id in zip(result.faces, result.track_id.tolist(), strict=True)
        ]
        # Flushed, since a reader needs each line when its frame is processed.
        print(f"{processed.number:6} {processed.frame.timestamp:9.3f} s  {'; '.join(faces) or 'no faces'}", flush=True)

    def _face(self, face: Face, track_id: int) -> str:
        yaw, pitch, roll = angles_of(face)
        return f"#{track_id} yaw {yaw} pitch {pitch} roll {roll} {strongest_of(face, self._names)}"
