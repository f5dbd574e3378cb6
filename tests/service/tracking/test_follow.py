from dataclasses import replace

import numpy as np
import pytest

from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.tracking.follow import FollowedFaces, similarity
from service.vision.image import LazyImage, Picture
from service.vision.rotation import euler_to_quaternion, multiply
from tests.service.tracking.blobs import WIDTH, World, draw


@pytest.fixture(scope="module")
def pipeline(models: Models) -> Pipeline:
    return Pipeline(World.of(models).models)


def found(pipeline: Pipeline, picture: Picture) -> FollowedFaces:
    faces = pipeline.detect(picture, RetargetOptions()).faces
    return FollowedFaces.from_detection(
        pipeline.refine_faces(faces, LazyImage.of(picture))[0], picture, pipeline.models.face_model
    )


def then(pipeline: Pipeline, followed: FollowedFaces, picture: Picture) -> FollowedFaces:
    faces, _ = pipeline.refine_faces(followed.faces, LazyImage.of(picture))
    return followed.updated(faces, picture, pipeline.models.face_model)


def is_lost(before: FollowedFaces, later: FollowedFaces, identity_distance: float = 1.0) -> list[bool]:
    lost: list[bool] = before.lost(later, np.full(len(later.faces), identity_distance), 0.5).tolist()
    return lost


def test_a_face_is_found_where_it_went(pipeline: Pipeline) -> None:
    """With the box that a search would have given it: moved by 12 pixels and grown by a tenth."""
    before = found(pipeline, draw((100, 90, 60, 200)))
    picture = draw((112, 90, 66, 200))
    later = then(pipeline, before, picture)
    np.testing.assert_allclose(later.faces.box, found(pipeline, picture).faces.box, atol=1.5)
    assert later.faces.scale[0] / before.faces.scale[0] == pytest.approx(1.1, rel=0.02)
    assert is_lost(before, later) == [False]
    assert later.faces.box.dtype == np.float32


def test_a_face_stays_where_it_is(pipeline: Pipeline) -> None:
    picture = draw((100, 90, 60, 200), (250, 100, 50, 90))
    first = followed = found(pipeline, picture)
    for _ in range(50):
        followed = then(pipeline, followed, picture)
    np.testing.assert_allclose(followed.faces.box, first.faces.box, atol=0.5)
    assert is_lost(first, followed) == [False, False]


def test_a_long_way_in_small_steps(pipeline: Pipeline) -> None:
    """From one edge to the other, 4 pixels a frame: the box stays at the blob, a tenth larger and a little higher."""
    followed = found(pipeline, draw((40, 90, 60, 200)))
    for x in range(44, WIDTH - 40, 4):
        later = then(pipeline, followed, draw((x, 90, 60, 200)))
        assert is_lost(followed, later) == [False]
        followed = later
        np.testing.assert_allclose(later.faces.box[0], [x - 26.4, 51, x + 26.4, 117], atol=2.5)


def test_a_face_that_is_gone_is_lost(pipeline: Pipeline) -> None:
    before = found(pipeline, draw((100, 90, 60, 200), (250, 100, 50, 90)))
    assert is_lost(before, then(pipeline, before, draw((250, 100, 50, 90)))) == [True, False]
    assert is_lost(before, then(pipeline, before, draw())) == [True, True]
    assert is_lost(before, then(pipeline, before, draw(ground=100))) == [True, True]


def test_a_face_that_goes_too_far_at_once_is_lost(pipeline: Pipeline) -> None:
    before = found(pipeline, draw((100, 90, 60, 200)))
    for x, lost in ((112, False), (120, True), (140, True), (200, True)):
        assert is_lost(before, then(pipeline, before, draw((x, 90, 60, 200)))) == [lost]


def test_each_limit_alone(pipeline: Pipeline) -> None:
    before = found(pipeline, draw((100, 90, 60, 200)))
    faces = before.faces
    turned = multiply(euler_to_quaternion(20, 0, 0)[None].astype(np.float32), faces.quaternion)
    assert is_lost(before, replace(before, faces=replace(faces, quaternion=turned))) == [True]
    assert is_lost(before, replace(before, faces=replace(faces, quaternion=-faces.quaternion))) == [False]
    assert is_lost(before, replace(before, faces=replace(faces, scale=faces.scale * 1.2))) == [True]
    assert is_lost(before, replace(before, landmarks=before.landmarks + 20)) == [True]
    assert is_lost(before, replace(before, patch=255 - before.patch)) == [True]
    assert is_lost(before, before, identity_distance=3.5) == [True]
    assert is_lost(before, before, identity_distance=np.nan) == [True]
    assert is_lost(before, before) == [False]


def test_two_that_follow_one_are_lost(pipeline: Pipeline) -> None:
    before = found(pipeline, draw((100, 90, 60, 200), (200, 90, 60, 200), (300, 90, 60, 90)))
    box = before.faces.box.copy()
    near = np.argsort(box[:, 0])[:2]
    box[near[1]] = box[near[0]] + 3
    lost = np.zeros(3, bool)
    lost[near] = True
    assert is_lost(before, replace(before, faces=replace(before.faces, box=box))) == lost.tolist()


def test_nobody_is_followed(pipeline: Pipeline) -> None:
    before = found(pipeline, draw())
    later = then(pipeline, before, draw((100, 90, 60, 200)))
    assert len(later.faces) == 0
    assert is_lost(before, later) == []


def test_similarity_by_hand() -> None:
    random = np.random.default_rng(0)
    one, other = random.uniform(0, 255, (2, 8, 8))
    flat, faint = np.full((8, 8), 90.0), 100 + 0.01 * one
    patches = np.stack([one, one, one, one, one, flat, faint])
    later = np.stack([one, one + 40, 0.7 * one, other, flat, flat + 60, 100 - 0.01 * one])
    found = similarity(patches, later)
    assert found[:3] == pytest.approx([1, 1, 2 * 0.7 / (1 + 0.7**2)], abs=1e-3)  # light changes little
    assert abs(found[3]) < 0.4
    assert found[4] < 0.02
    assert found[5:] == pytest.approx([1, 1], abs=0.1)  # nothing to see, nothing to lose
