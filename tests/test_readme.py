"""The README's commands run and its tables are true."""

import argparse
import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.cli.main import build_parser
from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.server.problems import CODES
from service.server.rest.app import create_app
from service.server.state import ServerState
from service.server.telemetry.metrics import DROP_REASONS, MODEL_LABELS, STAGES, Limits, Metrics
from service.server.workers import Workers
from service.settings import Settings, markdown_table
from service.vision.face_model import FaceModel
from tools.readme import README, ROOT, answer, part, shortened

TEXT = README.read_text(encoding="utf-8")
CURLS = re.findall(r"^curl .*$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def client() -> Any:
    settings = Settings()
    workers = Workers(1, 1)
    app = create_app(ServerState(settings, Pipeline(Models.load(settings.models_dir), settings), workers))
    with TestClient(app, base_url="http://localhost:8000") as client:
        yield client
    workers.close()


def post(client: TestClient, curl: str) -> Any:
    """Sends what a curl command line would send."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-H", dest="header")
    parser.add_argument("--data-binary", dest="body")
    parser.add_argument("-F", dest="form")
    call = parser.parse_args(shlex.split(curl)[1:])
    if call.form:
        name, file = call.form.split("=@")
        return client.post(call.url, files={name: (file, (ROOT / file).read_bytes(), "image/jpeg")})
    header, value = call.header.split(": ")
    return client.post(call.url, content=(ROOT / call.body.removeprefix("@")).read_bytes(), headers={header: value})


def shape(value: Any) -> Any:
    """A JSON value without its numbers: names, lengths and types."""
    if isinstance(value, dict):
        return {name: shape(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [shape(entry) for entry in value]
    return float if isinstance(value, int | float) else value


def test_the_first_curl_gets_the_answer_shown(client: TestClient) -> None:
    response = post(client, CURLS[0])
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


@pytest.mark.parametrize("curl", CURLS)
def test_every_curl_is_answered(curl: str, client: TestClient) -> None:
    response = post(client, curl)
    assert response.status_code == 200
    for face in response.json()["faces"]:
        assert ("landmarks" in face) == ("landmarks" in curl)


def test_the_answer_is_shortened_to_json() -> None:
    full = answer()
    short = json.loads(shortened(full))
    assert short.keys() == full.keys()
    assert [face["box"] for face in short["faces"]] == [face["box"] for face in full["faces"]]


def test_every_setting_is_documented() -> None:
    assert part("settings", TEXT) == markdown_table(), "run `make readme`"


def test_every_problem_is_documented() -> None:
    listed = re.findall(r"^\| (\d+) \| `([\w-]+)` \| (.*) \| (\w+) \|$", TEXT, re.MULTILINE)
    assert listed == [(str(codes.http), kind.name, kind.title, codes.grpc) for kind, codes in CODES.items()]


def test_every_metric_is_documented() -> None:
    """Series that are not the process's own, as Prometheus sees them."""
    metrics = Metrics("1", "a", "int8", "cpu", Limits(1, 32, 64), lambda: 0)
    metrics.certificate(datetime(2030, 1, 1, tzinfo=UTC))  # with TLS it has every series that there is
    known = {family.name for family in metrics.registry.collect() if family.name.startswith("mfn_")}
    listed = re.findall(r"^\| `(mfn_\w+)` \|", part("metrics", TEXT), re.MULTILINE)
    assert {name.removesuffix("_total") for name in listed} == known
    assert f"| `mfn_model_info` | {', '.join(MODEL_LABELS)} |" in part("metrics", TEXT)
    assert ", ".join(STAGES) in part("metrics", TEXT)
    assert ", ".join(DROP_REASONS) in part("metrics", TEXT)


def test_every_expression_is_named_in_order() -> None:
    listed = part("expressions", TEXT).split()[1:-1]
    assert tuple(listed) == FaceModel.load(Settings().models_dir / "face_model.npz").expression_names


def test_every_option_of_the_command_line_is_understood() -> None:
    commands = re.findall(r"^ +\.venv/bin/mfn ([^#>\n]*)", TEXT, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        build_parser().parse_args(shlex.split(command))


def test_every_file_that_is_linked_exists() -> None:
    linked = [*re.findall(r"\]\(([^):]+)\)", TEXT), *re.findall(r'src="([^"]+)"', TEXT)]
    assert linked
    assert not [path for path in linked if not (Path(README).parent / path).exists()]
