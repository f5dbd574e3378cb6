"""The pods are as Kubernetes' Pod Security Standard "restricted" wants them, and pass trivy's checks.

The standard is encoded here in full; trivy's findings, of which it is a part, are asked of trivy itself where it is
installed. https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.manifests import DEPLOY, FOLDERS, PATIENCE, ROOT, Object, container, one, pod, render, rendered, tool

# What a restricted pod may mount.
VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
LEAST_ID = 10_000  # of users and groups: below may be somebody's on the node (trivy's KSV-0020 and KSV-0021)
# Findings in rendered manifests that are none, below HIGH: trivy takes names of settings for secrets (MFN_GRPC_PORT,
# and those of files with keys); where an image is pushed to is the platform's to say.
NO_FINDINGS = {"KSV-01010", "KSV-0125"}


def shortcomings(spec: Object) -> list[str]:
    """What keeps a PodSpec from being restricted, in the order of the standard; then what trivy asks for beyond it."""
    of = container(spec)
    in_pod, in_container = spec.get("securityContext", {}), of.get("securityContext", {})
    merged = in_pod | in_container
    rules: list[tuple[str, bool]] = [
        # Baseline
        ("hostProcess", not merged.get("windowsOptions", {}).get("hostProcess")),
        ("hostNetwork", not spec.get("hostNetwork")),
        ("hostPID", not spec.get("hostPID")),
        ("hostIPC", not spec.get("hostIPC")),
        ("privileged", not merged.get("privileged")),
        ("hostPort", not any(port.get("hostPort") for port in of["ports"])),
        ("host in a probe", not any("host" in of[name].get("httpGet", {}) for name in of if name.endswith("Probe"))),
        ("appArmor", merged.get("appArmorProfile", {}).get("type") != "Unconfined"),
        ("seLinux", not merged.get("seLinuxOptions")),
        ("procMount", merged.get("procMount", "Default") == "Default"),
        ("sysctls", not in_pod.get("sysctls")),
        # Restricted
        ("volumes", all(volume.keys() - {"name"} <= VOLUMES for volume in spec["volumes"])),
        ("allowPrivilegeEscalation", in_container.get("allowPrivilegeEscalation") is False),
        ("runAsNonRoot", merged.get("runAsNonRoot") is True),
        ("runAsUser", merged.get("runAsUser", 0) > LEAST_ID),
        ("seccomp", merged.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost")),
        ("drop", in_container.get("capabilities", {}).get("drop") == ["ALL"]),
        ("add", set(in_container.get("capabilities", {}).get("add", [])) <= {"NET_BIND_SERVICE"}),
        # Beyond: KSV-0014, 0021, 0011, 0018, 0015, 0016, 0013, 0036
        ("readOnlyRootFilesystem", in_container.get("readOnlyRootFilesystem") is True),
        ("runAsGroup", merged.get("runAsGroup", 0) > LEAST_ID),
        ("limits", of["resources"]["limits"].keys() >= {"cpu", "memory"}),
        ("requests", of["resources"]["requests"].keys() >= {"cpu", "memory"}),
        ("image", ":" in of["image"] and not of["image"].endswith(":latest")),
        ("automountServiceAccountToken", spec.get("automountServiceAccountToken") is False),
        ("hostAliases", not spec.get("hostAliases")),
    ]
    return [name for name, held in rules if not held]


@pytest.mark.parametrize("folder", FOLDERS)
def test_pods_are_restricted(folder: str) -> None:
    assert shortcomings(pod(rendered(folder))) == []
    labels = one(rendered(folder), "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert one(rendered(folder), "ServiceAccount")["automountServiceAccountToken"] is False


def test_the_inference_services_pod_is_restricted() -> None:
    assert shortcomings(one(rendered("kserve"), "InferenceService")["spec"]["predictor"]) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("hostNetwork", lambda spec: spec.update(hostNetwork=True)),
        ("privileged", lambda spec: container(spec)["securityContext"].update(privileged=True)),
        ("hostPort", lambda spec: container(spec)["ports"][0].update(hostPort=8000)),
        ("volumes", lambda spec: spec["volumes"].append({"name": "node", "hostPath": {"path": "/"}})),
        ("allowPrivilegeEscalation", lambda spec: container(spec)["securityContext"].pop("allowPrivilegeEscalation")),
        ("runAsNonRoot", lambda spec: container(spec)["securityContext"].update(runAsNonRoot=False)),
        ("seccomp", lambda spec: spec["securityContext"].pop("seccompProfile")),
        ("drop", lambda spec: container(spec)["securityContext"].pop("capabilities")),
        ("readOnlyRootFilesystem", lambda spec: container(spec)["securityContext"].pop("readOnlyRootFilesystem")),
        ("limits", lambda spec: container(spec)["resources"]["limits"].pop("memory")),
    ],
)
def test_a_shortcoming_is_found(name: str, change: Callable[[Object], Any]) -> None:
    spec = copy.deepcopy(pod(rendered("base")))
    change(spec)
    assert shortcomings(spec) == [name]


def test_trivy_finds_nothing(tmp_path: Path) -> None:
    """The files as they are, of any severity; and as rendered."""
    trivy = tool("trivy")
    scanned = tmp_path / "scanned"
    shutil.copytree(DEPLOY, scanned / "deploy")
    shutil.copy(ROOT / "Dockerfile", scanned)
    (scanned / "rendered").mkdir()
    for folder in FOLDERS:
        (scanned / "rendered" / f"{folder.replace('/', '-')}.yaml").write_text(render(DEPLOY / folder))
    # With the checks that are built in: nothing is fetched and nothing told.
    options = ["--skip-check-update", "--skip-version-check", "--disable-telemetry", "--quiet", "--format", "json"]
    done = subprocess.run(
        [trivy, "config", *options, "--cache-dir", tmp_path / "cache", "."],
        cwd=scanned, env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True, timeout=5 * PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = {result["Target"]: result for result in json.loads(done.stdout)["Results"]}
    assert {"Dockerfile", "deploy/base/deployment.yaml", "rendered/overlays-production.yaml"} <= results.keys()
    assert results["deploy/base/deployment.yaml"]["MisconfSummary"]["Successes"] > 0
    found = {
        (target, finding["ID"], finding["Severity"])
        for target, result in results.items()
        for finding in result.get("Misconfigurations", [])
    }
    excused = {
        (target, name, severity)
        for target, name, severity in found
        if target.startswith(("rendered/", "deploy/helm/"))
        and name in NO_FINDINGS
        and severity not in ("HIGH", "CRITICAL")
    }
    assert found == excused
