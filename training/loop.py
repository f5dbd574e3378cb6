"""What both training runs share: schedule, averaged weights, checkpoints to resume from, a log to plot.

A run is a folder: checkpoint.pt (everything needed to go on), log.jsonl (one object a report), curves.png.
Training can be cut into pieces of any length; the pieces together give the run that one piece would have given.
"""

import argparse
import copy
import ctypes
import json
import math
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

WARM_UP_STEPS = 200
FINAL_RATE = 0.01  # share of the top learning rate left at the end of the cosine
WEIGHT_DECAY = 0.02
PRECISIONS = ("float32", "bfloat16")
COUNTER = "num_batches_tracked"  # of a normalisation, which nothing reads
AVERAGE_DECAY = 0.998  # of the averaged weights, a step; about the last 500 steps count


def keep_memory() -> None:
    """Lets glibc keep freed memory instead of returning it to the system after every operation.

    Training on a CPU allocates the same hundreds of megabytes each step; without this, half of the time goes into
    page faults.
    """
    if sys.platform == "linux":
        mallopt = ctypes.CDLL(None).mallopt
        trim_threshold, top_pad, mmap_max = -1, -2, -4  # <malloc.h>
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(top_pad, 256 * 2**20)


def learning_rate(step: int, steps: int, top: float) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    if step < WARM_UP_STEPS:
        return top * (step + 1) / WARM_UP_STEPS
    progress = min(1.0, (step - WARM_UP_STEPS) / max(1, steps - WARM_UP_STEPS))
    return top * (FINAL_RATE + (1 - FINAL_RATE) * (1 + math.cos(math.pi * progress)) / 2)


def join_workers() -> int:
    """This process's rank among those that torchrun started, 0 where it runs alone.

    On a CPU two processes of one thread each train faster than one of two threads.
    """
    if "RANK" in os.environ:
        torch.distributed.init_process_group("gloo")
        return torch.distributed.get_rank()
    return 0


def share_gradients(network: nn.Module) -> None:
    """Replaces the gradients by their means over all workers; every parameter must take part in every step."""
    if not torch.distributed.is_initialized():
        return
    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in network.parameters()]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    for parameter, mean in zip(network.parameters(), flat.split([g.numel() for g in gradients]), strict=True):
        parameter.grad = mean.view_as(parameter)


