"""Whether the cores of this machine are cores: how much slower a network runs on one while the other runs it, too.

Two hyperthreads of one core would each take some 1.6 to 1.9 times as long.
"""

import multiprocessing
import statistics
import time

import numpy as np

from deploy.planning.capacity.process import confine
from deploy.planning.capacity.served import CORES
from service.inference.execution import Execution
from service.inference.models import Models
from service.settings import Settings


def slowdown(seconds: float, rounds: int) -> float:
    """Median of the rounds' ratios: of both cores' mean time of a run, busy together, to the first one's alone."""
    context = multiprocessing.get_context("spawn")
    ratios = []
    with context.Pool(1) as first, context.Pool(1) as second:
        first.apply(_ms, (CORES[0], seconds / 4))
        second.apply(_ms, (CORES[-1], seconds / 4))
        for _ in range(rounds):
            alone = first.apply(_ms, (CORES[0], seconds))
            both = [pool.apply_async(_ms, (core, seconds)) for pool, core in ((first, CORES[0]), (second, CORES[-1]))]
            ratios.append(statistics.mean(one.get() for one in both) / alone)
    return statistics.median(ratios)


def _ms(core: int, seconds: float) -> float:
    """Milliseconds that a run of the network takes of this core's time."""
    confine({core})
    settings = Settings()
    models = Models.load(settings.models_dir, Execution("int8", "cpu", threads=1, runs=1))
    square = np.zeros((1, models.side, models.side, 3), np.uint8)
    models.mfn.run(square)
    start, used, runs = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        models.mfn.run(square)
        runs += 1
    return (time.process_time() - used) / runs * 1e3
