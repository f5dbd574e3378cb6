"""What a HorizontalPodAutoscaler asks for, read from its manifest (autoscaling/v2), with Kubernetes' defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

# Of kube-controller-manager where the manifest says nothing: --horizontal-pod-autoscaler-tolerance.
TOLERANCE: Final = 0.1
SUFFIXES: Final = {"m": 1e-3, "k": 1e3, "Ki": 2.0**10, "M": 1e6, "Mi": 2.0**20, "G": 1e9, "Gi": 2.0**30}

Manifest = Mapping[str, Any]


def quantity(text: str | int | float) -> float:
    """A quantity of Kubernetes as a number: "500m" is 0.5."""
    text = str(text)
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if text.endswith(suffix):
            return float(text.removesuffix(suffix)) * SUFFIXES[suffix]
    return float(text)


@dataclass(frozen=True)
class Policy:
    """At most so much change within a period. kind: Pods or Percent. value: pods, or percent of those there were at
    the period's start."""

    kind: str
    value: int
    period_seconds: float


@dataclass(frozen=True)
class Rules:
    """How fast one direction may go. window_seconds: of stabilization. select: Max, Min or Disabled. tolerance: share
    of the target by which a metric may be off without consequence."""

    window_seconds: float
    policies: tuple[Policy, ...]
    select: str = "Max"
    tolerance: float = TOLERANCE

    @classmethod
    def of(cls, given: Manifest, default: "Rules") -> Self:
        """The rules of a manifest's scaleUp or scaleDown; what it leaves out is as by default."""
        policies = tuple(
            Policy(policy["type"], int(policy["value"]), float(policy["periodSeconds"]))
            for policy in given.get("policies", ())
        )
        return cls(
            window_seconds=float(given.get("stabilizationWindowSeconds", default.window_seconds)),
            policies=policies or default.policies,
            select=given.get("selectPolicy", default.select),
            tolerance=quantity(given.get("tolerance", default.tolerance)),
        )


DEFAULT_UP: Final = Rules(0.0, (Policy("Percent", 100, 15.0), Policy("Pods", 4, 15.0)))
DEFAULT_DOWN: Final = Rules(300.0, (Policy("Percent", 100, 15.0),))


@dataclass(frozen=True)
class Target:
    """A metric and its wanted mean over the pods. kind: Utilization, value in percent of what the pod requests; or
    AverageValue, value in the metric's own unit."""

    metric: str
    kind: str
    value: float

    @classmethod
    def of(cls, given: Manifest) -> Self:
        """One of a manifest's metrics. Raises ValueError for kinds that are not simulated."""
        match given["type"]:
            case "Resource":
                name, target = given["resource"]["name"], given["resource"]["target"]
            case "Pods":
                name, target = given["pods"]["metric"]["name"], given["pods"]["target"]
            case kind:
                raise ValueError(f"The metric's type is {kind}; Resource and Pods are simulated.")
        if target["type"] == "Utilization":
            return cls(name, "Utilization", float(target["averageUtilization"]))
        if target["type"] == "AverageValue":
            return cls(name, "AverageValue", quantity(target["averageValue"]))
        raise ValueError(f"The target's type is {target['type']}; Utilization and AverageValue are simulated.")


@dataclass(frozen=True)
class Specification:
    """All that the autoscaler is told."""

    min_replicas: int
    max_replicas: int
    targets: tuple[Target, ...]
    up: Rules = DEFAULT_UP
    down: Rules = DEFAULT_DOWN

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Reads a manifest of kind HorizontalPodAutoscaler."""
        spec = manifest["spec"]
        behavior = spec.get("behavior", {})
        return cls(
            min_replicas=int(spec.get("minReplicas", 1)),
            max_replicas=int(spec["maxReplicas"]),
            targets=tuple(Target.of(metric) for metric in spec["metrics"]),
            up=Rules.of(behavior.get("scaleUp", {}), DEFAULT_UP),
            down=Rules.of(behavior.get("scaleDown", {}), DEFAULT_DOWN),
        )

    def target(self, metric: str) -> Target:
        """The target of a metric. Raises StopIteration where the manifest has none."""
        return next(target for target in self.targets if target.metric == metric)
