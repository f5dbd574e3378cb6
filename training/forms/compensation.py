"""8-bit weights of the last layers that answer for a face's place, rounded so that the errors make up for each other.

Rounded one by one, the weights of a row of 128 can add up to a shift of all faces by a third of a percent of their
size: their inputs are rectified, so that the errors do not cancel. Here each weight's error is passed on to those that
are still to be rounded, by how their inputs go together (Frantar et al., "GPTQ: Accurate Post-Training Quantization for
Generative Pre-trained Transformers", ICLR 2023, section 3); the bias takes what is left of the mean.

The weights that come out are the steps that a quantizer finds anew, whichever it is: its scale is the row's largest
weight over 127, and that one stays.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from training.forms.rounding import rounded

STEPS = 127  # of int8 on each side of 0, symmetric as weights are
DAMPING = 0.01  # of the mean variance, added to each: inputs that the pictures do not show must not take everything
FEWEST_FACES = 16  # that priors must see on the pictures to stand for faces; untrained networks see none
BATCH = 8


def compensate(layers: Sequence[nn.Conv2d], look: Callable[[Tensor], Tensor], pictures: np.ndarray, bits: int) -> None:
    """Rounds the rows of 1 x 1 convolutions, one a level, in place.

    look: runs the network on pictures (B, 3, S, S) in 0..255 and gives (B, N) bool, which of its cells, level after
    level, see a face: what is said there counts. pictures: (M, S, S, 3) uint8. bits: of the published weights.
    """
    for layer, inputs in zip(layers, inputs_of(layers, look, pictures), strict=True):
        centre = inputs.mean(0)
        covariance = (inputs - centre).T @ (inputs - centre) / len(inputs)
        weight = layer.weight.detach().flatten(1).double().numpy()
        new = np.stack([round_row(row, covariance, bits) for row in weight])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(new).view_as(layer.weight))
            layer.bias += torch.from_numpy((weight - new) @ centre).float()


def round_row(row: np.ndarray, covariance: np.ndarray, bits: int) -> np.ndarray:
    """(C,) steps of the row's grid near weights (C,), of which the largest keeps `bits` significant bits, so that the
    answer's variance over inputs of this covariance (C, C) changes little."""
    first = int(np.argmax(np.abs(row)))
    row = row.copy()
    row[first] = rounded(row[first], bits)
    if not row[first]:
        return row
    step = abs(row[first]) / STEPS
    order = [first, *(i for i in np.argsort(-np.diag(covariance)) if i != first)]
    damped = covariance + np.eye(len(row)) * max(DAMPING * np.diag(covariance).mean(), np.finfo(np.float64).tiny)
    # row i of the factor says how the error of weight i is best shared among those after it
    factor = np.linalg.cholesky(np.linalg.inv(damped[np.ix_(order, order)])).T
    ordered = row[order]
    for i, weight in enumerate(ordered):
        ordered[i] = step * np.clip(np.rint(weight / step), -STEPS, STEPS)
        ordered[i + 1 :] -= (weight - ordered[i]) / factor[i, i] * factor[i, i + 1 :]
    row[order] = ordered
    return row


def inputs_of(layers: Sequence[nn.Conv2d], look: Callable[[Tensor], Tensor], pictures: np.ndarray) -> list[np.ndarray]:
    """(K, C) float64 of each layer: what it reads where there is a face, or everywhere where there are few."""
    read: dict[nn.Module, list[Tensor]] = {layer: [] for layer in layers}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        read[layer].append(inputs[0].permute(0, 2, 3, 1).flatten(1, 2))  # (B, h * w, C)

    handles = [layer.register_forward_pre_hook(note) for layer in layers]
    with torch.inference_mode():
        batches = np.array_split(pictures, -(-len(pictures) // BATCH))
        seen = torch.cat([look(torch.from_numpy(batch).permute(0, 3, 1, 2).float()) for batch in batches])
    for handle in handles:
        handle.remove()
    cells = [torch.cat(read[layer]) for layer in layers]
    chosen = seen.split([values.shape[1] for values in cells], dim=1)
    return [
        (values[face] if face.sum() >= FEWEST_FACES else values.flatten(0, 1)).double().numpy()
        for values, face in zip(cells, chosen, strict=True)
    ]
