"""Overlays that others write on top of ours do what the pages say: the pages' own examples, rendered."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.manifests import (
    DEPLOY,
    FOLDERS,
    Object,
    images,
    of_kind,
    one,
    pod,
    read_yaml,
    read_yaml_documents,
    render,
    rendered,
)

IMAGE = {"name": "mfn", "newName": "registry.example.com/team/mfn", "newTag": "1.2.3"}


def examples(page: str) -> list[dict[str, Any]]:
    """The YAML of a page that goes into a kustomization.yaml, in its order."""
    blocks = re.findall(r"```yaml\n(.*?)```", (DEPLOY / page).read_text(), re.DOTALL)
    parsed = [read_yaml(block) for block in blocks]
    return [block for block in parsed if {"resources", "components"} & block.keys()]


def rendered_beside_a_checkout(kustomization: dict[str, Any], folder: Path) -> tuple[Object, ...]:
    """The objects of an overlay that lies in a folder beside one named mfn, which holds this repository."""
    shutil.copytree(DEPLOY, folder / "mfn/deploy", dirs_exist_ok=True, ignore=shutil.ignore_patterns("planning"))
    (folder / "platform").mkdir()
    header = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    (folder / "platform/kustomization.yaml").write_text(yaml.safe_dump(header | kustomization))
    return tuple(read_yaml_documents(render(folder / "platform")))


def test_the_pages_image_replaces_ours_everywhere(tmp_path: Path) -> None:
    own = examples("README.md")[0]
    (image,) = own["images"]
    objects = rendered_beside_a_checkout(own, tmp_path)
    assert images(objects) == {f"{image['newName']}@{image['digest']}"}
    # Nothing else names an image of ours, either.
    assert not re.search(r"\bmfn:\d", yaml.safe_dump_all(objects))


def test_the_pages_settings_are_merged_into_ours(tmp_path: Path) -> None:
    own = examples("README.md")[0]
    (generator,) = own["configMapGenerator"]
    (settings,) = of_kind(rendered_beside_a_checkout(own, tmp_path), "ConfigMap")
    (ours,) = of_kind(rendered("overlays/production"), "ConfigMap")
    given = dict(literal.split("=", 1) for literal in generator["literals"])
    assert given
    assert settings["data"] == ours["data"] | given


def test_the_pages_patches_name_the_gateway(tmp_path: Path) -> None:
    own, gateway = examples("README.md")[:2]
    objects = rendered_beside_a_checkout(own | gateway, tmp_path)
    listeners = {listener["name"]: listener for listener in one(objects, "Gateway")["spec"]["listeners"]}
    for kind, section in (("HTTPRoute", "http"), ("GRPCRoute", "grpc")):
        assert one(objects, kind)["spec"]["hostnames"] == [listeners[section]["hostname"]]
    assert "example.com" not in yaml.safe_dump_all([one(objects, kind) for kind in ("Gateway", "HTTPRoute")])
    assert one(objects, "Gateway")["spec"]["gatewayClassName"] != "example"


def test_the_monitoring_pages_example_scrapes_behind_tls(tmp_path: Path) -> None:
    (own,) = examples("monitoring/README.md")
    (endpoint,) = one(rendered_beside_a_checkout(own, tmp_path), "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert endpoint["scheme"] == "https"
    assert endpoint["tlsConfig"]["ca"]["secret"]["name"] in {
        volume["secret"]["secretName"] for volume in pod(rendered("overlays/production"))["volumes"]
    }


@pytest.mark.parametrize("folder", [*FOLDERS, "kserve"])
def test_every_folder_calls_the_image_by_the_same_name(folder: str, tmp_path: Path) -> None:
    """Kustomize looks for the name that it finds in the layer below: none of ours may have changed it."""
    own = {"resources": [f"../mfn/deploy/{folder}"], "images": [IMAGE]}
    assert images(rendered_beside_a_checkout(own, tmp_path)) == {f"{IMAGE['newName']}:{IMAGE['newTag']}"}


@pytest.mark.parametrize("page", ["README.md", "monitoring/README.md"])
def test_an_example_is_found_on_each_page(page: str) -> None:
    assert examples(page)
