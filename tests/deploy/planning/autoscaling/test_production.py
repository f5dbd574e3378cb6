"""What is read of deploy/, against what kubectl renders of it."""

import shutil
from pathlib import Path

import pytest

from deploy.planning.autoscaling.production import DEPLOY, merged, production, rendered
from deploy.planning.autoscaling.specification import Specification
from tests.deploy.manifests import container, environment, of_kind, one, pod
from tests.deploy.manifests import rendered as by_kubectl


def test_the_manifests_are_read_as_kubectl_renders_them() -> None:
    objects = by_kubectl("overlays/production")
    read = production()
    autoscaler = one(objects, "HorizontalPodAutoscaler")
    assert rendered(DEPLOY, "HorizontalPodAutoscaler")["spec"] == autoscaler["spec"]
    assert read.autoscaler == Specification.of(autoscaler)
    variables = environment(pod(objects), of_kind(objects, "ConfigMap"))
    assert read.cores == int(variables["MFN_WORKERS"]) == read.settings.workers
    assert read.settings.max_connection_age_seconds == float(variables["MFN_MAX_CONNECTION_AGE_SECONDS"])
    assert read.settings.drain_delay_seconds == float(variables["MFN_DRAIN_DELAY_SECONDS"])
    assert read.probe_seconds == container(pod(objects))["startupProbe"]["periodSeconds"]


def test_a_changed_manifest_changes_what_is_read(tmp_path: Path) -> None:
    deploy = shutil.copytree(DEPLOY, tmp_path / "deploy")
    for file, old, new in (
        ("base/autoscaler.yaml", "averageUtilization: 70", "averageUtilization: 55"),
        ("overlays/production/kustomization.yaml", "maxReplicas: 50", "maxReplicas: 60"),
        ("overlays/production/prometheus-adapter-values.yaml", "[1m]", "[30s]"),
        ("monitoring/pod-monitor.yaml", "interval: 15s", "interval: 10s"),
    ):
        text = (deploy / file).read_text()
        assert old in text
        (deploy / file).write_text(text.replace(old, new))
    before, after = production(), production(deploy)
    assert after.autoscaler.target("cpu").value == 55
    assert (after.autoscaler.min_replicas, after.autoscaler.max_replicas) == (before.autoscaler.min_replicas, 60)
    assert (after.average_seconds, after.scrape_seconds) == (30, 10)


def test_patches_are_merged_by_key_and_by_name() -> None:
    base = {"a": 1, "b": {"c": 2, "d": 3}, "list": [{"name": "x", "v": 1}, {"name": "y", "v": 2}], "plain": [1, 2]}
    patch = {"b": {"c": None, "e": 4}, "list": [{"name": "y", "v": 5}, {"name": "z"}], "plain": [3]}
    assert merged(base, patch) == {
        "a": 1,
        "b": {"d": 3, "e": 4},
        "list": [{"name": "x", "v": 1}, {"name": "y", "v": 5}, {"name": "z"}],
        "plain": [3],
    }


def test_patches_that_are_not_understood_are_refused(tmp_path: Path) -> None:
    deploy = shutil.copytree(DEPLOY, tmp_path / "deploy")
    file = deploy / "overlays/production/kustomization.yaml"
    file.write_text(file.read_text() + "  - path: other.yaml\n    target:\n      kind: HorizontalPodAutoscaler\n")
    (file.parent / "other.yaml").write_text("- op: remove\n  path: /spec/behavior\n")
    with pytest.raises(ValueError, match="merge patches"):
        production(deploy)
