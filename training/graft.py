"""Weights of an earlier network as a start for a changed one: `python -m training.graft OLD.npz NEW.npz --kind mfn`.

Layers of the same name and shape are taken over. A new residual block starts as nearly nothing. A new stem learns on
its own, for some minutes, to answer as the old one did, whose two strided convolutions stand here.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.data.augment import recolour
from training.loop import keep_memory
from training.networks import Bottleneck, conv, normalized
from training.variants import MULTIPLE, SINGLE

FAINT = 0.1  # scale of a new block's last normalisation; at 0 its ReLU would never open
RATE, BATCH, SIZE = 4e-3, 16, 192


class StridedStem(nn.Module):
    """The stem up to version 0.2.0: two 3 x 3 convolutions of stride 2, pictures brought to -1..1 by 127.5."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv(3, 16, 3, 2), conv(16, 32, 3, 2))

    def forward(self, picture: Tensor) -> Tensor:
        return self.layers(picture * (1 / 127.5) - 1)


def windows(pictures: np.ndarray, generator: torch.Generator) -> Tensor:
    """(BATCH, 3, SIZE, SIZE) 0..255, recoloured, of packed pictures (P, side, side, 3) uint8."""
    chosen = torch.randint(len(pictures), (BATCH,), generator=generator).tolist()
    corner = torch.randint(pictures.shape[1] - SIZE + 1, (2,), generator=generator).tolist()
    cut = [pictures[i, corner[0] : corner[0] + SIZE, corner[1] : corner[1] + SIZE] for i in chosen]
    return recolour(torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2).float(), generator)


def imitate(stem: nn.Module, old: nn.Module, pictures: np.ndarray, steps: int) -> None:
    """Trains the new stem toward the old one's output, each channel's error over that channel's variance."""
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(stem.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for step in range(steps):
        picture = windows(pictures, generator)
        with torch.no_grad():
            wanted = old(picture)
        error = (stem(normalized(picture)) - wanted).square().mean((0, 2, 3)) / wanted.var((0, 2, 3)).clamp(min=1e-4)
        optimizer.zero_grad()
        error.mean().backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            print(f"step {step + 1} unexplained {error.mean():.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--kind", choices=("mfn", "sfn"), required=True)
    parser.add_argument("--pictures", type=Path, default=Path(".work/pack/groups.npy"))
    parser.add_argument("--steps", type=int, default=1500)
    args = parser.parse_args()
    keep_memory()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = {**MULTIPLE, **SINGLE}[args.kind]().to(memory_format=torch.channels_last)
    with np.load(args.old) as arrays:
        known = {name: torch.from_numpy(arrays[name]) for name in arrays}
    state = network.state_dict()
    shared = {name: value for name, value in known.items() if name in state and state[name].shape == value.shape}
    network.load_state_dict(shared, strict=False)
    for name, module in network.named_modules():
        if isinstance(module, Bottleneck) and not any(known_name.startswith(name) for known_name in known):
            nn.init.constant_(module.body[1][1].weight, FAINT)
    old = StridedStem().eval()
    old.load_state_dict(
        {name.replace("stem", "layers"): value for name, value in known.items() if name.startswith("stem.")},
        strict=False,
    )
    network.stem.train()
    imitate(network.stem, old, np.load(args.pictures, mmap_mode="r"), args.steps)
    np.savez(args.new, **{k: v.numpy() for k, v in network.state_dict().items() if v.is_floating_point()})


if __name__ == "__main__":
    main()
