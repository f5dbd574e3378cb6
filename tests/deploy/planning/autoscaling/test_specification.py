"""Manifests of autoscalers, and Kubernetes' defaults for what they leave out."""

import pytest

from deploy.planning.autoscaling.specification import Policy, Specification, Target, quantity

METRIC = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}


@pytest.mark.parametrize(("text", "number"), [("2", 2), ("500m", 0.5), ("2Gi", 2 * 1024**3), ("1k", 1000), (3, 3)])
def test_quantities(text: str, number: float) -> None:
    assert quantity(text) == pytest.approx(number)


def test_what_is_left_out_is_as_the_documentation_says() -> None:
    specification = Specification.of({"spec": {"maxReplicas": 7, "metrics": [METRIC]}})
    assert (specification.min_replicas, specification.max_replicas) == (1, 7)
    assert specification.targets == (Target("cpu", "Utilization", 60),)
    assert (specification.up.window_seconds, specification.down.window_seconds) == (0, 300)
    assert specification.up.policies == (Policy("Percent", 100, 15), Policy("Pods", 4, 15))
    assert specification.down.policies == (Policy("Percent", 100, 15),)
    assert specification.up.select == specification.down.select == "Max"
    assert specification.up.tolerance == specification.down.tolerance == 0.1


def test_what_is_given_is_taken_and_the_rest_stays_as_by_default() -> None:
    behavior = {
        "scaleUp": {"tolerance": "50m", "selectPolicy": "Min"},
        "scaleDown": {
            "stabilizationWindowSeconds": 60,
            "policies": [{"type": "Pods", "value": 2, "periodSeconds": 30}],
        },
    }
    given = Specification.of({"spec": {"maxReplicas": 7, "metrics": [METRIC], "behavior": behavior}})
    assert (given.up.tolerance, given.up.select, given.up.window_seconds) == (0.05, "Min", 0)
    assert (given.down.window_seconds, given.down.policies) == (60, (Policy("Pods", 2, 30),))


def test_what_is_not_simulated_is_refused() -> None:
    with pytest.raises(ValueError, match="External"):
        Target.of({"type": "External"})
    with pytest.raises(ValueError, match="Value"):
        Target.of({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Value"}}})
