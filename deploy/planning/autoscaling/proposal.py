"""How many pods one metric asks for: "Algorithm details" of Kubernetes' page on Horizontal Pod Autoscaling.

Where the page is silent, kube-controller-manager 1.30 and later is followed: means are rounded down, to whole percent
or thousandths; pods that are pending count as not yet ready for every metric, those that run without being ready for
CPU only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from deploy.planning.autoscaling.specification import TOLERANCE, Target

# Of kube-controller-manager: --horizontal-pod-autoscaler-cpu-initialization-period and -initial-readiness-delay.
CPU_INITIALIZATION_SECONDS: Final = 300.0
INITIAL_READINESS_SECONDS: Final = 30.0
CPU: Final = "cpu"


@dataclass(frozen=True)
class Sample:
    """A metric of one pod. value: percent of the request for a Utilization, else in its own unit. taken: when, seconds.
    window: over which seconds before that it is a mean."""

    value: float
    taken: float = 0.0
    window: float = 0.0


@dataclass(frozen=True)
class Observed:
    """A pod that is not about to end, as the controller sees it. started: when its node took it, None as long as it is
    pending. turned: when it last became ready, or ceased to be. Times in seconds."""

    started: float | None
    ready: bool = True
    turned: float = 0.0
    samples: Mapping[str, Sample] = field(default_factory=dict)


def proposal(
    target: Target,
    current: int,
    pods: Sequence[Observed],
    now: float,
    up_tolerance: float = TOLERANCE,
    down_tolerance: float = TOLERANCE,
) -> int | None:
    """Replicas that the metric asks for, before any limit; None where no pod's metric can be had.

    current: replicas wanted so far. now: seconds.
    """
    counted: list[float] = []
    missing = unready = 0
    for pod in pods:
        sample = pod.samples.get(target.metric)
        if pod.started is None:
            unready += 1
        elif sample is None:
            missing += 1
        elif target.metric == CPU and _not_yet_ready(pod, sample, now):
            unready += 1
        else:
            counted.append(sample.value)
    if not counted:
        return None
    ratio = _ratio(target, counted)
    dampened = unready > 0 and ratio > 1
    if not dampened and not missing:
        if 1 - down_tolerance <= ratio <= 1 + up_tolerance:
            return current
        return math.ceil(ratio * len(counted))
    if ratio != 1:
        counted += [0.0 if ratio > 1 else _assumed(target)] * missing
    if dampened:
        counted += [0.0] * unready
    again = _ratio(target, counted)
    reversed_ = (ratio < 1 < again) or (again < 1 < ratio)
    if reversed_ or 1 - down_tolerance <= again <= 1 + up_tolerance:
        return current
    wanted = math.ceil(again * len(counted))
    # fewer pods counted than wanted so far may turn the direction as well
    if (again < 1 and wanted > current) or (again > 1 and wanted < current):
        return current
    return wanted


def _ratio(target: Target, values: Sequence[float]) -> float:
    """Mean over target. The mean is rounded down, unless it only lacks what decimal fractions lose."""
    steps = 1.0 if target.kind == "Utilization" else 1000.0
    return math.floor(sum(values) / len(values) * steps + 1e-6) / steps / target.value


def _assumed(target: Target) -> float:
    """What a pod without a metric is taken for when the others would have the number fall. Kubernetes' page says the
    target; for utilization the controller takes all that the pod requests, which is more careful still."""
    return max(100.0, target.value) if target.kind == "Utilization" else target.value


def _not_yet_ready(pod: Observed, sample: Sample, now: float) -> bool:
    """Whether the pod's CPU tells of its start rather than of its load."""
    assert pod.started is not None
    if now < pod.started + CPU_INITIALIZATION_SECONDS:
        return not pod.ready or sample.taken < pod.turned + sample.window
    return not pod.ready and pod.turned < pod.started + INITIAL_READINESS_SECONDS
