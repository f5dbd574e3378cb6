"""Transfers an earlier network's weights to a changed one.

    python -m training.scripts.transfer_weights OLD.npz NEW.npz --kind mfn

Layers of the same name are copied, also into wider ones (Chen et al., "Net2Net", ICLR 2016): channels that are new
start as in any untrained network, but weights on them are scaled down, so that the known layers compute nearly what
they did. The rest starts new.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.arrays import read_arrays
from training.networks.variants import MULTIPLE, SINGLE

NEW_INPUT_SCALE = 0.1  # of weights on channels that were not there
# layers of version 0.3.0 that have another name now: a group's own became its pair's
SHARED = {"detection": "place", "expression": "shape"}
RENAMED = {f"{group}.{level}.body": f"{shared}.{level}" for group, shared in SHARED.items() for level in range(3)}
STALE = ("pose.", "identity.", "expression.1.", "expression.2.")  # last layers that read other features now


def renamed(name: str) -> str:
    """The name that a weight of version 0.3.0 has now."""
    for old, new in RENAMED.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def widened(old: Tensor, new: Tensor) -> Tensor | None:
    """`new` with `old` in its first rows and columns; None where it does not fit in."""
    if old.ndim != new.ndim or any(a > b for a, b in zip(old.shape, new.shape, strict=True)):
        return None
    if new.ndim > 1 and old.shape[2:] != new.shape[2:]:
        return None
    wide = new.clone()
    if new.ndim > 1:
        wide[:, old.shape[1] :] *= NEW_INPUT_SCALE
    wide[tuple(slice(n) for n in old.shape)] = old
    return wide


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--kind", choices=(*MULTIPLE, *SINGLE), required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    network = {**MULTIPLE, **SINGLE}[args.kind]()
    state = network.state_dict()
    arrays = {name: torch.from_numpy(array.astype(np.float32)) for name, array in read_arrays(args.old).items()}
    if any(name.startswith(tuple(RENAMED)) for name in arrays):
        arrays = {renamed(name): value for name, value in arrays.items() if not name.startswith(STALE)}
    for name in arrays.keys() & state.keys():
        wide = widened(arrays[name], state[name])
        state[name] = state[name] if wide is None else wide
    np.savez(args.new, **{k: v.numpy() for k, v in state.items() if v.is_floating_point()})


if __name__ == "__main__":
    main()
