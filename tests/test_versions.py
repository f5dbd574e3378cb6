"""The code has one version, wherever it shows, and the models have their own."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import mfn_client
import pytest
from starlette.testclient import TestClient

import service
from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.server.rest.app import RestApp
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
VERSION = service.__version__
MODELS: Any = json.loads((ROOT / "models/manifest.json").read_text(encoding="utf-8"))["version"]


def pyproject(folder: str) -> Any:
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("folder", "attribute"), [(".", "service.__version__"), ("clients/python", "mfn_client.__version__")]
)
def test_distributions_take_it_from_the_code(folder: str, attribute: str) -> None:
    settings = pyproject(folder)
    assert settings["project"]["dynamic"] == ["version"]
    assert "version" not in settings["project"]
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {"attr": attribute}


def test_server_and_client_are_of_one_version() -> None:
    assert mfn_client.__version__ == VERSION
    assert f"mfn-retarget-client>={VERSION}" in pyproject(".")["project"]["dependencies"]


def test_the_javascript_client_is_of_the_same() -> None:
    package, lock = (
        json.loads((ROOT / "clients/javascript" / name).read_text(encoding="utf-8"))
        for name in ("package.json", "package-lock.json")
    )
    semantic = VERSION.replace(".dev", "-dev.")  # npm's way of writing it
    assert package["version"] == semantic
    assert lock["version"] == lock["packages"][""]["version"] == semantic


def test_it_is_a_version_and_has_a_place_in_the_changelog() -> None:
    """What is being worked on is unreleased; what is released has a date."""
    release, _, development = VERSION.partition(".dev")
    assert re.fullmatch(r"\d+\.\d+\.\d+", release)
    first, second = re.findall(
        r"^## \[(.+?)\](.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )[:2]
    assert first == ("Unreleased", "")
    if development:
        assert second[0] != release
    else:
        assert second[0] == release
        assert re.fullmatch(r" - \d{4}-\d\d-\d\d", second[1])


def test_the_image_is_labelled_with_it() -> None:
    assert f"\nARG VERSION={VERSION}\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_server_documents_its_code_and_answers_with_its_models() -> None:
    settings = Settings()
    workers = Workers(1, 1)
    app = RestApp(ServerState(settings, Pipeline(Models.load(settings.models_dir), settings), workers))
    with TestClient(app) as client:
        assert client.get("/openapi.json").json()["info"]["version"] == VERSION
        assert client.get("/model").json()["version"] == MODELS
    workers.close()
