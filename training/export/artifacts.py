"""The files of models/, as the manifest speaks of them."""

import hashlib
from pathlib import Path

FORMS = ("float32.onnx", "int8.onnx", "float32.tflite", "float16.tflite", "int8.tflite", "dynamic.tflite")


def artifact_entry(path: Path, folder: Path) -> dict[str, str]:
    """A file's entry: its name within the folder and its sha256."""
    return {"file": path.relative_to(folder).as_posix(), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
