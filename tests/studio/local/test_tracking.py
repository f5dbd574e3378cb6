"""The local engine's tracking and smoothing, and the page's neutral faces, give what the service's give."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.tracking.assignment import assign
from service.tracking.costs import Costs
from service.tracking.follow import FollowedFaces
from service.tracking.neutral import NeutralCalibration
from service.tracking.options import SmoothingOptions
from service.tracking.scene_change import SceneThumbnail
from service.tracking.smoothing import Smoother
from service.tracking.tracker import Tracker
from service.vision.face_model import FaceModel
from service.vision.faces import Faces, translation
from service.vision.image import Picture
from service.vision.rotation import euler_to_quaternion
from tests.service.tracking.people import Person, film, identity_of
from tests.studio.local.conftest import ROOT, Ask
from tests.studio.local.faces_json import faces_json, picture_json

WIDTH, HEIGHT = 640, 480


@pytest.fixture(scope="module")
def face_model() -> FaceModel:
    return FaceModel.load(ROOT / "models/face_model.npz")


@pytest.fixture(scope="module")
def heads() -> Image.Image:
    return Image.open(ROOT / "tests/pictures/five_faces.webp").convert("RGB")


def random_faces(random: np.random.Generator, count: int, gaze: bool = True) -> Faces:
    """Heads in a picture of WIDTH x HEIGHT pixels that look to all sides."""
    centre = random.uniform([100, 100], [WIDTH - 100, HEIGHT - 100], (count, 2))
    half = random.uniform(20, 90, (count, 1))
    scale = (half[:, 0] / 10).astype(np.float32)
    looks = random.uniform(0, 1, (count, 8))
    return Faces(
        score=random.uniform(0.5, 1, count).astype(np.float32),
        box=np.concatenate([centre - half, centre + half], axis=-1).astype(np.float32),
        quaternion=euler_to_quaternion(*random.uniform(-60, 60, (3, count))).astype(np.float32),
        translation=translation(centre, scale, WIDTH, HEIGHT, 63.0),
        scale=scale,
        identity=random.normal(0, 1, (count, 50)).astype(np.float32),
        expression=random.uniform(0, 1, (count, 46)).astype(np.float32),
        gaze=np.where(gaze, looks, np.nan).astype(np.float32),
    )


def test_assignments(local: Ask) -> None:
    random = np.random.default_rng(0)
    cases = []
    for _ in range(200):
        cost = random.uniform(0, 3, random.integers(0, 7, 2))
        cost[random.uniform(size=cost.shape) < 0.3] = np.inf
        cases.append(np.round(cost, 1))  # so that some are equal
    asked = [
        {"cost": [[value if np.isfinite(value) else None for value in row] for row in cost], "columns": cost.shape[1]}
        for cost in cases
    ]
    assert local("assignments", cases=asked, limit=2.6) == [assign(cost, 2.6).tolist() for cost in cases]


def people() -> list[Person]:
    """Two who cross, one who comes and goes, one who stays, one who jumps."""
    return [
        Person(identity_of(1), lambda t: (100 + 90 * t, 200), 100, 1),
        Person(identity_of(2), lambda t: (520 - 90 * t, 210), 90, 2),
        Person(identity_of(3), lambda t: (300, 350) if t % 1.5 < 0.9 else None, 80, 3),
        Person(identity_of(4), lambda _: (150, 380), 60, 4),
        Person(identity_of(5), lambda t: (450 if t < 2 else 560, 380), 70, 5),
    ]


@pytest.mark.parametrize("fps", [4, 12, 30])
def test_tracks(local: Ask, fps: int) -> None:
    frames, expected = [], []
    tracker = Tracker()
    for i, (timestamp, faces, _) in enumerate(film(people(), 5, fps)):
        restart = i == 4 * fps
        if restart:
            tracker = tracker.restarted()
        ids = tracker.update(faces, timestamp)
        frames.append({"timestamp": timestamp, "faces": faces_json(faces), "restart": restart})
        expected.append(
            {
                "ids": ids.tolist(),
                "alive": tracker.alive.tolist(),
                "lost": tracker.has_lost_tracks,
                "distances": pytest.approx(tracker.identity_distance(faces.identity, ids).tolist(), rel=1e-4),
            }
        )
    assert local("tracks", frames=frames) == expected
    assert max(max(frame["ids"], default=0) for frame in expected) > 5  # some came back too late


@pytest.mark.parametrize("options", [SmoothingOptions(), SmoothingOptions(0.3, 20, 2)])
def test_smoothing(local: Ask, options: SmoothingOptions) -> None:
    random = np.random.default_rng(1)
    smoother = Smoother(options)
    frames: list[dict[str, Any]] = []
    expected: list[Faces] = []
    timestamp = 0.0
    base = random_faces(random, 3)
    for i in range(40):
        timestamp += random.uniform(0.005, 0.2)
        ids = np.array([1, 2, 3] if i % 13 else [1, 3])  # the second is forgotten now and then
        noisy = random_faces(random, 3, gaze=i % 7 != 0)
        mixed = {
            field.name: 0.9 * getattr(base, field.name) + 0.1 * getattr(noisy, field.name) for field in fields(Faces)
        }
        quaternion = mixed["quaternion"] / np.linalg.norm(mixed["quaternion"], axis=-1, keepdims=True)
        faces = replace(Faces(**mixed), quaternion=quaternion.astype(np.float32)).take(ids - 1)
        frames.append({"timestamp": timestamp, "faces": faces_json(faces), "ids": ids.tolist()})
        smoother.keep(ids)
        expected.append(smoother.smooth(faces, ids, timestamp))
    answers = local("smoothed", options=camel(options), frames=frames)
    for answer, faces in zip(answers, expected, strict=True):
        for face, told in zip(answer, faces_json(faces), strict=True):
            for name, value in told.items():
                if value is None:
                    assert face[name] is None
                else:
                    np.testing.assert_allclose(face[name], value, rtol=2e-5, atol=2e-5, err_msg=name)


def camel(options: SmoothingOptions) -> dict[str, float]:
    return {
        "minCutoff": options.min_cutoff,
        "beta": options.beta,
        "derivativeCutoff": options.derivative_cutoff,
    }


def test_neutral(local: Ask) -> None:
    random = np.random.default_rng(2)
    calibration = NeutralCalibration()
    asked = {3: "calibrate", 30: "calibrate", 33: "calibrate", 55: "reset", 65: "calibrate"}
    frames, expected = [], []
    for i in range(90):
        before = asked.get(i)
        ids = np.array([1, 2] if i % 5 else [2])
        alive = np.array([1, 2, 3] if i < 50 else [2, 3])
        ids = ids[np.isin(ids, alive)]
        expression = random.uniform(0, 1, (len(ids), 46)).astype(np.float32)
        expression[:, 0] = 0.97  # near 1 at rest
        if before is not None:
            getattr(calibration, before)()
        relative = calibration.subtract(expression, ids, alive, 0.07 * i)
        frames.append(
            {
                "timestamp": 0.07 * i,
                "expressions": expression.tolist(),
                "ids": ids.tolist(),
                "alive": alive.tolist(),
                "before": before,
            }
        )
        expected.append((relative, [state.value for state in calibration.states(ids)]))
    answers = local("neutral", frames=frames)
    assert {state for _, states in expected for state in states} == {"off", "collecting", "on"}
    for answer, (relative, states) in zip(answers, expected, strict=True):
        assert answer["states"] == states
        np.testing.assert_allclose(np.array(answer["expressions"]).reshape(relative.shape), relative, atol=2e-6)


def test_costs(local: Ask) -> None:
    random = np.random.default_rng(3)
    costs, steps, expected = Costs(), [], []
    for _ in range(100):
        detection, refinement, faces = random.uniform(20, 80), random.uniform(5, 60), int(random.integers(0, 6))
        costs.add_detection(detection)
        costs.add_refinement(refinement, faces)
        steps.append({"detection": detection, "refinement": refinement, "faces": faces})
        expected.append(costs.following_pays(faces, 10))
    assert local("costs", steps=steps) == expected
    assert len(set(expected)) == 2


def test_following(local: Ask, face_model: FaceModel, heads: Image.Image, tmp_path: Path) -> None:
    """Faces that move by a little, by much, turn and grow, in a picture whose content moves along with some of them."""
    random = np.random.default_rng(4)
    picture = Picture(np.asarray(heads.resize((WIDTH, HEIGHT))), WIDTH, HEIGHT)
    later = Picture(np.roll(picture.pixels, (3, 5), (0, 1)), WIDTH, HEIGHT)
    before = random_faces(random, 40)
    other = random_faces(random, 40)
    share = np.repeat([0.0, 0.02, 0.1, 0.4], 10)[:, None].astype(np.float32)

    def between(name: str) -> np.ndarray:
        first, second = getattr(before, name), getattr(other, name)
        weight = share[:, 0] if first.ndim == 1 else share
        return np.asarray(first * (1 - weight) + second * weight, np.float32)

    after = Faces(**{field.name: between(field.name) for field in fields(Faces)})
    length = np.linalg.norm(after.quaternion, axis=-1, keepdims=True)
    after = replace(after, quaternion=after.quaternion / length)
    start = FollowedFaces.from_detection(before, picture, face_model)
    end = start.updated(after, later, face_model)
    lost = start.lost(end, np.ones(40), 2.0)  # each alone: boxes may overlap here
    answers = local(
        "following",
        picture=picture_json(picture, tmp_path / "before"),
        later=picture_json(later, tmp_path / "later"),
        pairs=list(zip(faces_json(before), faces_json(after), strict=True)),
        distance=1.0,
    )
    np.testing.assert_allclose([answer["box"] for answer in answers], end.faces.box, atol=2e-3)
    patches = np.array([answer["patch"] for answer in answers]).reshape(end.patch.shape)
    assert (np.abs(patches - end.patch) < 1e-3).mean() > 0.99  # a sample at a pixel's edge may be its neighbour
    assert [answer["lost"] for answer in answers] == lost.tolist()
    assert 5 < lost.sum() < 35


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (333, 517), (40, 25)])
def test_thumbnails(local: Ask, heads: Image.Image, tmp_path: Path, width: int, height: int) -> None:
    """The same cells, and the same changes in them: none, of light alone, of a corner, of what a known face covers."""
    first = np.asarray(heads.resize((width, height)))
    brighter = np.clip(first.astype(int) + 12, 0, 255).astype(np.uint8)
    corner, covered = first.copy(), first.copy()
    corner[: height // 5, : width // 5] = 255 - corner[: height // 5, : width // 5]
    box = np.array([[0.5 * width, 0.4 * height, 0.7 * width, 0.8 * height]], np.float32)
    covered[int(0.45 * height) : int(0.75 * height), int(0.55 * width) : int(0.65 * width)] = 0
    pictures = [Picture(pixels, width, height) for pixels in (first, brighter, corner, covered)]
    thumbnails = [SceneThumbnail.of(picture) for picture in pictures]
    answers = local(
        "thumbnails",
        pictures=[picture_json(picture, tmp_path / str(i)) for i, picture in enumerate(pictures)],
        boxes=box.tolist(),
    )
    for answer, thumbnail in zip(answers, thumbnails, strict=True):
        np.testing.assert_allclose(answer["cells"], thumbnail.cells.ravel(), atol=1)
    assert [answer["differs"] for answer in answers] == [one.differs(thumbnails[0], box) for one in thumbnails]
    assert [answer["differs"] for answer in answers][2:] == [True, False]
