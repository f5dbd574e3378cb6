"""Holds each form against the network in torch that it was made from, before anything is published."""

from typing import Protocol

import numpy as np
import torch
from torch import nn

from training.forms.deployed import FACE_LOGIT, FEWEST_FACES
from training.forms.onnx_float import OUTPUTS

COMPARED = {"mfn": 8, "sfn": 64}  # pictures: MFN has 1,701 rows of each, SFN one

# Most root mean square difference, in standard deviations of each column, mean over columns: rounding in float32; 11
# bits of weights in float16 (0.002 were seen); 8 bits of weights (0.08), and of all between the layers (0.21). What
# such differences mean for faces is measured on photos, see training/evaluation/forms.py.
MOST_APART = {
    "float32.onnx": 1e-4,
    "int8.onnx": 0.25,
    "float32.tflite": 1e-4,
    "float16.tflite": 0.005,
    "int8.tflite": 0.25,
    "dynamic.tflite": 0.1,
}


class Runner(Protocol):
    """A form that can be run: outputs by name, float32, of pictures (1, S, S, 3) uint8."""

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]: ...


def differences(network: nn.Module, form: Runner, pictures: np.ndarray) -> dict[str, float]:
    """Of each output the root mean square difference in standard deviations of its columns, mean over columns.

    Of MFN's priors those count that see a face: what the others say of one is noise, and nobody reads it.
    network: takes (B, 3, S, S) float. pictures: (N, S, S, 3) uint8, N at least 2; COMPARED are enough.
    """
    names = OUTPUTS["mfn" if hasattr(network, "levels") else "sfn"]
    expected: dict[str, list[np.ndarray]] = {name: [] for name in names}
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for picture in pictures:
        with torch.inference_mode():
            outputs = network(torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float())
        answers = form.run(picture[None])
        for name, output in zip(names, outputs, strict=True):
            if name not in answers or answers[name].shape != tuple(output.shape):
                shapes = {key: value.shape for key, value in answers.items()}
                raise ValueError(f"{name} of shape {tuple(output.shape)} was expected, but the form gives {shapes}")
            expected[name].append(output[0].numpy().reshape(-1, output.shape[-1]))
            found[name].append(answers[name][0].reshape(-1, output.shape[-1]))
    rows = np.ones(sum(len(output) for output in expected[names[0]]), bool)
    if "detection" in expected:
        faces = np.concatenate(expected["detection"])[:, 4] > FACE_LOGIT
        rows = faces if faces.sum() >= FEWEST_FACES else rows
    apart = {}
    for name in names:
        truth, answer = np.concatenate(expected[name])[rows], np.concatenate(found[name])[rows]
        error = np.sqrt(np.square(answer - truth).mean(axis=0))
        apart[name] = float((error / truth.std(axis=0).clip(1e-6)).mean())
    return apart


def require_agreement(network: nn.Module, form: Runner, pictures: np.ndarray, name: str) -> dict[str, float]:
    """`differences`. Raises ValueError where one is above what the form `name` may differ."""
    apart = differences(network, form, pictures)
    for output, difference in apart.items():
        if not difference <= MOST_APART[name]:
            raise ValueError(
                f"{output} of {name} is {difference:.2g} standard deviations from the network it was made from; "
                f"at most {MOST_APART[name]:g} were expected. Its calibration pictures may not look like photos."
            )
    return apart
