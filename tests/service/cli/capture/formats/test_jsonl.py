"""JSON lines against the published schema of the stream's answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from service.cli.capture.formats import jsonl
from service.cli.capture.take import Take
from tests.service.cli.capture.formats import takes

SCHEMA = json.loads((takes.ROOT / "docs" / "websocket.schema.json").read_text(encoding="utf-8"))


def lines(take: Take, folder: Path) -> list[dict[str, Any]]:
    jsonl.write(take, folder / "take.jsonl")
    return [json.loads(line) for line in (folder / "take.jsonl").read_text(encoding="utf-8").splitlines()]


def test_lines_are_a_streams_answers(tmp_path: Path) -> None:
    validator = Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": "#/$defs/FrameAnswer"}]})
    for take in (takes.take(), takes.without_gaze(takes.take())):
        for line in lines(take, tmp_path):
            validator.validate(line)


def test_a_line_tells_the_frame(tmp_path: Path) -> None:
    told = lines(takes.take(), tmp_path)
    assert [line["sequence"] for line in told] == list(range(1, takes.FRAMES + 1))
    assert [line["timestamp_us"] for line in told[:3]] == [0, 33367, 66733]  # 1001/30 ms apart
    assert told[0]["image"] == {"width": 640, "height": 480}
    (face,) = told[takes.NOD]["faces"]
    assert (face["pose"]["yaw"], face["pose"]["pitch"], face["pose"]["roll"]) == pytest.approx((0, 20, 0), abs=1e-3)
    assert face["box"] == {"x": 200, "y": 100, "width": 200, "height": 250}
    assert (face["track_id"], face["neutral"], face["bridged"]) == (1, "off", False)
    (face,) = told[takes.GLANCE]["faces"]
    assert face["gaze"]["eyeLookOutLeft"] == face["blendshapes"]["eyeLookOutLeft"] == 0.5
    (face,) = told[takes.ALL]["faces"]
    assert face["expression"]["mouthSmile_R"] == face["blendshapes"]["mouthSmileRight"] == 0.6
    assert told[takes.ALL]["unobserved_arkit"] == ["tongueOut"]


def test_frames_without_the_face_have_none(tmp_path: Path) -> None:
    told = lines(takes.take(), tmp_path)
    assert told[takes.UNSEEN]["faces"] == []
    assert told[takes.BRIDGED]["faces"][0]["bridged"]
