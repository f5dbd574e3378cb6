"""The manifests render, are what Kubernetes takes, refer to each other rightly, and roll without a gap."""

import json
import math
import re
import subprocess
import sys
from typing import Any

import kubernetes_validate
import pytest

from service import __version__
from tests.deploy.manifests import (
    DEPLOY,
    FOLDERS,
    PATIENCE,
    ROOT,
    Object,
    container,
    of_kind,
    one,
    pod,
    probes,
    quantity,
    read_yaml,
    read_yaml_documents,
    rendered,
    yaml_files,
)

VERSIONS = ("1.30", "1.37")  # of Kubernetes: the oldest that deploy/README.md names, and the newest with a schema here
KINDS = {
    "Namespace", "ServiceAccount", "ConfigMap", "Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy",
}  # fmt: skip
RECOMMENDED = ("name", "component", "part-of", "version")  # labels below app.kubernetes.io/


@pytest.fixture(params=FOLDERS)
def objects(request: pytest.FixtureRequest) -> tuple[Object, ...]:
    return rendered(request.param)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(objects: tuple[Object, ...], version: str) -> None:
    for thing in objects:
        kubernetes_validate.validate(thing, version, strict=True)


def test_an_unknown_field_is_found() -> None:
    deployment = read_yaml((DEPLOY / "base/deployment.yaml").read_text())
    deployment["spec"]["template"]["spec"]["terminationGraceSeconds"] = 45
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSIONS[-1], strict=True)


