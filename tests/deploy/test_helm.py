"""Helm's chart makes what kustomize makes, takes no value that it does not know, and tells of every value it has."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from service import __version__
from service.settings import PREFIX, Settings
from tests.deploy.manifests import (
    CHART,
    DEPLOY,
    Object,
    component,
    container,
    environment,
    images,
    of_kind,
    one,
    pod,
    read_yaml,
    read_yaml_documents,
    render,
    rendered,
)
from tests.deploy.test_pod_security import shortcomings

helm = pytest.importorskip("helm_python", reason="helm-python-sdk, Helm's own engine, is not installed")

KNOWN = {PREFIX + setting.name.upper() for setting in fields(Settings)}
# Those that follow from other values; MFN_API_KEYS would show in a ConfigMap what belongs into a Secret.
SET_BY_THE_CHART = {
    "MFN_HTTP_PORT", "MFN_GRPC_PORT", "MFN_WORKERS", "MFN_API_KEYS", "MFN_API_KEYS_FILE", "MFN_TLS_CERTIFICATE_FILE",
    "MFN_TLS_KEY_FILE", "MFN_OTLP_ENDPOINT",
}  # fmt: skip
WITHOUT_SCHEMA = ("gateway.networking.k8s.io/", "monitoring.coreos.com/")  # not among those of Kubernetes
HELMS_LABELS = {"app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "helm.sh/chart"}
PRODUCTION: Object = {"tls": {"secretName": "mfn-tls"}, "autoscaling": {"minReplicas": 3, "maxReplicas": 50}}
EVERYTHING: Object = PRODUCTION | {
    name: {"enabled": True} for name in ("tracing", "podMonitor", "ingress", "gateway")
}  # fmt: skip
VALUES: Object = read_yaml((CHART / "values.yaml").read_text())


def made(values: Object, name: str = "mfn", namespace: str = "mfn") -> tuple[Object, ...]:
    """The objects of a release."""
    with helm.Chart.load(CHART) as chart:
        files = chart.render(values, name=name, namespace=namespace)
    assert "NOTES.txt" in {Path(file).name for file in files}
    documents = [document for file, text in files.items() if file.endswith(".yaml") for document in text.split("\n---")]
    return tuple(thing for document in documents for thing in [read_yaml(document)] if thing)


def plain(thing: Any) -> Any:
    """Without what is Helm's or kustomize's alone: labels, and how a change of settings rolls the pods."""
    if isinstance(thing, list):
        return [plain(item) for item in thing]
    if isinstance(thing, str):
        return re.sub(r"^(mfn-settings)-[a-z0-9]{10}$", r"\1", thing)
    if not isinstance(thing, dict):
        return thing
    kept = {key: plain(value) for key, value in thing.items() if key not in HELMS_LABELS}
    if annotations := kept.get("annotations"):
        annotations.pop("checksum/settings", None)
        if not annotations:
            del kept["annotations"]
    return kept


def by_name(objects: Any, but: tuple[str, ...] = ()) -> dict[tuple[str, str], Object]:
    kept = [plain(thing) for thing in objects if thing["kind"] not in but]
    return {(thing["kind"], thing["metadata"]["name"]): thing for thing in kept}


def unlabelled(objects: dict[tuple[str, str], Object]) -> dict[tuple[str, str], Object]:
    """For components, which label nothing; the chart labels all."""
    for thing in objects.values():
        thing["metadata"].pop("labels", None)
    return objects


def test_helm_finds_nothing_to_complain_of() -> None:
    for values in ({}, PRODUCTION, EVERYTHING):
        report = helm.lint(CHART, values, strict=True, namespace="mfn", kube_version="v1.30.0")
        assert report["errors"] == []
        assert [message["error"] for message in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize(
    ("values", "folder"), [({}, "base"), (PRODUCTION, "overlays/production")], ids=["base", "production"]
)
def test_it_makes_what_kustomize_makes(values: Object, folder: str) -> None:
    """But for the Namespace: Helm keeps its records in it, so it is there before."""
    assert by_name(made(values)) == by_name(rendered(folder), but=("Namespace",))


@pytest.mark.parametrize("name", ["ingress", "gateway"])
def test_it_makes_what_the_component_makes(name: str) -> None:
    release = unlabelled(by_name(made(PRODUCTION | {name: {"enabled": True}})))
    wanted = unlabelled(by_name(component(name), but=("Gateway",)))  # which is the platform's
    assert {key: release[key] for key in wanted} == wanted
    assert release.keys() - wanted.keys() == by_name(rendered("overlays/production"), but=("Namespace",)).keys()


def test_it_traces_as_the_component_does(tmp_path: Path) -> None:
    listing = {
        "resources": [os.path.relpath(DEPLOY / "base", tmp_path)],
        "components": [os.path.relpath(DEPLOY / "base/tracing", tmp_path)],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(listing))
    wanted = unlabelled(by_name(read_yaml_documents(render(tmp_path)), but=("Namespace",)))
    assert unlabelled(by_name(made({"tracing": {"enabled": True}}))) == wanted


@pytest.mark.parametrize(("values", "folder"), [({}, ""), (PRODUCTION, "tls")], ids=["clear", "tls"])
def test_it_is_scraped_as_the_pod_monitor_does(values: Object, folder: str, tmp_path: Path) -> None:
    listing: Object = {"resources": [os.path.relpath(DEPLOY / "monitoring", tmp_path)]}
    if folder:
        listing["components"] = [os.path.relpath(DEPLOY / "monitoring/tls", tmp_path)]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(listing))
    monitor = one(made(values | {"podMonitor": {"enabled": True}}), "PodMonitor")
    wanted = one(tuple(read_yaml_documents(render(tmp_path))), "PodMonitor")
    assert plain(monitor)["spec"] == wanted["spec"]


@pytest.mark.parametrize("values", [{}, PRODUCTION, EVERYTHING], ids=["default", "production", "everything"])
def test_kubernetes_takes_it(values: Object) -> None:
    objects = made(values)
    for version in ("1.30", "1.37"):
        for thing in objects:
            if not thing["apiVersion"].startswith(WITHOUT_SCHEMA):
                kubernetes_validate.validate(thing, version, strict=True)
    assert shortcomings(pod(objects)) == []


def test_a_release_of_another_name_is_wholly_of_that_name() -> None:
    objects = made(EVERYTHING, name="faces", namespace="vision")
    names = {thing["metadata"]["name"] for thing in objects} - {"default-deny"}
    assert all(name.startswith("faces-mfn") for name in names)
    assert {thing["metadata"]["namespace"] for thing in objects} == {"vision"}
    services = {thing["metadata"]["name"] for thing in of_kind(objects, "Service")}
    for kind in ("HTTPRoute", "GRPCRoute"):
        for rule in one(objects, kind, "faces-mfn")["spec"]["rules"]:
            assert rule["backendRefs"][0]["name"] in services
    for policy in of_kind(objects, "BackendTLSPolicy"):
        assert policy["spec"]["validation"]["hostname"] == f"{policy['spec']['targetRefs'][0]['name']}.vision.svc"
    for service in of_kind(objects, "Service"):
        labels = one(objects, "Deployment", "faces-mfn")["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()


def test_the_digest_goes_before_the_tag() -> None:
    digest = "sha256:" + "a" * 64
    image = {"repository": "registry.example.com/team/mfn", "tag": "1.2.3"}
    assert images(made({"image": image})) == {"registry.example.com/team/mfn:1.2.3"}
    assert images(made({"image": image | {"digest": digest}})) == {f"registry.example.com/team/mfn@{digest}"}


def test_without_the_autoscaler_the_deployment_says_how_many_pods() -> None:
    objects = made({"autoscaling": {"enabled": False}, "replicas": 5})
    assert one(objects, "Deployment")["spec"]["replicas"] == 5
    assert not of_kind(objects, "HorizontalPodAutoscaler")


def test_without_secrets_nothing_is_mounted() -> None:
    objects = made({"apiKeys": {"secretName": ""}})
    assert not {"volumes"} & pod(objects).keys()
    assert "volumeMounts" not in container(pod(objects))
    assert "MFN_API_KEYS_FILE" not in environment(pod(objects), of_kind(objects, "ConfigMap"))


def test_without_the_policy_for_the_namespace_the_pods_are_still_shut_off() -> None:
    (policy,) = of_kind(made({"networkPolicy": {"denyNamespace": False}}), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policy["spec"]


def test_a_change_of_settings_rolls_the_pods() -> None:
    def checksum(values: Object) -> str:
        template = one(made(values), "Deployment")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/settings"])

    changed = {"settings": {"MFN_MAX_STREAMS": "128"}}
    assert checksum({}) == checksum({"replicas": 7}) != checksum(changed)
    (settings,) = of_kind(made(changed), "ConfigMap")
    assert settings["data"].items() >= {"MFN_MAX_STREAMS": "128", "MFN_DRAIN_SECONDS": "20"}.items()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"settings": {"MFN_MAX_STREAM": "128"}}, "MFN_MAX_STREAM"),
        ({"settings": {"MFN_API_KEYS": "secret"}}, "MFN_API_KEYS"),
        ({"settings": {"MFN_MAX_BYTES": 10485760}}, "string"),  # Helm would write it as 1.048576e+07
        ({"image": {"digest": "sha256:short"}}, "digest"),
        ({"imagee": {}}, "imagee"),
        ({"resources": {"limits": {"cpu": "2", "memory": "2Gi", "gpu": "1"}}}, "gpu"),
        ({"networkPolicy": {"clientNamespaceLabels": None}}, "clientNamespaceLabels"),  # would let every namespace in
        ({"settings": {"MFN_DRAIN_SECONDS": "60"}}, "terminationGracePeriodSeconds"),
    ],
)
def test_values_that_do_not_fit_are_refused(values: Object, message: str) -> None:
    with pytest.raises(helm.HelmError, match=message):
        made(values)


def test_settings_are_the_servers() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert schema["properties"]["settings"]["properties"].keys() == KNOWN - SET_BY_THE_CHART
    assert VALUES["settings"].keys() <= KNOWN - SET_BY_THE_CHART
    for values in ({}, EVERYTHING):
        objects = made(values)
        given = environment(pod(objects), of_kind(objects, "ConfigMap"))
        assert Settings.from_environment(given) != Settings()  # the server itself takes them


def leaves(values: Object, path: str = "") -> Iterator[str]:
    """The dotted name of each value; a map that users fill is one value."""
    for key, value in values.items():
        name = f"{path}{key}"
        if isinstance(value, dict) and name not in ("settings", "networkPolicy.clientNamespaceLabels"):
            yield from leaves(value, f"{name}.")
        else:
            yield name


def test_every_value_is_in_the_schema_and_on_the_page() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())

    def resolved(part: Object) -> Object:
        return schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part

    page = (CHART / "README.md").read_text()
    told = set(re.findall(r"^\| `([\w.]+)` \|", page, re.MULTILINE))
    assert told == set(leaves(VALUES))
    for name in leaves(VALUES):
        part = schema
        for key in name.split("."):
            part = resolved(part)["properties"][key]


def test_the_pages_values_are_taken() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (CHART / "README.md").read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        values = read_yaml(block)
        assert images(made(values)) == {f"{values['image']['repository']}@{values['image']['digest']}"}


def test_notes_say_what_is_missing() -> None:
    def notes(values: Object) -> str:
        with helm.Chart.load(CHART) as chart:
            files: dict[str, str] = chart.render(values, name="mfn", namespace="mfn")
        return next(text for file, text in files.items() if file.endswith("NOTES.txt"))

    assert "without TLS" in notes({})
    assert "without TLS" not in notes(PRODUCTION)
    assert "mfn-tls" in notes(PRODUCTION)
    assert "No API keys" in notes({"apiKeys": {"secretName": ""}})
    namespaces = {policy: f"  {policy}, for" for policy in ("monitoring", "ingress-nginx", "mfn-gateway")}
    assert [name for name, line in namespaces.items() if line in notes({})] == ["monitoring"]
    assert all(line in notes(EVERYTHING) for line in namespaces.values())


def test_the_chart_is_packed_with_the_servers_version(tmp_path: Path) -> None:
    with helm.Chart.load(CHART) as chart:
        assert (chart.metadata["version"], chart.metadata["appVersion"]) == (__version__, __version__)
    archive = Path(helm.package(shutil.copytree(CHART, tmp_path / "mfn"), destination=tmp_path))
    with helm.Chart.load(archive) as chart:
        assert chart.name == "mfn"
