import json
from pathlib import Path

import numpy as np
import pytest

from service.cli.neutral_file import NeutralFileError, read_neutral, write_neutral

NAMES = ("jawOpen", "mouthSmile_L", "mouthSmile_R")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "anna.neutral.json"
    write_neutral(path, np.array([0.125, 0, 1], np.float32), NAMES)
    assert json.loads(path.read_text()) == {"neutral": {"jawOpen": 0.125, "mouthSmile_L": 0, "mouthSmile_R": 1}}
    face = read_neutral(path, NAMES)
    assert face.dtype == np.float32
    assert face.tolist() == [0.125, 0, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no JSON", "is no JSON"),
        ("[" * 60000, "is no JSON"),
        ("[]", "holds no resting face"),
        ('{"neutral": {"jawOpen": 0.1}}', "lacks mouthSmile_L; expected .* 3 names"),
        ('{"neutral": {"jawOpen": 2, "mouthSmile_L": 0, "mouthSmile_R": 0}}', "neutral.jawOpen is 2; expected"),
        ('{"neutral": {"jawOpen": NaN, "mouthSmile_L": 0, "mouthSmile_R": 0}}', "jawOpen is nan; expected"),
        ('{"neutral": {"jawOpen": true, "mouthSmile_L": 0, "mouthSmile_R": 0}}', "jawOpen is True; expected"),
    ],
)
def test_what_is_no_resting_face_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "anna.json"
    path.write_text(text)
    with pytest.raises(NeutralFileError, match=message):
        read_neutral(path, NAMES)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NeutralFileError, match=r"nobody\.json: No such file"):
        read_neutral(tmp_path / "nobody.json", NAMES)
