"""What the manifests say of the server is what the server knows: settings, ports, paths, times, metrics."""

import base64
import copy
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from service.errors import StartError
from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.server.auth import ApiKeys
from service.server.rest.app import RestApp
from service.server.state import ServerState
from service.server.telemetry.metrics import Limits, Metrics
from service.server.workers import Workers
from service.settings import PREFIX, Settings
from tests.deploy.manifests import (
    DEPLOY,
    FOLDERS,
    Object,
    container,
    environment,
    of_kind,
    one,
    pod,
    port_number,
    probes,
    quantity,
    read_yaml,
    read_yaml_documents,
    render,
    rendered,
)

MARGIN_SECONDS = 5  # between the end of the drain and SIGKILL
MEMORY_IDLE, MEMORY_PER_WORKER = 512 * 2**20, 768 * 2**20  # bytes; deploy/base/deployment.yaml has what was measured
PODS = (*FOLDERS, "kserve")


def pod_of(folder: str) -> tuple[Object, list[Object]]:
    """The pod of a folder, and the ConfigMaps beside it."""
    if folder == "kserve":
        return one(rendered(folder), "InferenceService")["spec"]["predictor"], []
    return pod(rendered(folder)), of_kind(rendered(folder), "ConfigMap")


def settings_of(folder: str) -> Settings:
    """As the server itself reads them. Raises StartError where it would not start."""
    return Settings.from_environment(environment(*pod_of(folder)))


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    settings = Settings()
    workers = Workers(1, 1)
    with TestClient(
        RestApp(ServerState(settings, Pipeline(Models.load(settings.models_dir), settings), workers))
    ) as it:
        yield it
    workers.close()


@pytest.mark.parametrize("folder", PODS)
def test_every_setting_is_one_of_the_servers(folder: str) -> None:
    given = environment(*pod_of(folder))
    assert given
    assert all(name.startswith(PREFIX) for name in given)
    assert settings_of(folder) != Settings()


def test_a_misspelt_setting_is_found() -> None:
    spec, config_maps = copy.deepcopy(pod_of("overlays/production"))
    config_maps[0]["data"]["MFN_MAX_FACE"] = "3"
    with pytest.raises(StartError, match="MFN_MAX_FACE is not a setting"):
        Settings.from_environment(environment(spec, config_maps))


def test_a_value_that_does_not_fit_is_found() -> None:
    spec, config_maps = copy.deepcopy(pod_of("base"))
    config_maps[0]["data"]["MFN_DRAIN_SECONDS"] = "20s"
    with pytest.raises(StartError, match="MFN_DRAIN_SECONDS is '20s'"):
        Settings.from_environment(environment(spec, config_maps))


@pytest.mark.parametrize("folder", PODS)
def test_clusters_serve_the_studio_for_trying_only(folder: str) -> None:
    assert settings_of(folder).studio == ("on" if folder == "overlays/local" else "off")


@pytest.mark.parametrize("folder", PODS)
def test_pods_beside_a_service_named_mfn_get_no_variables_of_it(folder: str) -> None:
    assert pod_of(folder)[0]["enableServiceLinks"] is False


@pytest.mark.parametrize("folder", PODS)
def test_there_is_a_worker_for_each_core(folder: str) -> None:
    limits = container(pod_of(folder)[0])["resources"]["limits"]
    workers = settings_of(folder).workers
    assert workers == quantity(limits["cpu"])
    assert quantity(limits["memory"]) >= MEMORY_IDLE + workers * MEMORY_PER_WORKER


