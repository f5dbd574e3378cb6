"""Live Link Face's CSV: columns as the app writes them, values by name."""

import csv as rows_of_text
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.cli.capture.formats import csv
from service.cli.capture.take import Take
from tests.service.cli.capture.formats import takes

# The first line of the app's own recordings.
HEADER = (
    "Timecode,BlendshapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)


def written(take: Take, folder: Path) -> str:
    csv.write(take, folder / "take.csv")
    return (folder / "take.csv").read_text(encoding="utf-8")


def rows(take: Take, folder: Path) -> list[dict[str, str]]:
    return list(rows_of_text.DictReader(written(take, folder).splitlines()))


def moved(row: dict[str, str]) -> dict[str, float]:
    """What is not 0, but for the time code and the count."""
    return {name: float(text) for name, text in list(row.items())[2:] if float(text)}


def test_columns_and_format_are_the_apps(tmp_path: Path) -> None:
    header, *lines = written(takes.take(), tmp_path).splitlines()
    assert header == HEADER
    assert len(lines) == takes.FRAMES
    for line in lines:
        assert re.fullmatch(r"\d\d:\d\d:\d\d:\d\d\.\d{3},61(,-?\d\.\d{10}){61}", line)
        assert "-0.0000000000" not in line


def test_rows_are_consecutive_frames_in_drop_frame_time_code(tmp_path: Path) -> None:
    codes = [row["Timecode"] for row in rows(takes.take(), tmp_path)]
    assert codes[:4] == ["10:00:59:28.000", "10:00:59:29.000", "10:01:00:02.000", "10:01:00:03.000"]


def test_a_varying_rate_has_parts_of_frames(tmp_path: Path) -> None:
    take = takes.take()
    late = take.film.timestamps.copy()
    late[3:] += 0.01
    codes = [row["Timecode"] for row in rows(replace(take, film=replace(take.film, timestamps=late)), tmp_path)]
    assert codes[2:4] == ["10:01:00:02.000", "10:01:00:03.300"]


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (takes.REST, {}),
        (takes.NOD, {"HeadPitch": -0.34907}),  # 20 degrees down
        (takes.TURN, {"HeadYaw": 0.52360}),  # 30 degrees to the image's right
        (takes.TILT, {"HeadRoll": 0.17453}),  # 10 degrees counter-clockwise
        (takes.BLINK, {"EyeBlinkLeft": 0.9}),
        (takes.JAW, {"JawOpen": 0.7}),
        # 0.5 x 39 and 0.8 x 21.5 degrees to the person's left, which is negative; 0.4 x 35 down
        (
            takes.GLANCE,
            {
                "EyeLookOutLeft": 0.5, "EyeLookInRight": 0.8, "EyeLookDownLeft": 0.4, "EyeLookDownRight": 0.4,
                "LeftEyeYaw": -0.34034, "LeftEyePitch": 0.24435, "RightEyeYaw": -0.30020, "RightEyePitch": 0.24435,
            },
        ),
        (takes.BRIDGED, {"JawOpen": 0.35}),
    ],
)  # fmt: skip
def test_what_a_frame_does(frame: int, expected: dict[str, float], tmp_path: Path) -> None:
    assert moved(rows(takes.take(), tmp_path)[frame]) == pytest.approx(expected, abs=1e-5)


def test_right_stays_right(tmp_path: Path) -> None:
    told = moved(rows(takes.take(), tmp_path)[takes.ALL])
    assert told["MouthSmileRight"] == pytest.approx(0.6)
    assert told["JawRight"] == pytest.approx(0.25)
    assert "JawLeft" not in told


def test_an_unseen_frame_holds(tmp_path: Path) -> None:
    told = rows(takes.take(), tmp_path)
    assert moved(told[takes.UNSEEN]) == moved(told[takes.GLANCE])


def test_eyes_are_still_without_gaze(tmp_path: Path) -> None:
    for row in rows(takes.without_gaze(takes.take()), tmp_path):
        assert not [name for name in moved(row) if name.startswith(("LeftEye", "RightEye"))]


def test_names_are_those_of_a_receiver_of_the_app() -> None:
    receiver = pytest.importorskip("pylivelinkface", reason="the package pylivelinkface is not installed")
    assert {shape.name for shape in receiver.FaceBlendShape} == set(csv.VALUES)
    assert np.array_equal(csv.COLUMNS, HEADER.split(","))