def test_yaml_is_well_formed() -> None:
    files = [str(file) for file in yaml_files()]
    command = [sys.executable, "-m", "yamllint", "--strict", "--config-file", str(ROOT / ".yamllint"), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_everything_is_there(objects: tuple[Object, ...]) -> None:
    kinds = {thing["kind"] for thing in objects}
    assert kinds >= KINDS
    # Either the autoscaler says how many pods there are, or the Deployment does.
    assert ("HorizontalPodAutoscaler" in kinds) == ("replicas" not in one(objects, "Deployment")["spec"])


def test_every_file_is_used() -> None:
    for listing in DEPLOY.glob("base/**/kustomization.yaml"):
        used = read_yaml(listing.read_text())["resources"]
        there = {path.name for path in listing.parent.glob("*.yaml")} - {listing.name}
        assert there == set(used)


def test_everything_is_labelled_and_in_one_namespace(objects: tuple[Object, ...]) -> None:
    (namespace,) = of_kind(objects, "Namespace")
    for thing in objects:
        if thing["kind"] not in ("Namespace", "Secret"):
            assert thing["metadata"]["namespace"] == namespace["metadata"]["name"]
        if thing["kind"] != "Secret":
            assert {f"app.kubernetes.io/{label}" for label in RECOMMENDED} <= thing["metadata"]["labels"].keys()


def test_selectors_find_the_pods(objects: tuple[Object, ...]) -> None:
    labels = one(objects, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        one(objects, "Deployment")["spec"]["selector"]["matchLabels"],
        *(service["spec"]["selector"] for service in of_kind(objects, "Service")),
        *(budget["spec"]["selector"]["matchLabels"] for budget in of_kind(objects, "PodDisruptionBudget")),
        *(policy["spec"]["podSelector"].get("matchLabels", {}) for policy in of_kind(objects, "NetworkPolicy")),
        *(spread["labelSelector"]["matchLabels"] for spread in pod(objects)["topologySpreadConstraints"]),
    ]
    for selector in selectors:
        assert selector.items() <= labels
    # A version in a selector would keep a rollout from replacing pods, and a Service from finding the new ones.
    assert not any("version" in key for selector in selectors for key in selector)


def test_what_is_referred_to_exists(objects: tuple[Object, ...]) -> None:
    spec = pod(objects)
    config_maps = {thing["metadata"]["name"] for thing in of_kind(objects, "ConfigMap")}
    assert {source["configMapRef"]["name"] for source in container(spec)["envFrom"]} == config_maps
    assert one(objects, "ServiceAccount", spec["serviceAccountName"])
    assert {mount["name"] for mount in container(spec)["volumeMounts"]} == {
        volume["name"] for volume in spec["volumes"]
    }
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert one(objects, target["kind"], target["name"])["apiVersion"] == target["apiVersion"]


def test_a_change_of_settings_rolls_the_pods() -> None:
    names = [of_kind(rendered(folder), "ConfigMap")[0]["metadata"]["name"] for folder in FOLDERS]
    assert len(set(names)) == len(names)  # the name hashes the settings, which differ


def test_secrets_are_made_locally_only() -> None:
    for folder in ("base", "overlays/production"):
        objects = rendered(folder)
        assert not of_kind(objects, "Secret")
        # What the README's commands make, under these very names.
        wanted = {volume["secret"]["secretName"] for volume in pod(objects)["volumes"]}
        readme = (DEPLOY / "README.md").read_text()
        assert all(f" {name} " in readme for name in wanted)
    (secret,) = of_kind(rendered("overlays/local"), "Secret")
    (volume,) = pod(rendered("overlays/local"))["volumes"]
    assert volume["secret"]["secretName"] == secret["metadata"]["name"]


def test_a_rollout_takes_no_pod_before_another_is_ready(objects: tuple[Object, ...]) -> None:
    spec = one(objects, "Deployment")["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "10%"}}
    assert spec["minReadySeconds"] >= 5
    # A start that takes as long as the probe allows is no failed rollout.
    startup = probes(container(pod(objects)))["startup"]
    patience = startup["periodSeconds"] * startup["failureThreshold"]
    assert patience + spec["minReadySeconds"] < spec["progressDeadlineSeconds"]
    assert not {"preStop", "postStart"} & container(pod(objects)).get("lifecycle", {}).keys()  # no shell in the image


def test_cores_are_the_pods_own_where_it_matters() -> None:
    for folder in ("base", "overlays/production"):
        resources = container(pod(rendered(folder)))["resources"]
        assert resources["requests"] == resources["limits"]  # the class Guaranteed
        assert quantity(resources["limits"]["cpu"]).is_integer()


def test_the_autoscaler_is_quick_up_and_slow_down() -> None:
    def most_per_minute(rules: Any, pods: int) -> float:
        rates: list[float] = [
            (rule["value"] if rule["type"] == "Pods" else pods * rule["value"] / 100) * 60 / rule["periodSeconds"]
            for rule in rules["policies"]
        ]
        return max(rates)

    spec = one(rendered("overlays/production"), "HorizontalPodAutoscaler")["spec"]
    up, down = spec["behavior"]["scaleUp"], spec["behavior"]["scaleDown"]
    assert up["stabilizationWindowSeconds"] == 0 < down["stabilizationWindowSeconds"]
    for pods in (spec["minReplicas"], spec["maxReplicas"]):
        assert most_per_minute(up, pods) >= 10 * most_per_minute(down, pods)


def test_draining_nodes_takes_few_pods_at_a_time() -> None:
    budget = one(rendered("overlays/production"), "PodDisruptionBudget")["spec"]["maxUnavailable"]
    spec = one(rendered("overlays/production"), "HorizontalPodAutoscaler")["spec"]
    for pods, most in ((spec["minReplicas"], 1), (10, 1), (spec["maxReplicas"], 5)):
        assert math.ceil(pods * int(budget.removesuffix("%")) / 100) == most < pods


def test_nothing_passes_that_is_not_let_through(objects: tuple[Object, ...]) -> None:
    deny = one(objects, "NetworkPolicy", "default-deny")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for policy in of_kind(objects, "NetworkPolicy"):
        assert not policy["spec"].get("egress")  # the server opens no connection
        for rule in policy["spec"].get("ingress", []):
            assert rule["from"]
            assert rule["ports"]


def test_the_inference_service_is_one_that_kserve_takes() -> None:
    """By structure: its definition is not among the bundled schemas. The pod's part is checked as any other pod's."""
    (service,) = rendered("kserve")
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    assert service.keys() == {"apiVersion", "kind", "metadata", "spec"}
    assert service["spec"].keys() == {"predictor"}
    spec = dict(service["spec"]["predictor"])
    scaling = {name: spec.pop(name) for name in ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget")}
    assert scaling["minReplicas"] <= scaling["maxReplicas"]
    assert spec.pop("deploymentStrategy") == one(rendered("base"), "Deployment")["spec"]["strategy"]
    assert container(spec)["name"] == "kserve-container"
    assert [port["name"] for port in container(spec)["ports"]] == ["http1"]
    as_pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mfn"}, "spec": spec}
    kubernetes_validate.validate(as_pod, VERSIONS[-1], strict=True)


def test_prometheus_is_told_of_these_pods() -> None:
    """By structure, as its definition is not among the bundled schemas either."""
    documents = [thing for file in yaml_files() for thing in read_yaml_documents(file.read_text())]
    monitors = [thing for thing in documents if isinstance(thing, dict) and thing.get("kind") == "PodMonitor"]
    if not monitors:
        pytest.skip("deploy/ has no PodMonitor")
    template = one(rendered("base"), "Deployment")["spec"]["template"]
    ports = {port["name"] for port in container(template["spec"])["ports"]}
    for monitor in monitors:
        assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
        assert monitor["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        own = [monitor["metadata"].get("namespace")]
        assert "mfn" in monitor["spec"].get("namespaceSelector", {}).get("matchNames", own)
        assert monitor["spec"]["podMetricsEndpoints"]
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            assert endpoint["port"] in ports
            assert endpoint.get("path", "/metrics") == "/metrics"


def test_images_are_of_this_version() -> None:
    for folder in FOLDERS:
        objects = rendered(folder)
        assert container(pod(objects))["image"].rpartition(":")[2] == __version__
        assert one(objects, "Deployment")["metadata"]["labels"]["app.kubernetes.io/version"] == __version__
    (service,) = rendered("kserve")
    assert container(service["spec"]["predictor"])["image"].rpartition(":")[2] == __version__
    assert service["metadata"]["labels"]["app.kubernetes.io/version"] == __version__


def test_what_the_readme_names_exists() -> None:
    text = (DEPLOY / "README.md").read_text()
    paths = {ROOT / path for path in re.findall(r"deploy/[\w./-]+", text)}
    paths |= {DEPLOY / path for path in re.findall(r"\]\(([\w./-]+)\)", text)}
    assert {path.relative_to(DEPLOY) for path in paths if path.is_relative_to(DEPLOY)} >= {
        path.relative_to(DEPLOY)
        for path in (DEPLOY / "overlays/local", DEPLOY / "overlays/production", DEPLOY / "kserve")
    }
    assert not [path for path in paths if not path.exists()]
    # Clients that balance: JSON that gRPC takes, a policy for all calls, and the health of the whole server.
    config = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    assert config == {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}