@pytest.mark.parametrize("folder", FOLDERS)
def test_ports_are_those_that_the_server_listens_on(folder: str) -> None:
    objects, settings = rendered(folder), settings_of(folder)
    of = container(pod(objects))
    assert port_number("http", of) == settings.http_port
    assert port_number("grpc", of) == settings.grpc_port
    for service, number in (("mfn", settings.http_port), ("mfn-grpc", settings.grpc_port)):
        (port,) = one(objects, "Service", service)["spec"]["ports"]
        assert port_number(port["targetPort"], of) == port["port"] == number
    for policy in of_kind(objects, "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            assert {port_number(port["port"], of) for port in rule["ports"]} <= {settings.http_port, settings.grpc_port}


def test_the_grpc_name_resolves_to_every_pod() -> None:
    for folder in FOLDERS:
        assert one(rendered(folder), "Service", "mfn-grpc")["spec"]["clusterIP"] == "None"
        assert settings_of(folder).max_connection_age_seconds > 0  # or clients would never see new pods


@pytest.mark.parametrize("folder", FOLDERS)
def test_protocols_and_probes_agree_on_tls(folder: str) -> None:
    tls = settings_of(folder).tls_certificate_file is not None
    assert tls == (folder == "overlays/production")
    protocols = {
        name: one(rendered(folder), "Service", name)["spec"]["ports"][0]["appProtocol"] for name in ("mfn", "mfn-grpc")
    }
    clear = {"mfn": "http", "mfn-grpc": "kubernetes.io/h2c"}
    assert protocols == (dict.fromkeys(clear, "https") if tls else clear)
    for probe in probes(container(pod(rendered(folder)))).values():
        assert ("grpc" in probe) <= (not tls)  # those of Kubernetes speak no TLS
        if "httpGet" in probe:
            assert probe["httpGet"].get("scheme", "HTTP") == ("HTTPS" if tls else "HTTP")


@pytest.mark.parametrize("folder", PODS)
def test_probes_ask_for_what_is_served(folder: str, client: TestClient) -> None:
    of, settings = container(pod_of(folder)[0]), settings_of(folder)
    for name, probe in probes(of).items():
        if "grpc" in probe:
            assert name == "liveness"
            assert probe["grpc"] == {"port": settings.grpc_port}  # the service "", of which grpc.health.v1 knows
            continue
        assert port_number(probe["httpGet"]["port"], of) == settings.http_port
        path = probe["httpGet"]["path"]
        assert client.get(path).status_code == 200
        assert ("live" in path) == (name == "liveness")  # a server that drains is alive


@pytest.mark.parametrize("folder", PODS)
def test_the_drain_ends_before_the_pod_does(folder: str) -> None:
    settings = settings_of(folder)
    assert settings.drain_delay_seconds >= 5  # endpoints take a while to be known everywhere
    assert settings.drain_seconds >= settings.deadline_seconds  # whatever was taken is finished
    drain = settings.drain_delay_seconds + settings.drain_seconds
    assert pod_of(folder)[0]["terminationGracePeriodSeconds"] >= drain + MARGIN_SECONDS


@pytest.mark.parametrize("folder", PODS)
def test_files_in_the_settings_are_mounted(folder: str) -> None:
    spec, settings = pod_of(folder)[0], settings_of(folder)
    mounts = {Path(mount["mountPath"]): mount for mount in container(spec)["volumeMounts"]}
    files = [settings.api_keys_file, settings.tls_certificate_file, settings.tls_key_file]
    assert {file.parent for file in files if file is not None} == set(mounts)
    assert not settings.api_keys  # a secret in a variable shows where files do not
    for volume in spec["volumes"]:
        assert volume["secret"]["defaultMode"] == 0o440
    assert spec["securityContext"]["fsGroup"] == spec["securityContext"]["runAsGroup"]  # who may read them
    if settings.tls_certificate_file and settings.tls_key_file:  # names in a Secret of the type kubernetes.io/tls
        assert (settings.tls_certificate_file.name, settings.tls_key_file.name) == ("tls.crt", "tls.key")


def test_the_local_key_is_one_that_the_server_takes(tmp_path: Path) -> None:
    (secret,) = of_kind(rendered("overlays/local"), "Secret")
    file = settings_of("overlays/local").api_keys_file
    assert file is not None
    keys = tmp_path / file.name
    keys.write_bytes(base64.b64decode(secret["data"][file.name]))
    key = keys.read_text()
    ApiKeys.of_setting("", keys).check({"x-api-key": key})
    assert f"X-API-Key: {key}" in (DEPLOY / "README.md").read_text()


def test_the_autoscaler_asks_for_a_metric_that_is_served() -> None:
    spec = one(rendered("overlays/production"), "HorizontalPodAutoscaler")["spec"]
    resources = [metric["resource"]["name"] for metric in spec["metrics"] if metric["type"] == "Resource"]
    pods = [metric["pods"]["metric"]["name"] for metric in spec["metrics"] if metric["type"] == "Pods"]
    assert (resources, pods) == (["cpu"], ["mfn_queue_depth"])
    gauges = {
        family.name for family in Metrics("1", "a", "int8", "cpu", Limits(1, 32, 64), lambda: 0).registry.collect()
    }
    assert set(pods) <= gauges
    # The adapter, by its own rules: series that match are served under the name that `as` says.
    values: Any = read_yaml((DEPLOY / "overlays/production/prometheus-adapter-values.yaml").read_text())
    (rule,) = values["rules"]["custom"]
    series = re.match(r"\w+", rule["seriesQuery"])
    assert series is not None
    assert re.match(rule["name"]["matches"], series[0])
    assert [rule["name"]["as"]] == pods == [series[0]]
    assert rule["resources"]["overrides"].keys() == {"namespace", "pod"}


def test_tracing_opens_the_way_to_its_collector(tmp_path: Path) -> None:
    """The component, added to an overlay as a platform's own would."""
    (tmp_path / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "resources": [os.path.relpath(DEPLOY / "overlays/production", tmp_path)],
                "components": [os.path.relpath(DEPLOY / "base/tracing", tmp_path)],
            }
        )
    )
    objects = tuple(read_yaml_documents(render(tmp_path)))
    settings = Settings.from_environment(environment(pod(objects), of_kind(objects, "ConfigMap")))
    collector = re.fullmatch(r"http://[\w-]+\.([\w-]+)\.svc:(\d+)/v1/traces", settings.otlp_endpoint)
    assert collector is not None
    names, traces = one(objects, "NetworkPolicy", "mfn-tracing")["spec"]["egress"]
    assert [(port["port"], port["protocol"]) for port in names["ports"]] == [(53, "UDP"), (53, "TCP")]
    assert traces["ports"] == [{"port": int(collector[2])}]
    (to,) = traces["to"]
    assert to["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": collector[1]}
    assert settings.tls_certificate_file is not None  # what the overlay had set is kept
