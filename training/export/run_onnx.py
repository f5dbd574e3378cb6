"""Runs an ONNX form as the server does, one picture at a time."""

from pathlib import Path

import numpy as np
import onnxruntime


class OnnxNetwork:
    """An ONNX file that can be run. Raises ValueError where the file is no network that can be run."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        try:
            self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime has exceptions of its own, without a common base
            raise ValueError(f"{path} is not a network that can be run: {error}") from error
        self.outputs = [output.name for output in self.session.get_outputs()]

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by name, float32, of pictures (1, S, S, 3) uint8."""
        return dict(zip(self.outputs, self.session.run(self.outputs, {"image": images}), strict=True))
