"""The rendered pictures that other tests read: sizes, labels and pixels agree with the published face model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.vision.face_model import FaceModel, project
from service.vision.rotation import quaternion_to_euler

ROOT = Path(__file__).parents[3]
PICTURES = sorted(p for p in (ROOT / "tests" / "pictures").iterdir() if p.suffix in (".jpg", ".png", ".webp"))
FACES = {"one_face": 1, "five_faces": 5, "no_face": 0}


@pytest.fixture(scope="module")
def face_model() -> FaceModel:
    return FaceModel.load(ROOT / "models" / "face_model.npz")


def labels_of(picture: Path) -> dict[str, Any]:
    labels: dict[str, Any] = json.loads(picture.with_suffix(".json").read_text())
    return labels


def test_the_pictures_are_there_and_small() -> None:
    assert {p.stem for p in PICTURES} == set(FACES)
    assert sum(p.stat().st_size for p in PICTURES) < 500_000


@pytest.mark.parametrize("picture", PICTURES, ids=lambda p: p.stem)
def test_landmarks_follow_from_the_coefficients(picture: Path, face_model: FaceModel) -> None:
    labels = labels_of(picture)
    with Image.open(picture) as image:
        assert image.size == (labels["width"], labels["height"])
    assert len(labels["faces"]) == FACES[picture.stem]
    for face in labels["faces"]:
        assert tuple(face["expression"]) == face_model.expression_names
        shape = face_model.landmarks.shape(np.array(face["identity"]), np.array(list(face["expression"].values())))
        seen = project(
            shape,
            np.array(face["quaternion"]),
            np.array(face["translation"]),
            np.array(face["scale"]),
            labels["width"],
            labels["height"],
        )
        np.testing.assert_allclose(seen, face["landmarks"], atol=0.05)
        low, high = np.array(face["box"][:2]), np.array(face["box"][2:])
        assert ((seen > low) & (seen < high)).all(1).mean() > 0.9


def test_one_face_turns_to_the_images_right_with_its_nose() -> None:
    (face,) = labels_of(ROOT / "tests" / "pictures" / "one_face.jpg")["faces"]
    yaw, _, _ = quaternion_to_euler(np.array(face["quaternion"]))
    points = np.array(face["landmarks"])
    assert yaw > 10
    assert points[30, 0] > (points[2, 0] + points[14, 0]) / 2


def test_the_wink_is_on_the_subjects_left() -> None:
    """The left eye, on the image's right, shows no white of the eye; the right one does."""
    picture = ROOT / "tests" / "pictures" / "five_faces.webp"
    wink = next(
        f for f in labels_of(picture)["faces"] if f["expression"]["eyeBlink_L"] == 1 != f["expression"]["eyeBlink_R"]
    )
    grey = np.asarray(Image.open(picture).convert("L"), float)
    spread = []
    for eye in (slice(36, 42), slice(42, 48)):
        low, high = np.array(wink["landmarks"])[eye].min(0), np.array(wink["landmarks"])[eye].max(0)
        spread.append(grey[int(low[1]) - 2 : int(high[1]) + 3, int(low[0]) : int(high[0])].std())
    assert spread[0] > 1.5 * spread[1]
