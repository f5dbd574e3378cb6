"""What both training runs share: schedule, averaged weights, checkpoints to resume from, a log to plot.

A run is a folder: checkpoint.pt (everything needed to go on), log.jsonl (one object a report), curves.png.
Training can be cut into pieces of any length; by steps the pieces together give the run that one piece would have
given, by seconds one of the same length. A step does not wait for the device unless it reports or saves.
"""

import argparse
import copy
import ctypes
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.configuration import parse
from training.schedule import Schedule, Tau

WEIGHT_DECAY = 0.02
LONGEST_GRADIENT = 10.0  # norm beyond which gradients are shortened
PRECISIONS = ("float32", "bfloat16")
HOST_SEED = 1_000_003  # beyond the workers' seeds
COUNTER = "num_batches_tracked"  # of a normalisation, which nothing reads


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
    for parameter, mean in zip(network.parameters(), torch.split(flat, [g.numel() for g in gradients]), strict=True):
        parameter.grad = mean.view_as(parameter)


def of_first_worker(value: float) -> float:
    """The first worker's value, so that all take the same decision."""
    if not torch.distributed.is_initialized():
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    torch.distributed.broadcast(shared, 0)
    return float(shared)


@dataclass
class Run:
    """One training run of a network in a folder. `averaged` is the network that is evaluated and published.

    generator: on the device, of each worker its own. host: on the CPU, the same for all workers, for what the program
    must know at once. samples: that this worker has seen. decay: of the averaged weights, a step; at 0.998 about the
    last 500 steps count.
    """

    folder: Path
    network: nn.Module
    averaged: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    host: torch.Generator
    schedule: Schedule
    decay: float = 0.998
    minutes: float = math.inf
    report_every: int = 100
    rank: int = 0
    clock: Callable[[], float] = time.monotonic
    step: int = 0
    samples: int = 0
    seconds: float = 0.0  # of training, up to the last call of running()
    _sums: dict[str, Tensor] = field(default_factory=dict)
    _reported: tuple[float, int, int] = (0.0, 0, 0)  # seconds, step and samples at the last report
    _before: float = 0.0  # seconds of the pieces before this one
    _started: float | None = None  # by the clock, at this piece's first step: reading the data is no training

    def __post_init__(self) -> None:
        own, averaged = self.network.state_dict(), self.averaged.state_dict()
        self._pairs = [(averaged[name], own[name]) for name in own if own[name].is_floating_point()]

    def resume(self, samples_per_step: int) -> None:
        """Takes up the folder's checkpoint where there is one. Earlier checkpoints do not say how many samples were
        seen: their steps are taken to have had `samples_per_step`.

        Raises SystemExit, which names it, where the checkpoint lacks something.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        needed = ("network", "averaged", "optimizer", "generator", "step", "seconds")
        lacking = [name for name in needed if name not in state]
        if lacking:
            raise SystemExit(f"{path} lacks {', '.join(lacking)}: it cannot be resumed, only exported or started from")
        load_state(self.network, state["network"], path)
        load_state(self.averaged, state["averaged"], path)
        for group in state["optimizer"]["param_groups"]:
            group["fused"] = True  # runs of earlier versions were not
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self.seconds = self._before = state["seconds"]
        self.samples = state.get("samples", self.step * samples_per_step)
        if self.rank or state["generator"].numel() != self.generator.get_state().numel():
            # other workers draw other samples than the first, and after each pause others again; so does another device
            self.generator.manual_seed(self.step * 1000 + self.rank)
        else:
            self.generator.set_state(state["generator"])
        if "host" in state:
            self.host.set_state(state["host"])
        else:
            self.host.manual_seed(self.step)
        self._reported = self.seconds, self.step, self.samples
        print(f"resumed {path} at step {self.step}, after {self.seconds:.0f} s", flush=True)

    def _now(self) -> float:
        """Seconds of training so far, by this worker's clock."""
        return self._before if self._started is None else self._before + self.clock() - self._started

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
            "host": self.host.get_state(),
            "step": self.step,
            "samples": self.samples,
            "seconds": self._now(),
        }
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)

    @property
    def progress(self) -> float:
        """0..1 of the whole run."""
        return self.schedule.progress(self.step, self.seconds)

    def running(self) -> bool:
        """Whether to take another step; sets its learning rate."""
        if self._started is None:
            self._started = self.clock()
        self.seconds = of_first_worker(self._now())
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(self.step, self.seconds)
        paused = (self.seconds - self._before) / 60 >= self.minutes
        return not self.schedule.done(self.step, self.seconds) and not paused

    def update(self, terms: dict[str, Tensor], samples: int) -> None:
        """One step down the sum of the terms, of that many samples. One whose loss or gradient is not finite leaves
        the weights and the optimizer's means as they are, on all workers."""
        names, values = list(terms), torch.stack(list(terms.values()))
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(values.sum())
        share_gradients(self.network)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), LONGEST_GRADIENT)
        # the fused optimizer leaves out a step for which this is 1, as after an overflow of float16
        self.optimizer.found_inf = (~torch.isfinite(norm)).float()  # type: ignore[attr-defined]
        self.optimizer.step()
        self.step += 1
        self.samples += samples
        decay = min(self.decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            means, weights = (list(column) for column in zip(*self._pairs, strict=True))
            torch._foreach_lerp_(means, weights, 1 - decay)
        for name, value in zip(names, values.detach().unbind(), strict=True):
            self._sums[name] = self._sums[name] + value if name in self._sums else value

    def checkpoint(self, extra: dict[str, Any] | None = None) -> None:
        """Reports and saves when it is time to."""
        if self.step % self.report_every == 0:
            self.report(extra)
            self.save()

    def report(self, extra: dict[str, Any] | None = None) -> None:
        """Writes the means of the terms since the last report to the log and the screen."""
        if self.rank:
            return
        names = list(self._sums)
        totals = torch.stack(list(self._sums.values())).tolist()  # waits for the device, once
        now = self._now()
        seconds, step, samples = self._reported
        means = {name: total / (self.step - step) for name, total in zip(names, totals, strict=True)}
        row = {
            "step": self.step,
            "samples": self.samples,
            "seconds": now,
            "per_second": (self.samples - samples) / max(now - seconds, 1e-9),
            "rate": self.optimizer.param_groups[0]["lr"],
            "loss": sum(means.values()),
            **means,
            **(extra or {}),
        }
        self._sums.clear()
        self._reported = now, self.step, self.samples
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        print(" ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)


def add_run_arguments(parser: argparse.ArgumentParser, variants: Iterable[str]) -> None:
    """What both training commands are told about a run; the first of the variants is the default."""
    names = list(variants)
    parser.add_argument("--run", type=Path, required=True, help="folder of the run; resumed where it exists")
    parser.add_argument("--weights", type=Path, help="published weights that a new run starts from, .npz")
    parser.add_argument("--epochs-seen", type=float, default=0.0, help="by those weights: tau goes on from there")
    parser.add_argument("--variant", choices=names, default=names[0])
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="length of the run")
    length.add_argument("--seconds", type=float, help="length of the run, in place of steps: of training, pauses apart")
    parser.add_argument("--rate", type=float, default=2e-3, help="top learning rate")
    parser.add_argument("--warm-up", type=int, default=200, help="steps up to the top learning rate")
    parser.add_argument("--final-rate", type=float, default=0.01, help="share of the top learning rate at the end")
    parser.add_argument("--average-decay", type=float, default=0.998, help="of the averaged weights, a step")
    parser.add_argument("--tau-start", type=float, help="tau goes from here to its floor over the run, epochs apart")
    parser.add_argument("--tau-floor", type=float, default=0.0, help="tau is never lower")
    parser.add_argument("--turned", type=float, default=1.0, help="heads turned beyond 40 degrees are drawn so often")
    parser.add_argument("--motion-blur", type=float, default=0.0, help="share of the pictures blurred along a line")
    parser.add_argument("--compression", type=float, default=0.0, help="share of the pictures compressed in blocks")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop, to be resumed, after this long")
    parser.add_argument("--report-every", type=int, default=100, help="steps from a report and checkpoint to the next")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--plain-eyes", action=argparse.BooleanOptionalAction, default=False, help="give the eyes no more weight"
    )


