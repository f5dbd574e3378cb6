"""A scenario as a picture: load, pods, CPU, queue, losses and waits, one below the other over the hours of the day."""

import math
from pathlib import Path
from typing import Final

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from deploy.planning.autoscaling.production import ADAPTED
from deploy.planning.autoscaling.scenarios import NONE, Scenario, percent
from deploy.planning.autoscaling.simulation import BIN_SECONDS
from deploy.planning.autoscaling.specification import Specification

# Okabe and Ito's colours, which the colour-blind tell apart too; lines differ in their style besides.
BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
RED: Final = "#D55E00"
GREEN: Final = "#009E73"
GREY: Final = "#777777"
INCHES: Final = (9.0, 9.6)
DOTS: Final = 90  # an inch
LONG_HOURS: Final = 6.0  # what is longer is marked by hours, what is shorter by quarters of one


def draw(scenario: Scenario, autoscaler: Specification, target: Path, usual: Scenario | None = None) -> Path:
    """Writes a WebP. autoscaler: whose targets and bounds are drawn. usual: a day to compare the wanted pods with."""
    course, hours = scenario.course, scenario.course.hours
    shown = (hours >= scenario.span[0]) & (hours <= scenario.span[1])
    hours = hours[shown]
    figure, axes = plt.subplots(
        6, 1, figsize=INCHES, sharex=True, layout="constrained", height_ratios=[1, 2, 1, 1, 1, 1]
    )
    load, pods, cpu, queue, lost, wait = axes

    load.plot(hours, course.load[shown], color=BLUE, lw=1)
    load.set_ylim(0, 1.1 * course.load[shown].max())
    _name(load, "load", scenario.load_unit)

    ideal = scenario.ideal.reshape(-1, BIN_SECONDS).mean(axis=1)[shown]
    pods.fill_between(hours, ideal, color=GREY, alpha=0.25, lw=0, step="mid", label="needed with CPU at its target")
    if usual is not None:
        wanted = usual.course.wanted[shown]
        pods.step(hours, wanted, color=GREEN, ls="--", lw=1.4, where="mid", label="wanted on the usual day")
    if scenario.failure is not None:
        for axis in axes:
            axis.axvspan(*scenario.failure, color=RED, alpha=0.08, lw=0)
    pods.step(hours, course.wanted[shown], color=ORANGE, lw=1.8, where="mid", label="wanted by the autoscaler")
    pods.step(hours, course.ready[shown], color=BLUE, ls=":", lw=1.6, where="mid", label="ready")
    pods.axhline(autoscaler.max_replicas, color=GREY, lw=0.8, ls="-.")
    highest = max(course.wanted[shown].max(), ideal.max())
    pods.set_ylim(0, max(highest * 1.15, autoscaler.min_replicas * 2))
    pods.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize=8, frameon=False, ncols=4, borderpad=0)
    _name(pods, "pods", "number")

    cpu.plot(hours, 100 * course.cpu[shown], color=BLUE, lw=0.9)
    _target(cpu, scenario.target, f"target {scenario.target:.0f} %")
    cpu.set_ylim(0, 105)
    _name(cpu, "CPU of\nready pods", "%")

    queue.plot(hours, course.depth[shown], color=BLUE, lw=0.9)
    aim = autoscaler.target(ADAPTED).value
    _target(queue, aim, f"target {aim:g}")
    queue.set_ylim(0, max(1.6 * aim, 1.1 * course.depth[shown].max()))
    _name(queue, "queue", "waiting a pod")

    share = 100 * course.lost[shown] / np.maximum(course.arrived[shown], 1e-9)
    lost.fill_between(hours, share, color=RED, lw=0.5)
    lost.set_ylim(0, max(1.0, 1.1 * share.max()))
    words = f"{percent(course.lost_share)} of the day's" if course.lost_share >= NONE else f"none {scenario.lost_word}"
    lost.text(0.995, 0.8, words, transform=lost.transAxes, fontsize=9, ha="right", va="center")
    _name(lost, scenario.lost_word, "%")

    wait.plot(hours, 1e3 * course.p95[shown], color=BLUE, lw=0.9)
    wait.set_ylim(0, max(20.0, 1.1e3 * course.p95[shown].max()))
    _name(wait, "p95 wait\nfor a worker", "ms")

    wait.set_xlabel("hour of the day")
    wait.set_xlim(*scenario.span)
    _mark_hours(wait, *scenario.span)
    saved = (
        f"Whole day: {course.pod_hours:.0f} pod-hours, {course.pod_hours / scenario.ideal_hours:.0%} of the ideal and "
    )
    saved += f"{course.pod_hours / scenario.fixed_hours:.0%} of a fleet fixed for the peak"
    figure.suptitle(scenario.title, fontsize=13, fontweight="bold")
    load.set_title(saved, fontsize=10)
    figure.savefig(target, dpi=DOTS, pil_kwargs={"quality": 60, "method": 6})
    plt.close(figure)
    return target


def _name(axis: Axes, what: str, unit: str) -> None:
    axis.set_ylabel(f"{what}\n{unit}", fontsize=9)
    axis.tick_params(labelsize=8)
    axis.grid(alpha=0.3, lw=0.5)


def _target(axis: Axes, value: float, words: str) -> None:
    axis.axhline(value, color=ORANGE, lw=1.2, ls="--")
    axis.annotate(words, (1, value), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8)


def _mark_hours(axis: Axes, start: float, end: float) -> None:
    step = 2.0 if end - start > LONG_HOURS else 0.25 if end - start < LONG_HOURS / 2 else 0.5
    marks = np.arange(math.ceil(start / step) * step, end + 1e-9, step)
    axis.set_xticks(marks, [f"{int(mark)}:{round(mark % 1 * 60):02d}" for mark in marks])
