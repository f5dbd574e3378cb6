"""The gateway's routes are ones of the Gateway API, lead to what is served, and wait as long as the server does.

Its schemas are not among those of Kubernetes: the structure is held against what the specification of
gateway.networking.k8s.io/v1 allows, written down here. https://gateway-api.sigs.k8s.io/reference/spec/
"""

import re
from typing import Any

import pytest

from service.server.rest import kserve_v1, open_inference
from service.server.telemetry.middleware import PATHS
from service.settings import Settings
from tests.deploy.manifests import Object, component, environment, of_kind, one, pod, port_number, rendered
from tests.deploy.manifests import container as container_of

OBJECTS = tuple(component("gateway"))
ROUTES = [thing for thing in OBJECTS if thing["kind"] in ("HTTPRoute", "GRPCRoute")]
PRODUCTION = rendered("overlays/production")
SETTINGS = Settings.from_environment(environment(pod(PRODUCTION), of_kind(PRODUCTION, "ConfigMap")))

# The fields of the standard channel, and those that must be there. GRPCRoute has no timeouts in it.
REFERENCE = ({"group", "kind", "name", "namespace", "port", "weight", "filters"}, {"name", "port"})
FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "Gateway": ({"gatewayClassName", "listeners", "addresses", "infrastructure"}, {"gatewayClassName", "listeners"}),
    "HTTPRoute": ({"parentRefs", "hostnames", "rules"}, {"parentRefs", "rules"}),
    "GRPCRoute": ({"parentRefs", "hostnames", "rules"}, {"parentRefs", "rules"}),
    "BackendTLSPolicy": ({"targetRefs", "validation", "options"}, {"targetRefs", "validation"}),
}
RULE = {
    "HTTPRoute": {"name", "matches", "filters", "backendRefs", "timeouts"},
    "GRPCRoute": {"name", "matches", "filters", "backendRefs"},
}
DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")  # GEP-2257


def fits(thing: Object, fields: tuple[set[str], set[str]]) -> bool:
    known, wanted = fields
    return wanted <= thing.keys() <= known


def seconds(duration: str) -> float:
    assert DURATION.fullmatch(duration)
    units = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(ms|h|m|s)", duration))


def test_the_specification_knows_every_field() -> None:
    kinds = [thing["kind"] for thing in OBJECTS]
    assert sorted(kinds) == [*["BackendTLSPolicy"] * 2, "GRPCRoute", "Gateway", "HTTPRoute", "NetworkPolicy"]
    for thing in OBJECTS:
        assert thing.keys() == {"apiVersion", "kind", "metadata", "spec"}
        if thing["kind"] == "NetworkPolicy":
            continue
        assert thing["apiVersion"] == "gateway.networking.k8s.io/v1"
        assert fits(thing["spec"], FIELDS[thing["kind"]])


def test_listeners_end_tls() -> None:
    listeners = one(OBJECTS, "Gateway")["spec"]["listeners"]
    assert len({listener["name"] for listener in listeners}) == len(listeners)
    # A port may be shared by listeners whose host names differ.
    assert len({(listener["port"], listener["hostname"]) for listener in listeners}) == len(listeners)
    for listener in listeners:
        assert listener.keys() == {"name", "hostname", "port", "protocol", "tls", "allowedRoutes"}
        assert (listener["protocol"], listener["tls"]["mode"]) == ("HTTPS", "Terminate")
        assert listener["tls"]["certificateRefs"]
        (namespaces,) = [listener["allowedRoutes"]["namespaces"]]
        assert namespaces["from"] == "Selector"
        assert namespaces["selector"]["matchLabels"] == {"kubernetes.io/metadata.name": "mfn"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route["kind"])
def test_a_route_is_attached_to_a_listener_that_takes_it(route: Object) -> None:
    gateway = one(OBJECTS, "Gateway")
    (parent,) = route["spec"]["parentRefs"]
    assert (parent["name"], parent["namespace"]) == (gateway["metadata"]["name"], gateway["metadata"]["namespace"])
    (listener,) = [one for one in gateway["spec"]["listeners"] if one["name"] == parent["sectionName"]]
    assert listener["allowedRoutes"]["kinds"] == [{"kind": route["kind"]}]
    assert route["spec"]["hostnames"] == [listener["hostname"]]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route["kind"])
@pytest.mark.parametrize("folder", ["base", "overlays/production"])
def test_routes_lead_to_ports_of_services(route: Object, folder: str) -> None:
    objects = rendered(folder)
    for rule in route["spec"]["rules"]:
        assert rule.keys() <= RULE[route["kind"]]
        assert rule["matches"]
        (backend,) = rule["backendRefs"]
        assert fits(backend, REFERENCE)
        (port,) = one(objects, "Service", backend["name"])["spec"]["ports"]
        assert backend["port"] == port["port"]


def paths(rule: Any) -> set[tuple[str, str]]:
    return {(match["path"]["value"], match["path"]["type"]) for match in rule["matches"]}


def test_clients_reach_what_is_theirs_and_nothing_else() -> None:
    streams, rest = one(OBJECTS, "HTTPRoute")["spec"]["rules"]
    assert paths(streams) == {("/retarget/stream", "Exact")}
    protocols = {(kserve_v1.PREFIX, "PathPrefix"), (open_inference.PREFIX, "PathPrefix")}
    assert paths(rest) == {(path, "Exact") for path in PATHS - {"/metrics", "/livez", "/readyz"}} | protocols
    (rule,) = one(OBJECTS, "GRPCRoute")["spec"]["rules"]
    assert [match["method"] for match in rule["matches"]] == [
        {"type": "Exact", "service": "mfn.v1.RetargetService"},
        {"type": "Exact", "service": "grpc.health.v1.Health"},
    ]


def test_the_gateway_waits_for_the_servers_own_answer() -> None:
    streams, rest = one(OBJECTS, "HTTPRoute")["spec"]["rules"]
    assert seconds(streams["timeouts"]["request"]) == 0  # no limit
    assert seconds(rest["timeouts"]["request"]) > SETTINGS.deadline_seconds


def test_the_gateway_checks_the_pods_certificate() -> None:
    policies = of_kind(OBJECTS, "BackendTLSPolicy")
    backends = {
        reference["name"] for route in ROUTES for rule in route["spec"]["rules"] for reference in rule["backendRefs"]
    }
    assert {target["name"] for policy in policies for target in policy["spec"]["targetRefs"]} == backends
    for policy in policies:
        (target,) = policy["spec"]["targetRefs"]
        assert (target["group"], target["kind"]) == ("", "Service")
        service = one(PRODUCTION, "Service", target["name"])
        assert service["spec"]["ports"][0]["appProtocol"] == "https"
        name = f"{target['name']}.{service['metadata']['namespace']}.svc"
        assert policy["spec"]["validation"]["hostname"] == name
        assert policy["metadata"]["namespace"] == service["metadata"]["namespace"]
        assert policy["spec"]["validation"]["caCertificateRefs"] == [
            {"group": "", "kind": "ConfigMap", "name": "mfn-ca"}
        ]


def test_the_network_policy_lets_the_gateway_in() -> None:
    spec = one(OBJECTS, "NetworkPolicy", "mfn-gateway")["spec"]
    labels = one(PRODUCTION, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"].items() <= labels.items()
    assert spec["policyTypes"] == ["Ingress"]
    (rule,) = spec["ingress"]
    namespace = one(OBJECTS, "Gateway")["metadata"]["namespace"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}]
    ports = {port_number(port["port"], container_of(pod(PRODUCTION))) for port in rule["ports"]}
    assert ports == {SETTINGS.http_port, SETTINGS.grpc_port}
