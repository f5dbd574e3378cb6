"""Runs a TFLite form with LiteRT, one picture at a time on one core."""

import zipfile
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from training.export.flatbuffer import read_model
from training.export.signature import IMAGE, SIGNATURE, normalized_pictures


def check_file(path: Path) -> bytes:
    """A published form's content. Raises ValueError where it is cut off, damaged or something else.

    LiteRT reads what it is given without looking where it ends; so the model is walked through first, and the archive
    of notes after it must be whole: it ends with its table of contents, which every cut takes away.
    """
    content = path.read_bytes()
    read_model(content, str(path))
    try:
        with zipfile.ZipFile(path) as notes:
            broken = notes.testzip()
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"{path} is cut off: its {len(content)} bytes do not end with the notes that every published form has. "
            "Fetch it again, or make it anew with python -m training.export."
        ) from error
    if broken:
        raise ValueError(f"{path} is damaged: the note {broken} in it has another checksum")
    return content


class TfliteNetwork:
    """A form as training/export/tflite.py writes it. Raises ValueError where the file is none."""

    def __init__(self, path: Path) -> None:
        content = check_file(path)
        try:
            self.interpreter = Interpreter(model_content=content, num_threads=1)
            self.signature = self.interpreter.get_signature_runner(SIGNATURE)
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"{path} is not a network that can be run: {error}") from error
        self.takes = self.signature.get_input_details()[IMAGE]["dtype"]

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by name, float32 (N, ...), of pictures (N, S, S, 3) uint8."""
        one_by_one = iter(images[:, None]) if self.takes == np.uint8 else normalized_pictures(images)
        answers = [self.signature(**{IMAGE: image}) for image in one_by_one]
        return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}
