"""The published networks in float32 answer, decoded by the service, what their weights answer in torch, decoded by
training. (How near int8 comes to float32, test_published_models.py tests.)

`python -m training.scripts.reference` writes the reference; its docstring says what it holds.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.crops import Crop
from service.vision.decoding import decode, detect
from service.vision.image import Picture
from service.vision.image import decode as decode_picture
from service.vision.letterbox import Letterbox
from service.vision.nms import suppress
from service.vision.refinement import apply_refinement
from tests.service.tiny_models import PUBLISHED

pytestmark = pytest.mark.usefixtures("resampled_by_pillow")

HERE = Path(__file__).resolve().parent
PICTURE = HERE.parents[1] / "pictures" / "five_faces.webp"
REFERENCE = json.loads((HERE / "reference_faces.json").read_text(encoding="utf-8"))
# torch and the runtime add up in other orders: 0.002 of raw outputs is what an export may differ by.
CLOSE = 2e-3
CLOSE_PIXELS = 0.1


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=CLOSE, atol=CLOSE)


def assert_close_pixels(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE_PIXELS)


def column(network: str, name: str) -> np.ndarray:
    return np.array([face[name] for face in REFERENCE[network]], np.float32)


@pytest.fixture(scope="module")
def models() -> Models:
    models = Models.load(PUBLISHED, Execution(precision="float32"))
    assert REFERENCE["networks"] == {name: loaded.sha256 for name, loaded in models.files.items()}, (
        "the reference is of other networks: run python -m training.scripts.reference"
    )
    return models


@pytest.fixture(scope="module")
def picture() -> Picture:
    return decode_picture(PICTURE.read_bytes(), 10**6, 25)


def test_every_face_is_in_the_reference() -> None:
    assert len(REFERENCE["mfn"]) == len(REFERENCE["sfn"]) == 5


def test_mfn_in_pixels_of_its_input(models: Models, picture: Picture) -> None:
    raw = models.mfn.run(Letterbox.fit(picture.width, picture.height, models.side).apply(picture.pixels)[None])
    priors = models.priors[models.side]
    detections = detect(raw["detection"], priors, 0.5)
    faces = decode(raw, priors, detections.take(suppress(detections.box, 0.45, 20).best))
    assert_close(faces.score, column("mfn", "score"))
    assert_close_pixels(faces.box, column("mfn", "box"))
    assert_close(faces.pose.quaternion, column("mfn", "quaternion"))
    assert_close_pixels(faces.pose.origin, column("mfn", "origin"))
    assert_close(faces.pose.scale, column("mfn", "scale"))
    assert_close(faces.identity, column("mfn", "identity"))
    assert_close(faces.expression, column("mfn", "expression"))


def test_mfn_in_the_picture(models: Models) -> None:
    """Of 1200 x 560 pixels, 288 x 134 are left in the middle of the square."""
    faces = Pipeline(models).retarget(PICTURE.read_bytes(), RetargetOptions()).faces
    corners = column("merged", "box").reshape(-1, 2)
    np.testing.assert_allclose(
        faces.box.reshape(-1, 2), (corners - [0, 77]) * [1200 / 288, 560 / 134], rtol=0, atol=0.5
    )
    assert_close(faces.scale, column("merged", "scale") * (1200 / 288))
    for name in ("score", "quaternion", "identity", "expression"):
        assert_close(getattr(faces, name), column("merged", name))


def test_sfn_in_the_picture(models: Models, picture: Picture) -> None:
    crops = [crop_of(face["crop"]) for face in REFERENCE["sfn"]]
    raw = models.sfn.run(np.stack([crop.sample(picture) for crop in crops]))
    found = Pipeline(models).retarget_picture(picture, RetargetOptions()).faces
    faces = apply_refinement(found, crops, raw, picture.width, picture.height, 63)
    assert_close(faces.quaternion, column("sfn", "quaternion"))
    assert_close(faces.identity, column("sfn", "identity"))
    assert_close(faces.expression, column("sfn", "expression"))
    landmarks = faces.landmarks(models.face_model, picture.width, picture.height)
    np.testing.assert_allclose(landmarks, column("sfn", "landmarks"), rtol=0, atol=0.5)


def crop_of(document: dict[str, Any]) -> Crop:
    return Crop(np.array(document["centre"]), document["side"], document["roll"])
