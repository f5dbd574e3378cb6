"""The README is short, its commands run, and the answer it shows is true."""

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.inference.manifest import read_manifest
from service.settings import Settings
from tests.docs.conftest import client
from tests.docs.pages import README, send, shell_lines
from tools.readme import answer, caption, part, shortened

__all__ = ["client"]

TEXT = README.read_text(encoding="utf-8")
MOST_LINES = 150


def shape(value: Any) -> Any:
    """A JSON value without its numbers: names, lengths and types."""
    if isinstance(value, dict):
        return {name: shape(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [shape(entry) for entry in value]
    return float if isinstance(value, int | float) else value


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= MOST_LINES


def test_it_says_which_models_it_shows() -> None:
    version = read_manifest(Settings().models_dir / "manifest.json").version
    assert f"Models {version}." in part("picture", TEXT)
    assert part("picture", TEXT) == caption(), "run `make readme`"


def test_the_curl_gets_the_answer_shown(client: TestClient) -> None:
    (curl,) = shell_lines(README, "curl")
    response = send(client, curl)
    assert response.status_code == 200
    shown = json.loads(part("answer", TEXT).removeprefix("```json\n").removesuffix("```\n"))
    answered = json.loads(shortened(response.json()))
    assert shown["model"] == answered["model"]
    assert shown["image"] == answered["image"]
    assert len(shown["faces"]) == len(answered["faces"]) > 0
    for face_shown, face_answered in zip(shown["faces"], answered["faces"], strict=True):
        # Which coefficients are the strongest may depend on the machine's rounding, their number may not.
        expression_shown, expression_answered = face_shown.pop("expression"), face_answered.pop("expression")
        assert len(expression_shown) == len(expression_answered)
        assert expression_shown["..."] == expression_answered["..."]
        assert face_shown["box"] == pytest.approx(face_answered["box"], abs=2)
        assert face_shown["pose"]["yaw"] == pytest.approx(face_answered["pose"]["yaw"], abs=1)
    assert shape(shown) == shape(answered)


def test_the_answer_is_shortened_to_json() -> None:
    full = answer()
    short = json.loads(shortened(full))
    assert short.keys() == full.keys()
    assert [face["box"] for face in short["faces"]] == [face["box"] for face in full["faces"]]


def test_it_clones_without_history_and_runs() -> None:
    (command,) = re.findall(r"^git clone .*$", TEXT, re.MULTILINE)
    assert command == "git clone --depth 1 ADDRESS mfn && cd mfn && make run"
