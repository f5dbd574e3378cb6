import numpy as np
import pytest

from service.cli.video.lines import Lines
from service.inference.models import Models
from service.vision.face_model import FaceModel
from tests.service.cli.video.results import processed_frame

BOX = (100, 100, 200, 200)


@pytest.fixture
def face_model(models: Models) -> FaceModel:
    return models.face_model


def test_a_line_tells_number_time_and_faces(face_model: FaceModel, capsys: pytest.CaptureFixture[str]) -> None:
    names = face_model.expression_names
    expression = np.zeros((2, 46))
    expression[0, [names.index("jawOpen"), names.index("mouthFunnel"), names.index("eyeWide_L")]] = 0.75, 0.5, 0.25
    expression[1, [names.index("cheekPuff_L"), names.index("jawLeft"), names.index("jawRight")]] = 0.3, 0.2, 0.1
    lines = Lines(names)
    lines.consume(processed_frame({7: BOX, 2: BOX}, timestamp=1.25, expression=expression, number=31))
    lines.consume(processed_frame({}, timestamp=1.5, number=32))
    assert capsys.readouterr().out.splitlines() == [
        "    31     1.250 s  #7 yaw 0 pitch 0 roll 0 jawOpen 0.75, mouthFunnel 0.50, eyeWide_L 0.25; "
        "#2 yaw 0 pitch 0 roll 0 cheekPuff_L 0.30, jawLeft 0.20, jawRight 0.10",
        "    32     1.500 s  no faces",
    ]
