"""Following with the published networks, on heads that move because the camera does."""

import numpy as np
import pytest
from PIL import Image

from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.tracking.options import StreamOptions
from service.tracking.session import Session
from service.vision.image import Picture
from service.vision.nms import iou
from tests.service.inference.test_published_models import PICTURES
from tests.service.tiny_models import PUBLISHED

WIDTH, HEIGHT = 1200, 560
# At a thousand frames a second nothing but a lost face is a reason to search: the last search is too short ago.
STEP = 0.001


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(Models.load(PUBLISHED))


@pytest.fixture(scope="module")
def heads() -> Image.Image:
    return Image.open(PICTURES / "five_faces.webp").convert("RGB")


def view(image: Image.Image, x: float, y: float = 0.0, zoom: float = 1.0) -> Picture:
    """What a camera sees whose top left is at x, y of the image; with the noise of a dim room."""
    seen = image.transform(
        (WIDTH, HEIGHT), Image.Transform.AFFINE, (1 / zoom, 0, x, 0, 1 / zoom, y), Image.Resampling.BICUBIC
    )
    noise = np.random.default_rng(int(1e4 + x)).normal(0, 4, (HEIGHT, WIDTH, 3))
    return Picture(np.clip(np.asarray(seen) + noise, 0, 255).astype(np.uint8), WIDTH, HEIGHT)


def test_followed_heads_are_where_a_search_finds_them(pipeline: Pipeline, heads: Image.Image) -> None:
    """Half a face to the right, growing by 7 %, in steps of a thirtieth of a face."""
    session = Session(pipeline, StreamOptions(follow=True, refine=True, detect_every=300))
    first = session.process_picture(view(heads, -20, 0, 0.85), 0.0)
    views = [view(heads, -20 - 5 * frame, -frame, 0.85 + 0.004 * frame) for frame in range(1, 17)]
    results = [session.process_picture(seen, frame * STEP) for frame, seen in enumerate(views, start=1)]
    assert not any(result.detected for result in results)
    last, result = views[-1], results[-1]
    assert len(result.faces) == 5
    assert result.track_id.tolist() == first.track_id.tolist()
    expected = pipeline.retarget_picture(last, RetargetOptions(refine=True)).faces
    found, searched = (faces.landmarks(pipeline.models.face_model, WIDTH, HEIGHT) for faces in (result.faces, expected))
    for box, points in zip(result.faces.box, found, strict=True):
        (overlap,) = iou(box[None], expected.box)
        other = searched[int(overlap.argmax())]
        size = np.sqrt(np.prod(np.ptp(other, axis=0)))
        assert overlap.max() > 0.6
        assert np.linalg.norm(points - other, axis=-1).mean() < 0.06 * size


def test_heads_that_stand_still_are_not_drifted_off(pipeline: Pipeline, heads: Image.Image) -> None:
    session = Session(pipeline, StreamOptions(follow=True, refine=True, detect_every=300))
    picture = view(heads, 50)
    first = session.process_picture(picture, 0.0)
    later = [session.process_picture(picture, frame * STEP) for frame in range(1, 21)]
    assert not any(result.detected for result in later)
    assert iou(first.faces.box, later[-1].faces.box).diagonal().min() > 0.93


def test_a_head_that_is_covered_is_missed(pipeline: Pipeline, heads: Image.Image) -> None:
    session = Session(pipeline, StreamOptions(follow=True, refine=True, detect_every=300))
    first = session.process_picture(view(heads, 50), 0.0)
    x1, y1, x2, y2 = first.faces.box[2]
    middle, half = (50 + (x1 + x2) / 2, (y1 + y2) / 2), 0.8 * (y2 - y1)
    curtain = Image.open(PICTURES / "no_face.png").convert("RGB").resize((int(2 * half), int(2 * half)))
    covered = heads.copy()
    covered.paste(curtain, (int(middle[0] - half), int(middle[1] - half)))
    result = session.process_picture(view(covered, 50), STEP)
    assert result.detected
    assert set(result.track_id.tolist()) <= set(first.track_id.tolist()) - {int(first.track_id[2])}
    assert len(result.faces) >= 3