def arguments_of(parser: argparse.ArgumentParser, steps: int, arguments: Sequence[str]) -> argparse.Namespace:
    """The options, completed from a file; `steps` is the length of a run that is given neither steps nor seconds."""
    args = parse(parser, arguments)
    if args.steps is None and args.seconds is None:
        args.steps = steps
    return args


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


def start(build: Callable[[], nn.Module], args: argparse.Namespace, samples_per_step: int) -> Run:
    """A new run of the network that `build` makes, or the folder's taken up again, with the arguments above."""
    keep_memory()
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = True  # of each convolution the fastest way; their shapes stay the same
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(args.seed)
    rank = join_workers()
    network = build()
    if args.weights:
        load_weights(network, args.weights)
    network = network.to(args.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = Run(
        folder=args.run,
        network=network,
        averaged=copy.deepcopy(network),
        optimizer=torch.optim.AdamW(decayed_parameters(network, WEIGHT_DECAY), lr=args.rate, fused=True),
        generator=torch.Generator(args.device).manual_seed(args.seed + rank),
        host=torch.Generator().manual_seed(args.seed + HOST_SEED),
        schedule=Schedule(args.rate, args.steps, args.seconds, args.warm_up, args.final_rate),
        decay=args.average_decay,
        minutes=args.minutes,
        report_every=args.report_every,
        rank=rank,
    )
    run.resume(samples_per_step)
    return run


def tau_of(args: argparse.Namespace) -> Tau:
    return Tau(args.tau_floor, args.tau_start)


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
