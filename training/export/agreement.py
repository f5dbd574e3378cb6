"""Holds each form against the network in torch that it was made from, and that against the trained one, before anything
is published."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import nn

from training.export.gptq import FEWEST_FACES
from training.export.inference_graph import FACE_LOGIT

COMPARED = {"mfn": 8, "sfn": 64}  # pictures: MFN has 1,701 rows of each, SFN one

INFERENCE_GRAPH = "the inference graph"

# Most root mean square difference, in standard deviations of each column, mean over columns: rounding in float32, and
# of weights before any form is made (0.02 were seen); weights of 8 bits, and inputs as they come (0.08); everything
# between the layers in 8 bits (0.21). What such differences mean for faces is measured on photos, see
# training/evaluation/forms.py.
MOST_APART = {
    INFERENCE_GRAPH: 0.05,
    "float32.onnx": 1e-4,
    "int8.onnx": 0.25,
    "float32.tflite": 1e-4,
    "float16.tflite": 1e-4,
    "int8.tflite": 0.25,
    "dynamic.tflite": 0.1,
}


class Runner(Protocol):
    """A form that can be run: outputs by name, float32, of pictures (1, S, S, 3) uint8."""

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by name."""


class TorchNetwork:
    """What forms are made from. network: training.export.inference_graph.InferenceGraph or
    training.export.onnx_float.Bytes."""

    def __init__(self, network: nn.Module, groups: Sequence[str]) -> None:
        self.network, self.groups = network, groups

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by name, as torch computes them."""
        with torch.inference_mode():
            outputs = self.network(torch.from_numpy(images.copy()))
        return {name: output.numpy() for name, output in zip(self.groups, outputs, strict=True)}


def differences(network: Runner, form: Runner, pictures: np.ndarray) -> dict[str, float]:
    """The root mean square difference of each output, in standard deviations of its columns, mean over columns.

    Of MFN's priors those count that see a face: what the others say of one is noise, and nobody reads it.
    network: what the form was made from. pictures: (N, S, S, 3) uint8, N at least 2; COMPARED are enough.
    """
    expected: dict[str, list[np.ndarray]] = defaultdict(list)
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for picture in pictures:
        answers = form.run(picture[None])
        for name, output in network.run(picture[None]).items():
            if name not in answers or answers[name].shape != output.shape:
                shapes = {key: value.shape for key, value in answers.items()}
                raise ValueError(f"{name} of shape {output.shape} was expected, but the form gives {shapes}")
            expected[name].append(output[0].reshape(-1, output.shape[-1]))
            found[name].append(answers[name][0].reshape(-1, output.shape[-1]))
    rows = np.ones(sum(map(len, expected["pose"])), bool)
    if "detection" in expected:
        faces = np.concatenate(expected["detection"])[:, 4] > FACE_LOGIT
        rows = faces if faces.sum() >= FEWEST_FACES else rows
    apart = {}
    for name, outputs in expected.items():
        truth, answer = np.concatenate(outputs)[rows], np.concatenate(found[name])[rows]
        error = np.sqrt(np.square(answer - truth).mean(axis=0))
        apart[name] = float((error / truth.std(axis=0).clip(1e-6)).mean())
    return apart


def require_agreement(network: Runner, form: Runner, pictures: np.ndarray, name: str) -> dict[str, float]:
    """`differences`. Raises ValueError where one is above what the form `name` may differ."""
    apart = differences(network, form, pictures)
    for output, difference in apart.items():
        if not difference <= MOST_APART[name]:
            raise ValueError(
                f"{output} of {name} is {difference:.2g} standard deviations from the network it was made from; "
                f"at most {MOST_APART[name]:g} were expected. Its calibration pictures may not look like photos."
            )
    return apart
