"""What the manifests in deploy/ say of the production overlay, as far as the simulation needs it.

Nothing is repeated here: a changed manifest changes the simulation. Patches are merged as kustomize does, but only as
far as these manifests need: mappings by key, lists of named things by name, other lists as a whole.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.planning.autoscaling.specification import Specification, quantity
from service.settings import Settings

DEPLOY: Final = Path(__file__).resolve().parents[2]
OVERLAY: Final = "overlays/production"
SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
ADAPTED: Final = "mfn_queue_depth"  # the metric whose rule the adapter's values hold


@dataclass(frozen=True)
class Production:
    """Holds what the manifests set. autoscaler: the HorizontalPodAutoscaler's. cores: of a pod, its request. settings:
    the server's. probe_seconds: between two startup probes. scrape_seconds: of Prometheus. average_seconds: over which
    the adapter's rule takes the queue's mean."""

    autoscaler: Specification
    cores: int
    settings: Settings
    probe_seconds: float
    scrape_seconds: float
    average_seconds: float


def production(deploy: Path = DEPLOY) -> Production:
    """Reads deploy/. Raises ValueError where a file has what is not understood here."""
    overlay = deploy / OVERLAY
    (container,) = rendered(deploy, "Deployment")["spec"]["template"]["spec"]["containers"]
    (endpoint,) = _load(deploy / "monitoring/pod-monitor.yaml")["spec"]["podMetricsEndpoints"]
    variables = _variables(deploy / "base/settings.env") | _variables(overlay / "settings.env")
    cores = int(quantity(container["resources"]["limits"]["cpu"]))
    return Production(
        autoscaler=Specification.of(rendered(deploy, "HorizontalPodAutoscaler")),
        cores=cores,
        settings=Settings.from_environment(variables | {"MFN_WORKERS": str(cores)}),
        probe_seconds=float(container["startupProbe"]["periodSeconds"]),
        scrape_seconds=_seconds(endpoint["interval"]),
        average_seconds=_average(_load(overlay / "prometheus-adapter-values.yaml")),
    )


def rendered(deploy: Path, kind: str) -> dict[str, Any]:
    """The base's object of a kind, patched by the production overlay."""
    files = _load(deploy / "base/kustomization.yaml")["resources"]
    texts = [(deploy / "base" / file).read_text(encoding="utf-8") for file in files]
    found: dict[str, Any]
    (found,) = (thing for text in texts for thing in yaml.safe_load_all(text) if thing["kind"] == kind)
    for entry in _load(deploy / OVERLAY / "kustomization.yaml").get("patches", ()):
        patch = yaml.safe_load(entry["patch"]) if "patch" in entry else _load(deploy / OVERLAY / entry["path"])
        if not isinstance(patch, dict) or "target" in entry:
            raise ValueError("A patch is no part of an object; merge patches without a target are understood.")
        if patch["kind"] == kind and patch["metadata"]["name"] == found["metadata"]["name"]:
            found = merged(found, patch)
    return found


def merged(base: Any, patch: Any) -> Any:
    """A strategic merge patch applied; a null takes away."""
    if isinstance(base, dict) and isinstance(patch, dict):
        both = base | {key: merged(base.get(key), value) for key, value in patch.items()}
        return {key: value for key, value in both.items() if value is not None}
    if _named(base) and _named(patch):
        patches = {thing["name"]: thing for thing in patch}
        kept = [merged(thing, patches.pop(thing["name"], {})) for thing in base]
        return kept + list(patches.values())
    return patch


def _named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(thing, dict) and "name" in thing for thing in value)


def _average(values: dict[str, Any]) -> float:
    (rule,) = (rule for rule in values["rules"]["custom"] if rule["name"]["as"] == ADAPTED)
    found = re.search(r"avg_over_time\(.*\[(\w+)\]", rule["metricsQuery"])
    if found is None:
        raise ValueError(f"The adapter's rule is {rule['metricsQuery']}; a mean over some time is understood.")
    return _seconds(found[1])


def _seconds(text: str) -> float:
    """A duration of Prometheus, as 1m or 15s."""
    return float(text[:-1]) * SECONDS[text[-1]]


def _variables(file: Path) -> dict[str, str]:
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _load(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))