@dataclass
class Run:
    """One training run of a network in a folder. `averaged` is the network that is evaluated and published."""

    folder: Path
    network: nn.Module
    averaged: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    steps: int
    top_rate: float
    minutes: float = math.inf
    rank: int = 0
    step: int = 0
    seconds: float = 0.0
    _sums: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _count: int = 0
    _started: float = field(default_factory=time.monotonic)
    _reported: float = field(default_factory=time.monotonic)

    def resume(self) -> None:
        """Takes up the folder's checkpoint where there is one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.rank == 0:
            self.generator.set_state(state["generator"])
        else:  # the other workers draw other samples than the first, and after each pause others again
            self.generator.manual_seed(state["step"] * 1000 + self.rank)
        self.step, self.seconds = state["step"], state["seconds"]
        print(f"resumed {path} at step {self.step} of {self.steps}", flush=True)

    def save(self) -> None:
        """Writes the checkpoint; the first worker's speaks for all."""
        if self.rank:
            return
        path = self.folder / "checkpoint.pt"
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "step": self.step,
            "seconds": self.seconds + time.monotonic() - self._started,
        }
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)

    def running(self) -> bool:
        """Whether to take another step; sets its learning rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.steps, self.top_rate)
        return self.step < self.steps and (time.monotonic() - self._started) / 60 < self.minutes

    def update(self, terms: dict[str, Tensor]) -> None:
        """One step down the sum of the terms; a step whose loss is not finite is left out."""
        loss = torch.stack(list(terms.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        if torch.isfinite(loss):
            loss.backward()
        share_gradients(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimizer.step()
        self.step += 1
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, value in zip(
                self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if mean.is_floating_point():
                    mean.lerp_(value, 1 - decay)
                else:
                    mean.copy_(value)
        for name, term in terms.items():
            self._sums[name] += float(term.detach())
        self._count += 1

    def report(self, samples_per_step: int, extra: dict[str, Any] | None = None) -> None:
        """Writes the means of the terms since the last report to the log and the screen."""
        if self.rank:
            return
        now = time.monotonic()
        means = {name: total / self._count for name, total in self._sums.items()}
        row = {
            "step": self.step,
            "samples": self.step * samples_per_step,
            "per_second": self._count * samples_per_step / (now - self._reported),
            "rate": self.optimizer.param_groups[0]["lr"],
            "loss": sum(means.values()),
            **means,
            **(extra or {}),
        }
        self._sums.clear()
        self._count, self._reported = 0, now
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        print(" ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)


def add_run_arguments(parser: argparse.ArgumentParser, variants: Iterable[str], steps: int) -> None:
    """What both training commands are told about a run; the first of the variants is the default."""
    names = list(variants)
    parser.add_argument("--run", type=Path, required=True, help="folder of the run; resumed where it exists")
    parser.add_argument("--weights", type=Path, help="published weights that a new run starts from, .npz")
    parser.add_argument("--epochs-seen", type=float, default=0.0, help="by those weights: tau goes on from there")
    parser.add_argument("--variant", choices=names, default=names[0])
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--rate", type=float, default=2e-3, help="top learning rate")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop, to be resumed, after this long")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain-eyes", action="store_true", help="give the eyes no more weight than the rest")


def load_weights(network: nn.Module, path: Path) -> None:
    """Weights in an .npz, as in models/weights/: all of a network's state but its counters, float16 or float32.

    Raises SystemExit where they are of another network, or as `load_averaged` of a run; the network is unchanged then.
    """
    with np.load(path) as arrays:
        load_state(network, {name: torch.from_numpy(arrays[name]).float() for name in arrays}, path)


def load_averaged(network: nn.Module, source: Path) -> None:
    """The averaged weights of a run's folder, or those in an .npz. Raises SystemExit where they are of another network
    or the folder holds no run; the network is unchanged then."""
    if source.suffix == ".npz":
        load_weights(network, source)
        return
    path = source / "checkpoint.pt"
    if not path.exists():
        raise SystemExit(f"{source} is neither a run, for it holds no {path.name}, nor an .npz of weights")
    load_state(network, torch.load(path, map_location="cpu", weights_only=True)["averaged"], path)


def load_state(network: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Takes over a state, its counters where it has them. Raises SystemExit, which names `path`, where any other name
    or shape differs."""
    own = {name: value for name, value in network.state_dict().items() if not name.endswith(COUNTER)}
    given = {name: value for name, value in state.items() if not name.endswith(COUNTER)}
    lacking = [name for name in own if name not in given]
    unknown = [name for name in given if name not in own]
    other = [name for name in own if name in given and own[name].shape != given[name].shape]
    if lacking or unknown or other:
        shapes = [f"{name} {tuple(given[name].shape)} for {tuple(own[name].shape)}" for name in other[:3]]
        raise SystemExit(
            f"{path} is not of this network: it lacks {lacking[:3]} and has {unknown[:3]}, unknown here; "
            f"of another shape: {', '.join(shapes) or 'none'}"
        )
    network.load_state_dict(state, strict=False)


def start(build: Callable[[], nn.Module], args: argparse.Namespace) -> Run:
    """A new run of the network that `build` makes, or the folder's taken up again, with the arguments above."""
    keep_memory()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rank = join_workers()
    generator = torch.Generator(args.device).manual_seed(args.seed + rank)
    network = build()
    if args.weights:
        load_weights(network, args.weights)
    network = network.to(args.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(decayed_parameters(network, WEIGHT_DECAY), lr=args.rate)
    run = Run(
        args.run, network, copy.deepcopy(network), optimizer, generator, args.steps, args.rate, args.minutes, rank
    )
    run.resume()
    return run


def in_precision(network: nn.Module, images: Tensor, precision: str) -> tuple[Tensor, ...]:
    """The network's outputs in float32, computed in `precision` where the operations allow (autocast)."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        outputs = network(images)
    return tuple(output.float() for output in outputs)


def decayed_parameters(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Parameter groups: weights decay, biases and normalisation do not."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
