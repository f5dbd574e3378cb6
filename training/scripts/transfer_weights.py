"""Takes an earlier network's weights over into a changed one.

    python -m training.scripts.transfer_weights OLD.npz NEW.npz --kind mfn

Layers of the same name are taken over, also where the new one is wider: what it has more starts as it would anyway, and
what reads that starts faint, so that the layers that were known say about what they said. The rest starts new.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.networks.variants import MULTIPLE, SINGLE

FAINT = 0.1  # weights on channels that were not there
# layers of version 0.3.0 that have another name now: a group's own look became its neighbours', too
LOOKS = {"detection": "place", "expression": "shape"}
RENAMED = {f"{group}.{level}.body": f"{look}.{level}" for group, look in LOOKS.items() for level in range(3)}
STALE = ("pose.", "identity.", "expression.1.", "expression.2.")  # last layers that read another look now


def renamed(name: str) -> str:
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
        wide[:, old.shape[1] :] *= FAINT
    wide[tuple(slice(n) for n in old.shape)] = old
    return wide


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--kind", choices=(*MULTIPLE, *SINGLE), required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    network = {**MULTIPLE, **SINGLE}[args.kind]()
    state = network.state_dict()
    with np.load(args.old) as file:
        arrays = {name: torch.from_numpy(file[name].astype(np.float32)) for name in file}
    if any(name.startswith(tuple(RENAMED)) for name in arrays):
        arrays = {renamed(name): value for name, value in arrays.items() if not name.startswith(STALE)}
    for name in arrays.keys() & state.keys():
        wide = widened(arrays[name], state[name])
        state[name] = state[name] if wide is None else wide
    np.savez(args.new, **{k: v.numpy() for k, v in state.items() if v.is_floating_point()})


if __name__ == "__main__":
    main()
