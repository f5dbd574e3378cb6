"""Rounds weights to the steps that they have in 8 bits or fewer by GPTQ, so that the errors cancel.

Rounded one by one, the weights of a row can add up to a shift of all faces by a third of a percent of their size: their
inputs are rectified, so that the errors do not cancel. Here each weight's error is passed on to those of its row that
are still to be rounded, by how their inputs go together (Frantar et al., "GPTQ: Accurate Post-Training Quantization for
Generative Pre-trained Transformers", arXiv 2210.17323, section 3); the bias takes what is left of the mean.

The weights that come out are the steps that a quantizer finds anew, whichever it is: its scale is the row's largest
weight over the number of steps, and that weight stays.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from training.export.rounding import rounded

DAMPING = 0.01  # of the mean variance, added to each: inputs that the pictures do not show must not take everything
FEWEST_FACES = 16  # priors that must see one on the pictures to stand for faces; those of untrained networks see none
BATCH = 8  # pictures
POSITIONS = 4000  # of a layer's maps that are taken of a batch of pictures, at most

ForwardPass = Callable[[np.ndarray], Tensor | None]  # see `round_by_gptq`


def round_by_gptq(
    layers: Sequence[nn.Conv2d], forward: ForwardPass, pictures: np.ndarray, steps: int, bits: int
) -> None:
    """Rounds the rows of convolutions in place.

    forward: runs the network on pictures (B, S, S, 3) uint8. It gives None, or (B, N) bool, which of the layers' cells
    see a face: layer after layer, each of a 1 x 1 convolution; then only what is said there counts. pictures:
    (M, S, S, 3) uint8. steps: on each side of 0. bits: significant ones of each row's largest weight.
    """
    for layer, moments in zip(layers, input_moments(layers, forward, pictures), strict=True):
        weight = layer.weight.detach().flatten(1).double().numpy()
        groups = zip(np.split(weight, layer.groups), moments.covariances, strict=True)
        new = np.concatenate([round_rows(rows, covariance, steps, bits) for rows, covariance in groups])
        mean = np.repeat(moments.means, len(weight) // layer.groups, axis=0)  # (rows, K)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(new).view_as(layer.weight))
            if layer.bias is None:
                raise ValueError("GPTQ keeps the mean in the bias; the convolution has none")
            layer.bias += torch.from_numpy(((weight - new) * mean).sum(1)).float()


def round_rows(weight: np.ndarray, covariance: np.ndarray, steps: int, bits: int) -> np.ndarray:
    """Rounds weights (R, K) to the grid of their row, so that the answers' variances over inputs of this covariance (K,
    K) change little. The largest of a row is rounded to `bits` significant bits and is `steps` steps from 0."""
    weight = weight.copy()
    rows, largest = np.arange(len(weight)), np.abs(weight).argmax(axis=1)
    anchored = weight[rows, largest] = rounded(weight[rows, largest], bits)
    step = np.abs(anchored) / steps
    step[step == 0] = 1.0  # a row of zeros
    order = np.argsort(-np.diag(covariance), kind="stable")
    damped = covariance + np.eye(len(order)) * max(DAMPING * np.diag(covariance).mean(), np.finfo(np.float64).tiny)
    # row i of the factor says how the error of weight i is best shared among those after it
    factor = np.linalg.cholesky(np.linalg.inv(damped[np.ix_(order, order)])).T
    for i, column in enumerate(order):
        wanted = weight[:, column].copy()
        weight[:, column] = step * np.clip(np.rint(wanted / step), -steps, steps)
        # the step is the largest weight's, so that it must stay: what was passed on to it is passed on again
        largest_here = largest == column
        weight[largest_here, column] = anchored[largest_here]
        shares = factor[i, i + 1 :] / factor[i, i]
        weight[:, order[i + 1 :]] -= np.outer(wanted - weight[:, column], shares)
    return weight


class Moments:
    """Mean and covariance of a layer's inputs: G groups of K numbers that each of its rows reads.

    Sums are of the distances from the first inputs' mean: of inputs that hardly move, differences of large sums would
    leave rounding errors only.
    """

    def __init__(self, groups: int, size: int) -> None:
        self.count = 0
        self._origin: np.ndarray | None = None  # (G, K)
        self._sums = np.zeros((groups, size))
        self._products = np.zeros((groups, size, size))

    def add(self, inputs: Tensor) -> None:
        """Adds inputs (N, G, K), N at least 1."""
        by_group = inputs.double().transpose(0, 1).numpy()  # (G, N, K)
        if self._origin is None:
            self._origin = by_group.mean(1)
        apart = by_group - self._origin[:, None]
        self.count += len(inputs)
        self._sums += apart.sum(1)
        self._products += apart.transpose(0, 2, 1) @ apart

    @property
    def means(self) -> np.ndarray:
        """(G, K) means of the inputs."""
        return self._sums / self.count + (0 if self._origin is None else self._origin)

    @property
    def covariances(self) -> np.ndarray:
        """(G, K, K) covariances of the inputs."""
        apart = self._sums / self.count
        return self._products / self.count - apart[:, :, None] * apart[:, None, :]


def input_moments(layers: Sequence[nn.Conv2d], forward: ForwardPass, pictures: np.ndarray) -> list[Moments]:
    """Moments of what each layer reads where there is a face, or everywhere where there are few or `forward` does not
    tell."""
    sizes = [(layer.groups, layer.weight[0].numel()) for layer in layers]
    everywhere, at_faces = ([Moments(*size) for size in sizes] for _ in range(2))
    read: dict[nn.Module, Tensor] = {}
    positions = torch.Generator().manual_seed(0)

    def note(layer: nn.Conv2d, inputs: tuple[Tensor, ...]) -> None:
        assert not isinstance(layer.padding, str)
        columns = nn.functional.unfold(inputs[0], layer.kernel_size, padding=layer.padding, stride=layer.stride)
        cells = columns.transpose(1, 2).flatten(0, 1)  # (B * h * w, G * K)
        read[layer] = cells.view(len(cells), layer.groups, -1)

    handles = [layer.register_forward_pre_hook(note) for layer in layers]
    with torch.inference_mode():
        for batch in np.array_split(pictures, -(-len(pictures) // BATCH)):
            seen = forward(batch)
            for layer, moments in zip(layers, everywhere, strict=True):
                cells = read[layer]
                moments.add(cells[torch.randperm(len(cells), generator=positions)[:POSITIONS]])
            if seen is not None:
                faces = torch.split(seen, [len(read[layer]) // len(batch) for layer in layers], dim=1)
                for layer, face, moments in zip(layers, faces, at_faces, strict=True):
                    if face.any():
                        moments.add(read[layer][face.flatten()])
    for handle in handles:
        handle.remove()
    return [some if some.count >= FEWEST_FACES else every for some, every in zip(at_faces, everywhere, strict=True)]
