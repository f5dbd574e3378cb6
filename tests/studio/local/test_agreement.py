"""The local engine, with the published networks in onnxruntime-web, answers what the service answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.server.schema import face_documents
from service.tracking.options import SmoothingOptions, StreamOptions
from service.tracking.session import Session
from service.vision.image import Picture
from service.vision.nms import iou
from tests.studio.local.conftest import ROOT, Ask
from tests.studio.local.faces_json import picture_json

# int8 and float32 are apart by .990 of IoU, 0.66 degrees and 0.0072 of w_exp (MODEL_CARD.md, int8 by family of
# processors). Here both calculate with the same integers, from the same bytes: resampling is Pillow's, to the last bit.
# Only the second look's crop moves by what float32 rounds away.
MIN_IOU, MAX_DEGREES, MAX_EXPRESSION = 0.99, 0.66, 0.0072
MAX_PIXELS = 1.0  # of landmarks, on faces 100 pixels wide and more


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(Models.load(ROOT / "models"))


@pytest.fixture(scope="module")
def heads() -> Image.Image:
    return Image.open(ROOT / "tests/pictures/five_faces.webp").convert("RGB")


def assert_alike(faces: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Faces as the API tells them, in the same order."""
    assert len(faces) == len(expected)
    for face, other in zip(faces, expected, strict=True):
        assert set(face) >= set(other)
        assert iou(corners(face), corners(other))[0, 0] > MIN_IOU
        cosine = abs(np.dot(face["pose"]["quaternion"], other["pose"]["quaternion"]))
        assert np.degrees(2 * np.arccos(min(cosine, 1))) < MAX_DEGREES
        for angle in ("yaw", "pitch", "roll"):
            assert face["pose"][angle] == pytest.approx(other["pose"][angle], abs=2 * MAX_DEGREES)
        assert face["pose"]["scale"] == pytest.approx(other["pose"]["scale"], rel=0.02)
        np.testing.assert_allclose(face["pose"]["translation"], other["pose"]["translation"], atol=1, rtol=0.02)
        assert face["score"] == pytest.approx(other["score"], abs=0.02)
        for name in ("expression", "gaze", "blendshapes"):
            assert list(face[name]) == list(other[name])
            off = np.abs(np.subtract(list(face[name].values()), list(other[name].values())))
            assert off.mean() < MAX_EXPRESSION, name
        assert np.abs(np.subtract(face["identity"], other["identity"])).mean() < 0.05
        assert np.abs(np.subtract(face["landmarks"], other["landmarks"])).mean() < MAX_PIXELS


def corners(face: dict[str, Any]) -> np.ndarray:
    x, y, width, height = (face["box"][name] for name in ("x", "y", "width", "height"))
    return np.array([[x, y, x + width, y + height]])


def test_pictures(local: Ask, pipeline: Pipeline, heads: Image.Image, tmp_path: Path) -> None:
    """Upright, on its side and upside down."""
    pictures, expected = [], []
    for turn in range(3):
        pixels = np.ascontiguousarray(np.rot90(np.asarray(heads), turn))
        picture = Picture(pixels, pixels.shape[1], pixels.shape[0])
        pictures.append(picture_json(picture, tmp_path / str(turn)))
        result = pipeline.retarget_picture(picture, RetargetOptions(refine=True))
        include = ("landmarks", "blendshapes")
        expected.append(face_documents(result.faces, pipeline.models, result.width, result.height, include))
    assert [len(faces) for faces in expected] == [5, 5, 5]
    for faces, others in zip(local("pictures", pictures=pictures), expected, strict=True):
        assert_alike(faces, others)


def test_a_stream(local: Ask, pipeline: Pipeline, heads: Image.Image, tmp_path: Path) -> None:
    """Heads that move, followed from frame to frame; then a pause, after which tracks begin anew."""
    options = StreamOptions(refine=True, follow=True, max_faces=10, smoothing=SmoothingOptions())
    session = Session(pipeline, options)
    frames, expected = [], []
    for i in range(15):
        timestamp = i / 30 + (2 if i >= 13 else 0)
        seen = heads.transform((960, 540), Image.Transform.AFFINE, (1, 0, 8 * i, 0, 1, 4 * i), Image.Resampling.BICUBIC)
        picture = Picture(np.asarray(seen), 960, 540)
        frames.append({"timestamp": timestamp, "picture": picture_json(picture, tmp_path / str(i))})
        result = session.process_picture(picture, timestamp)
        faces = face_documents(
            result.faces, pipeline.models, 960, 540, ("landmarks", "blendshapes"), (), result.uncalibrated
        )
        expected.append((faces, result))
    answers = local("stream", frames=frames, refine=True)
    for answer, (faces, result) in zip(answers, expected, strict=True):
        assert [face["track_id"] for face in answer["faces"]] == result.track_id.tolist()
        assert answer["detected"] == result.detected
        assert answer["restarted"] == result.restarted
        assert_alike(answer["faces"], faces)
    assert {answer["detected"] for answer in answers} == {True, False}
    assert [answer["restarted"] for answer in answers].count(True) == 1
