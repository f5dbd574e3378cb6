"""Mosaics of pictures whose faces are squares of a colour, which tells the face's picture."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.data import windows as windows_module  # noqa: E402
from training.data.augment import sample  # noqa: E402
from training.data.faces import FaceLabels  # noqa: E402
from training.data.mosaics import draw_mosaics, draw_windows  # noqa: E402
from training.data.windows import Batch, PictureSet  # noqa: E402

PICTURES, SIDE = 18, 120
COLOURS = np.linspace(60, 250, PICTURES).round().astype(np.uint8)


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> PictureSet:
    """Black pictures, each with a square of 40 pixels of its own red; neither turned, hidden nor recoloured."""
    for name in ("LYING_SHARE", "TILT", "BACKGROUND_SHARE", "BLANK_SHARE"):
        monkeypatch.setattr(windows_module, name, 0.0)
    monkeypatch.setattr(windows_module, "recolour", lambda images, _generator: images)
    monkeypatch.setattr(windows_module, "occlude", lambda images, _share, _generator: images)
    monkeypatch.setattr(windows_module, "sample", lambda images, transform, size: sample(images, transform, size, 0.0))
    images = np.zeros((PICTURES, SIDE, SIDE, 3), np.uint8)
    corner = np.random.default_rng(0).integers(10, 70, (PICTURES, 2))
    for image, (x, y), red in zip(images, corner, COLOURS, strict=True):
        image[y : y + 40, x : x + 40, 0] = red
    box = np.concatenate([corner, corner + 40], 1).astype(np.float32)
    faces = FaceLabels.of_boxes(np.arange(PICTURES), box, np.zeros(PICTURES))
    faces.points = faces.origin[:, None].expand(-1, 68, 2).clone()
    first = torch.arange(PICTURES + 1)
    sizes = torch.full((PICTURES, 2), float(SIDE))
    return PictureSet(torch.from_numpy(images), sizes, faces, first, torch.zeros(PICTURES))


def drawn(source: PictureSet, parts: int, size: int) -> Batch:
    chosen = torch.arange(2 * parts**2)
    return draw_mosaics(source, chosen, parts, size, torch.arange(46), torch.Generator().manual_seed(3))


@pytest.mark.parametrize(("parts", "size"), [(2, 288), (3, 288), (3, 416), (2, 96)])
def test_a_mosaics_faces_lie_where_their_part_is_and_boxes_match_pixels(
    parts: int, size: int, painted: PictureSet
) -> None:
    batch = drawn(painted, parts, size)
    assert batch.images.shape == (2, 3, size, size)
    side = -(-size // parts)
    seen = 0
    for face in range(len(batch.faces)):
        row, picture = int(batch.row[face]), int(batch.faces.picture[face])
        cell = picture - row * parts**2  # pictures were chosen in order
        assert 0 <= cell < parts**2
        corner = np.array([cell % parts, cell // parts]) * side
        red = batch.images[row, 0].numpy()
        part = np.zeros_like(red, bool)
        part[corner[1] : corner[1] + side, corner[0] : corner[0] + side] = True
        x0, y0, x1, y1 = batch.faces.box[face].numpy()
        # the pixels of the square, and no others of its part, are those inside its box
        y, x = np.nonzero((red > 0.5 * COLOURS[picture]) & part)
        if batch.faces.ignored[face] > 0 or not len(x):
            continue
        low, high = corner, np.minimum(corner + side, size)
        assert (x.min(), x.max() + 1) == pytest.approx(np.clip([x0, x1], low[0], high[0]), abs=1.5)
        assert (y.min(), y.max() + 1) == pytest.approx(np.clip([y0, y1], low[1], high[1]), abs=1.5)
        middle = red[int(np.clip((y0 + y1) / 2, low[1], high[1] - 1)), int(np.clip((x0 + x1) / 2, low[0], high[0] - 1))]
        assert middle == pytest.approx(COLOURS[picture], abs=2)
        torch.testing.assert_close(batch.faces.points[face, 0], batch.faces.origin[face])
        torch.testing.assert_close(
            batch.faces.origin[face], (batch.faces.box[face, :2] + batch.faces.box[face, 2:]) / 2
        )
        seen += 1
    assert seen >= parts**2  # half of all


def test_faces_of_a_mosaic_are_smaller_by_its_parts(painted: PictureSet) -> None:
    def median(parts: int) -> float:
        box = drawn(painted, parts, 288).faces.box
        return float((box[:, 2] - box[:, 0]).median())

    whole = 40 / SIDE * 288
    assert median(2) < 0.8 * whole
    assert median(3) < 0.5 * whole


@pytest.mark.parametrize(("share", "expected"), [(0.0, [16]), (0.5, [8, 6, 2]), (1.0, [12, 4])])
def test_a_share_of_the_windows_are_mosaics(share: float, expected: list[int], painted: PictureSet) -> None:
    frequency = torch.ones(PICTURES)
    batches = draw_windows(painted, frequency, 16, share, 96, torch.arange(46), torch.Generator().manual_seed(0))
    assert [len(batch.images) for batch in batches] == expected
    joined = Batch.joined(batches)
    assert joined.images.shape == (16, 3, 96, 96)
    assert len(joined.faces) == len(joined.row)
    last = joined.row >= 16 - expected[-1]
    torch.testing.assert_close(joined.row[last] - (16 - expected[-1]), batches[-1].row)


def test_sets_with_several_faces_a_picture_are_crowded(painted: PictureSet) -> None:
    assert not painted.crowded
    twice = torch.arange(2 * PICTURES) // 2
    several = PictureSet(painted.images, painted.sizes, painted.faces[twice], 2 * painted.first, painted.lean)
    assert several.crowded
    several.faces.ignored[::2] = 1.0  # only one of each two is to be found
    assert not several.crowded
