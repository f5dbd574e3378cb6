"""The manifests in deploy/ as kubectl renders them, and what Kubernetes would make of them: a pod, its environment."""

import functools
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm/mfn"
FOLDERS = ("base", "overlays/local", "overlays/production")
PATIENCE = 60  # seconds for a tool

Object = dict[str, Any]


def read_yaml(text: str) -> Any:
    """What a YAML document says. Read by libyaml, where it is there, ten times as fast as in Python."""
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read_yaml_documents(text: str) -> Iterator[Any]:
    """What each document of a YAML stream says."""
    return iter(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def tool(name: str) -> str:
    """The path of a program: of this environment's, else of the machine's. Skips the test where there is none."""
    path = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def render(folder: Path) -> str:
    """The YAML that `kubectl apply -k` would send."""
    done = subprocess.run([tool("kubectl"), "kustomize", folder], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nothing deprecated
    return done.stdout


@functools.cache
def rendered(folder: str) -> tuple[Object, ...]:
    """The objects of a folder in deploy/. They are shared: to be read only."""
    return tuple(read_yaml_documents(render(DEPLOY / folder)))


def of_kind(objects: tuple[Object, ...], kind: str) -> list[Object]:
    return [thing for thing in objects if thing["kind"] == kind]


def one(objects: tuple[Object, ...], kind: str, name: str = "mfn") -> Object:
    found = [thing for thing in of_kind(objects, kind) if thing["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} of kind {kind} named {name}"
    return found[0]


def pod(objects: tuple[Object, ...]) -> Object:
    """The PodSpec of the Deployment."""
    spec: Object = one(objects, "Deployment")["spec"]["template"]["spec"]
    return spec


def container(pod_spec: Object) -> Object:
    (only,) = pod_spec["containers"]
    assert isinstance(only, dict)
    return only


def probes(of: Object) -> dict[str, Object]:
    """startup, readiness, liveness: the probes of a container."""
    return {name: of[f"{name}Probe"] for name in ("startup", "readiness", "liveness")}


def environment(pod_spec: Object, config_maps: list[Object]) -> dict[str, str]:
    """The variables that the container gets: of its ConfigMaps first, then its own, as Kubernetes has it."""
    of = container(pod_spec)
    data = {thing["metadata"]["name"]: thing["data"] for thing in config_maps}
    variables: dict[str, str] = {}
    for source in of.get("envFrom", []):
        variables |= data[source["configMapRef"]["name"]]
    for variable in of.get("env", []):
        variables[variable["name"]] = _value(variable, of)
    return variables


def _value(variable: Object, of: Object) -> str:
    if "value" in variable:
        value = variable["value"]
        assert isinstance(value, str), f"{variable['name']} is no text; Kubernetes refuses it"
        return value
    field = variable["valueFrom"]["resourceFieldRef"]
    assert field["containerName"] == of["name"]
    bound, resource = field["resource"].split(".")
    return str(math.ceil(quantity(of["resources"][bound][resource]) / quantity(field["divisor"])))


def quantity(text: str) -> float:
    """A quantity of Kubernetes as a number: "250m" is 0.25, "2Gi" is 2 * 1024**3."""
    for suffix, factor in (("m", 1e-3), ("Ki", 2**10), ("Mi", 2**20), ("Gi", 2**30)):
        if text.endswith(suffix):
            return float(text.removesuffix(suffix)) * factor
    return float(text)


def port_number(name_or_number: str | int, of: Object) -> int:
    """The number of a container's port that is given by its name or its number."""
    if isinstance(name_or_number, int):
        return name_or_number
    (port,) = [port["containerPort"] for port in of["ports"] if port["name"] == name_or_number]
    assert isinstance(port, int)
    return port


def yaml_files() -> Iterator[Path]:
    """Every YAML file in deploy/, but templates, which become YAML only when Helm renders them."""
    return (
        path
        for path in sorted(DEPLOY.rglob("*.y*ml"))
        if path.suffix in (".yaml", ".yml") and path.parent != CHART / "templates"
    )


def component(name: str) -> list[Object]:
    """The objects that a component adds to an overlay, as they stand in its files."""
    folder = DEPLOY / name
    listing = read_yaml((folder / "kustomization.yaml").read_text())
    return [thing for file in listing["resources"] for thing in read_yaml_documents((folder / file).read_text())]


def images(objects: Iterable[Object]) -> set[str]:
    """Every image that a container of these objects names, at any depth."""
    found: set[str] = set()
    waiting: list[Any] = list(objects)
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, dict):
            for name in ("containers", "initContainers"):
                found |= {of["image"] for of in thing.get(name, [])}
            waiting += thing.values()
        elif isinstance(thing, list):
            waiting += thing
    return found
