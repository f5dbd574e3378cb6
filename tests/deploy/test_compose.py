"""deploy/compose.yaml mounts what exists, sets what the server knows, and gives no container more than it needs."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from tests.deploy.manifests import DEPLOY, PATIENCE, ROOT, read_yaml, tool

COMPOSE: dict[str, Any] = read_yaml((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVER = SERVICES["mfn"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def mounts(service: str) -> dict[str, Path]:
    """The files that a container sees, by their paths in it."""
    found = {}
    for volume in SERVICES[service].get("volumes", []):
        source, target, *_ = volume.split(":")
        if source.startswith("."):
            found[target] = DEPLOY / source
    return found


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text.removesuffix("s"))


def test_the_server_knows_its_settings() -> None:
    variables = SERVER["environment"]
    assert all(isinstance(value, str) for value in variables.values())
    settings = Settings.from_environment(variables)
    assert settings.workers == SERVER["cpus"]
    assert seconds(SERVER["stop_grace_period"]) >= settings.drain_seconds + settings.drain_delay_seconds + 5


def test_ports_are_the_servers_on_this_machine_only() -> None:
    settings = Settings.from_environment(SERVER["environment"])
    (exposed,) = re.findall(r"^EXPOSE (.+)$", DOCKERFILE, re.MULTILINE)
    for port, number in zip(SERVER["ports"], (settings.http_port, settings.grpc_port), strict=True):
        assert port == f"${{MFN_ADDRESS:-127.0.0.1}}:{number}:{number}"
        assert str(number) in exposed.split()
    for name in ("prometheus", "grafana"):
        assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


def test_the_server_is_the_image_of_the_dockerfile() -> None:
    build = SERVER["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert f"USER {SERVER['user']}\n" in DOCKERFILE
    _, *command = SERVER["healthcheck"]["test"]
    own = re.search(r"HEALTHCHECK [^\[]+CMD (\[.+\])", DOCKERFILE)
    assert own is not None
    assert read_yaml(own[1]) == command
    (version,) = re.findall(r"^ARG VERSION=(.+)$", DOCKERFILE, re.MULTILINE)
    assert SERVER["image"] == f"mfn:{version}"


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert {"cpus", "mem_limit", "pids_limit"} <= service.keys()
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert re.search(r":v?\d+\.\d+\.\d+(\.dev\d+)?$", service["image"])  # never another one tomorrow


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_exists_and_is_only_read(name: str) -> None:
    assert all(path.is_file() for path in mounts(name).values())
    for volume in SERVICES[name].get("volumes", []):
        source, _, *mode = volume.split(":")
        if source.startswith("."):
            assert mode == ["ro"]
        else:
            assert source in COMPOSE["volumes"]


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    inside = mounts("prometheus")
    (flag,) = [part for part in SERVICES["prometheus"]["command"] if part.startswith("--config.file=")]
    target = flag.partition("=")[2]
    for path, file in inside.items():
        (tmp_path / Path(path).name).write_text(file.read_text())
    command = [tool("promtool"), "check", "config", str(tmp_path / Path(target).name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout + done.stderr


def test_prometheus_scrapes_the_server() -> None:
    configuration = read_yaml(mounts("prometheus")["/etc/prometheus/prometheus.yaml"].read_text())
    (job,) = configuration["scrape_configs"]
    (targets,) = job["static_configs"]
    settings = Settings.from_environment(SERVER["environment"])
    assert job["job_name"] == "mfn"  # which the rules look for
    assert targets == {"targets": [f"mfn:{settings.http_port}"], "labels": {"namespace": "mfn"}}


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    inside = mounts("grafana")
    (source,) = read_yaml(inside["/etc/grafana/provisioning/datasources/mfn.yaml"].read_text())["datasources"]
    assert (source["type"], source["url"], source["isDefault"]) == ("prometheus", "http://prometheus:9090", True)
    scraped = read_yaml(mounts("prometheus")["/etc/prometheus/prometheus.yaml"].read_text())["global"]
    assert source["jsonData"]["timeInterval"] == scraped["scrape_interval"]
    (provider,) = read_yaml(inside["/etc/grafana/provisioning/dashboards/mfn.yaml"].read_text())["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert str(Path(home).parent) == provider["options"]["path"]
    assert inside[home].resolve() == DEPLOY / "monitoring/dashboard.json"
