"""The film that is published, read by the networks that are published."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.vision.arkit import ARKIT_NAMES, arkit_matrix
from service.vision.face_model import FaceModel, project
from service.vision.image import Picture
from service.vision.rotation import quaternion_to_euler
from studio.film.acting import Acting
from studio.film.motion import FRAMES, FRAMES_PER_SECOND, times
from training.data.archives import box_of_points

pytest.importorskip("av", reason="films are decoded with PyAV, which the group test brings")
pytest.importorskip("cv2", reason="heads are rendered with OpenCV, which the group test brings")

from studio.film.camera import pictures
from studio.film.people import HEIGHT, PEOPLE, WIDTH
from studio.film.scene import pose_about_neck

ROOT = Path(__file__).resolve().parents[3]
FILM, TRUTH, MODELS = ROOT / "studio/film/faces.webm", ROOT / "studio/film/faces.json", ROOT / "models"
EVERY = 24  # frames that the networks look at


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return dict(json.loads(TRUTH.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def film() -> list[np.ndarray]:
    return list(pictures(FILM))


@pytest.fixture(scope="module")
def face_model() -> FaceModel:
    return FaceModel.load(MODELS / "face_model.npz")


def test_the_film_is_small_and_whole(film: list[np.ndarray], truth: dict[str, Any]) -> None:
    assert FILM.stat().st_size <= 350_000
    assert TRUTH.stat().st_size <= 200_000
    assert len(film) == truth["frames"] == FRAMES
    assert {picture.shape for picture in film} == {(HEIGHT, WIDTH, 3)}
    assert (truth["width"], truth["height"], truth["fps"]) == (WIDTH, HEIGHT, FRAMES_PER_SECOND)


def test_the_films_end_runs_into_its_beginning(film: list[np.ndarray]) -> None:
    within = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(film)]
    assert np.abs(film[-1].astype(int) - film[0]).mean() < 2 * max(within)


def test_the_truth_is_what_is_acted(truth: dict[str, Any], face_model: FaceModel) -> None:
    for person, face in zip(PEOPLE, truth["faces"], strict=True):
        acting = Acting.of(person.performance, face_model.expression_names, times())
        for column, name in enumerate(ARKIT_NAMES):
            told = face["blendshapes"].get(name, np.zeros(FRAMES))
            np.testing.assert_allclose(told, acting.blendshapes[:, column], atol=6e-4, err_msg=name)
        for k, angle in enumerate(("yaw", "pitch", "roll")):
            np.testing.assert_allclose(face[angle], acting.angles[:, k], atol=6e-3)
        np.testing.assert_allclose(quaternion_to_euler(np.array(face["quaternion"]))[0], face["yaw"], atol=0.03)


def test_boxes_are_about_the_landmarks_of_the_services_face_model(truth: dict[str, Any], face_model: FaceModel) -> None:
    for person, face in zip(PEOPLE, truth["faces"], strict=True):
        acting = Acting.of(person.performance, face_model.expression_names, times())
        for frame in range(0, FRAMES, 60):
            pose = pose_about_neck(person, acting.quaternion[frame])
            shape = face_model.landmarks.shape(person.identity, acting.expression[frame])
            points = project(
                shape, pose.quaternion, pose.translation(WIDTH, HEIGHT), np.array(pose.scale), WIDTH, HEIGHT
            )
            x1, y1, x2, y2 = box_of_points(points)
            # The turn of the neck begins below the chin, which it moves by some pixels.
            np.testing.assert_allclose(face["box"][frame], [x1, y1, x2 - x1, y2 - y1], atol=3)


def test_the_networks_find_both_faces_and_read_them(
    film: list[np.ndarray], truth: dict[str, Any], face_model: FaceModel
) -> None:
    pipeline = Pipeline(Models.load(MODELS))
    matrix = arkit_matrix(face_model.expression_names)
    read: list[list[tuple[float, float]]] = [[], []]
    for frame in range(0, FRAMES, EVERY):
        result = pipeline.retarget_picture(Picture(film[frame], WIDTH, HEIGHT), RetargetOptions(refine=True))
        faces = result.faces
        assert len(faces.box) == 2, frame
        for place, i in enumerate(np.argsort(faces.box[:, 0])):
            weights = faces.expression[i] @ matrix
            yaw = float(quaternion_to_euler(faces.quaternion[i])[0])
            read[place].append((yaw, float(weights[ARKIT_NAMES.index("jawOpen")])))
    for face, found in zip(truth["faces"], read, strict=True):
        yaw, jaw = np.array(found).T
        assert np.corrcoef(yaw, face["yaw"][::EVERY])[0, 1] > 0.98
        assert np.corrcoef(jaw, face["blendshapes"]["jawOpen"][::EVERY])[0, 1] > 0.9
