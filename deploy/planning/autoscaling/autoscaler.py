"""The controller's memory and its brakes: "Configurable scaling behavior" of Kubernetes' page on Horizontal Pod
Autoscaling. What each metric asks for comes from `proposal`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from deploy.planning.autoscaling.specification import Policy, Rules, Specification

SYNC_SECONDS: Final = 15.0  # of kube-controller-manager: --horizontal-pod-autoscaler-sync-period


@dataclass(frozen=True)
class At:
    """A number of pods at a time, seconds."""

    time: float
    pods: int


@dataclass
class Autoscaler:
    """Decides every SYNC_SECONDS. recommendations: what was asked for, unbraked. added, removed: what was done."""

    specification: Specification
    recommendations: list[At] = field(default_factory=list)
    added: list[At] = field(default_factory=list)
    removed: list[At] = field(default_factory=list)

    def sync(self, now: float, current: int, proposals: Sequence[int | None]) -> int:
        """The replicas from now on. current: those wanted so far. proposals: of each metric, None where it cannot be
        had; then the number may rise, but not fall."""
        specification = self.specification
        if not self.recommendations:
            self.recommendations.append(At(now, current))
        if current > specification.max_replicas:
            wanted = specification.max_replicas
        elif current < specification.min_replicas:
            wanted = specification.min_replicas
        else:
            known = [proposal for proposal in proposals if proposal is not None]
            if not known or (len(known) < len(proposals) and max(known) < current):
                return current
            wanted = self._limited(now, current, self._stabilized(now, current, max(known)))
        if wanted != current:
            (self.added if wanted > current else self.removed).append(At(now, abs(wanted - current)))
        return wanted

    def _stabilized(self, now: float, current: int, wanted: int) -> int:
        """Up to the least, down to the greatest recommendation of its window; between the two, no change."""
        up, down = self.specification.up.window_seconds, self.specification.down.window_seconds
        least = min([wanted, *(then.pods for then in self.recommendations if then.time > now - up)])
        greatest = max([wanted, *(then.pods for then in self.recommendations if then.time > now - down)])
        self.recommendations = [then for then in self.recommendations if then.time > now - max(up, down)]
        self.recommendations.append(At(now, wanted))
        return min(max(current, least), greatest)

    def _limited(self, now: float, current: int, wanted: int) -> int:
        """The number of pods, as near to what is wanted as the policies and the bounds let it."""
        if wanted > current:
            return min(wanted, self.specification.max_replicas, self._reach(now, current, self.specification.up, 1))
        if wanted < current:
            return max(wanted, self.specification.min_replicas, self._reach(now, current, self.specification.down, -1))
        return wanted

    def _reach(self, now: float, current: int, rules: Rules, direction: int) -> int:
        """How far the policies let the number go. direction: 1 up, -1 down."""
        if rules.select == "Disabled":
            return current
        reaches = [self._reach_of(policy, now, current, direction) for policy in rules.policies]
        reach = max(reaches) if (rules.select == "Max") == (direction > 0) else min(reaches)
        # what was done within the period may be beyond what the policy lets it be: then the number stays
        return max(reach, current) if direction > 0 else min(reach, current)

    def _reach_of(self, policy: Policy, now: float, current: int, direction: int) -> int:
        """How far one policy lets the number go, from what it was a period ago."""
        since = now - policy.period_seconds
        before = current - _pods_since(self.added, since) + _pods_since(self.removed, since)
        if policy.kind == "Pods":
            return before + direction * policy.value
        changed = before * (100 + direction * policy.value) / 100
        return math.ceil(changed) if direction > 0 else math.floor(changed)


def _pods_since(events: Sequence[At], since: float) -> int:
    """Pods of the events after a time. One exactly a period ago is over: a sync begins so long after the last one's
    end, by when its change was made."""
    return sum(event.pods for event in reversed(events) if event.time > since)
