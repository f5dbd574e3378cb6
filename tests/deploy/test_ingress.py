"""The Ingresses are what Kubernetes takes, lead to what is served, and have limits that fit the server's."""

import kubernetes_validate
import pytest

from service.server.rest import kserve_v1, open_inference
from service.server.rest.body import ENVELOPE_BYTES
from service.server.telemetry.middleware import PATHS
from service.settings import Settings
from tests.deploy.manifests import Object, component, container, environment, of_kind, one, pod, port_number, rendered

OBJECTS = tuple(component("ingress"))
INGRESSES = of_kind(OBJECTS, "Ingress")
PRODUCTION = rendered("overlays/production")
SETTINGS = Settings.from_environment(environment(pod(PRODUCTION), of_kind(PRODUCTION, "ConfigMap")))
PREFIX = "nginx.ingress.kubernetes.io/"
PROTOCOLS = {"mfn": "HTTPS", "mfn-websocket": "HTTPS", "mfn-grpc": "GRPCS"}  # the pods have TLS in production
# Every annotation that ingress-nginx is given here, as its page spells it: a misspelt one is ignored.
ANNOTATIONS = {
    "backend-protocol", "proxy-body-size", "proxy-connect-timeout", "proxy-read-timeout", "proxy-request-buffering",
    "proxy-send-timeout",
}  # fmt: skip


def annotations(name: str) -> dict[str, str]:
    given = one(OBJECTS, "Ingress", name)["metadata"]["annotations"]
    assert all(isinstance(value, str) for value in given.values())  # or Kubernetes refuses it
    return {key.removeprefix(PREFIX): value for key, value in given.items()}


def paths(name: str) -> set[tuple[str, str]]:
    (rule,) = one(OBJECTS, "Ingress", name)["spec"]["rules"]
    return {(path["path"], path["pathType"]) for path in rule["http"]["paths"]}


@pytest.mark.parametrize("version", ["1.30", "1.37"])
@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: f"{thing['kind']}-{thing['metadata']['name']}")
def test_kubernetes_knows_every_field(thing: Object, version: str) -> None:
    kubernetes_validate.validate(thing, version, strict=True)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_proxy_speaks_what_the_pods_do(name: str) -> None:
    assert annotations(name).keys() <= ANNOTATIONS
    assert annotations(name)["backend-protocol"] == PROTOCOLS[name]
    assert SETTINGS.tls_certificate_file is not None


@pytest.mark.parametrize("thing", INGRESSES, ids=lambda thing: thing["metadata"]["name"])
@pytest.mark.parametrize("folder", ["base", "overlays/production"])
def test_paths_lead_to_ports_of_services(thing: Object, folder: str) -> None:
    (rule,), (tls,) = thing["spec"]["rules"], thing["spec"]["tls"]
    assert tls["hosts"] == [rule["host"]]
    for path in rule["http"]["paths"]:
        service = path["backend"]["service"]
        ports = {port["name"] for port in one(rendered(folder), "Service", service["name"])["spec"]["ports"]}
        assert service["port"]["name"] in ports


def test_clients_reach_what_is_theirs_and_nothing_else() -> None:
    assert {thing["metadata"]["name"] for thing in INGRESSES} == PROTOCOLS.keys()
    protocols = {(kserve_v1.PREFIX, "Prefix"), (open_inference.PREFIX, "Prefix")}
    assert paths("mfn") == {(path, "Exact") for path in PATHS - {"/metrics", "/livez", "/readyz"}} | protocols
    assert paths("mfn-websocket") == {("/retarget/stream", "Exact")}
    assert paths("mfn-grpc") == {("/mfn.v1.RetargetService/", "Prefix"), ("/grpc.health.v1.Health/", "Prefix")}
    hosts = {thing["metadata"]["name"]: thing["spec"]["rules"][0]["host"] for thing in INGRESSES}
    assert hosts["mfn"] == hosts["mfn-websocket"] != hosts["mfn-grpc"]


def test_the_proxy_waits_for_the_servers_own_answer() -> None:
    for name, longest in (
        ("mfn", SETTINGS.deadline_seconds),
        ("mfn-websocket", SETTINGS.stream_idle_seconds),
        ("mfn-grpc", SETTINGS.stream_idle_seconds),
    ):
        for direction in ("read", "send"):
            assert longest < int(annotations(name)[f"proxy-{direction}-timeout"]) <= 2 * longest


def test_the_largest_picture_passes() -> None:
    given = annotations("mfn")["proxy-body-size"]
    assert given.endswith("m")
    largest = (SETTINGS.max_bytes + 2) // 3 * 4 + ENVELOPE_BYTES  # as Base64 in JSON
    assert largest <= int(given.removesuffix("m")) * 2**20 < largest + 2 * 2**20
    assert annotations("mfn-grpc")["proxy-body-size"] == "0"  # a stream is one body without an end
    assert annotations("mfn")["proxy-request-buffering"] == "off"  # pictures are not written to the proxy's disk


def test_the_network_policy_lets_the_proxy_in() -> None:
    spec = one(OBJECTS, "NetworkPolicy", "mfn-ingress")["spec"]
    labels = one(PRODUCTION, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"].items() <= labels.items()
    (rule,) = spec["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}]
    ports = {port_number(port["port"], container(pod(PRODUCTION))) for port in rule["ports"]}
    assert ports == {SETTINGS.http_port, SETTINGS.grpc_port}
