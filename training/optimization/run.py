"""A training run, which can be cut into pieces: its steps, the moving average of its weights, its checkpoint and log.

A run is a folder: checkpoint.pt (everything needed to go on), log.jsonl (one object a report), curves.png.
By steps the pieces together give the run that one piece would have given, by seconds one of the same length. A step
does not wait for the device unless it reports or saves.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from training.networks.weights import CHECKPOINT, EMA, load_state, read_checkpoint
from training.optimization.adamw import AdamW
from training.optimization.distributed import all_reduce_gradients, broadcast_from_first
from training.optimization.schedule import Schedule

LONGEST_GRADIENT = 10.0  # norm beyond which gradients are clipped

NetworkT = TypeVar("NetworkT", bound=nn.Module)


@dataclass
class Run(Generic[NetworkT]):
    """One training run of a network in a folder.

    ema: a copy of the network that holds the exponential moving average of its weights; it is evaluated and published.
    decay: of that average, a step; at 0.998 about the last 500 steps count.

    generator: on the device, of each worker its own. host: on the CPU, the same for all workers, for what the program
    must know at once. samples: that this worker has seen.
    """

    folder: Path
    network: NetworkT
    ema: NetworkT
    optimizer: AdamW
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
        own, ema = self.network.state_dict(), self.ema.state_dict()
        self._pairs = [(ema[name], own[name]) for name in own if own[name].is_floating_point()]

    def resume(self, samples_per_step: int) -> None:
        """Resumes from the folder's checkpoint where there is one. Earlier checkpoints do not say how many samples were
        seen: their steps are taken to have had `samples_per_step`.

        Raises SystemExit, which names it, where the checkpoint is damaged or lacks something.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / CHECKPOINT
        if not path.exists():
            return
        state = read_checkpoint(path, "network", EMA, "optimizer", "generator", "step", "seconds")
        load_state(self.network, state["network"], path)
        load_state(self.ema, state[EMA], path)
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
        """Writes the checkpoint, in the first process alone."""
        if self.rank:
            return
        path = self.folder / CHECKPOINT
        state = {
            "network": self.network.state_dict(),
            EMA: self.ema.state_dict(),
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
        """How much of the run is done, 0 to 1."""
        return self.schedule.progress(self.step, self.seconds)

    def running(self) -> bool:
        """Tells whether to take another step, and sets its learning rate."""
        if self._started is None:
            self._started = self.clock()
        self.seconds = broadcast_from_first(self._now())
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(self.step, self.seconds)
        paused = (self.seconds - self._before) / 60 >= self.minutes
        return not self.schedule.done(self.step, self.seconds) and not paused

    def update(self, terms: dict[str, Tensor], samples: int) -> None:
        """Takes one step down the sum of the terms, of that many samples. One whose loss or gradient is not finite
        leaves the weights and the optimizer's means as they are, on all workers."""
        names, values = list(terms), torch.stack(list(terms.values()))
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(values.sum())
        all_reduce_gradients(self.network)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), LONGEST_GRADIENT)
        self.optimizer.found_inf = (~torch.isfinite(norm)).float()
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
