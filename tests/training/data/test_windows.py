"""The windows that the multiple face network is trained on."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from service.vision.rotation import euler_to_quaternion  # noqa: E402
from training.data import windows as windows_module  # noqa: E402
from training.data.faces import FaceLabels  # noqa: E402
from training.data.windows import Batch, PictureSet, draw_batch  # noqa: E402

PICTURES, SIDE = 64, 128


def pictures(lean: float = 0.0) -> PictureSet:
    """One face of 40 pixels in each picture of noise; its points' box has the face's middle, the box leans."""
    rng = np.random.default_rng(0)
    centre = rng.uniform(40, 88, (PICTURES, 2)).astype(np.float32)
    box = np.concatenate([centre - 20, centre + 20], axis=1) + np.array([lean * 40, 0, lean * 40, 0], np.float32)
    faces = FaceLabels.of_boxes(np.arange(PICTURES), box, np.zeros(PICTURES))
    faces.points = torch.from_numpy(centre)[:, None].expand(-1, 68, 2).clone()
    images = torch.from_numpy(rng.integers(0, 256, (PICTURES, SIDE, SIDE, 3), dtype=np.uint8))
    first = torch.arange(PICTURES + 1)
    sizes = torch.full((PICTURES, 2), float(SIDE))
    return PictureSet(images, sizes, faces, first, torch.full((PICTURES,), lean))


def windows(source: PictureSet) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return draw_batch(source, torch.arange(PICTURES), 96, torch.arange(46), generator)


def test_boxes_lean_to_the_same_side_in_mirrored_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_module, "LYING_SHARE", 0.0)
    monkeypatch.setattr(windows_module, "TILT", 0.0)
    faces = windows(pictures(-0.1)).faces
    width = faces.box[:, 2] - faces.box[:, 0]
    lean = ((faces.box[:, 0] + faces.box[:, 2]) / 2 - faces.points[:, 0, 0]) / width
    torch.testing.assert_close(lean, torch.full_like(lean, -0.1), atol=1e-4, rtol=0)


def test_windows_of_one_colour_hold_no_face(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_module, "BLANK_SHARE", 1.0)
    batch = windows(pictures())
    assert len(batch.faces) == 0
    assert len(batch.images) == PICTURES


def test_some_windows_show_background_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_module, "BLANK_SHARE", 0.0)
    monkeypatch.setattr(windows_module, "BACKGROUND_SHARE", 1.0)
    anywhere = windows(pictures())
    monkeypatch.setattr(windows_module, "BACKGROUND_SHARE", 0.0)
    around = windows(pictures())
    whole = [int((batch.faces.ignored == 0).sum()) for batch in (anywhere, around)]
    assert whole[0] < whole[1]


def test_faces_mostly_outside_the_window_are_neither_face_nor_background() -> None:
    batch = windows(pictures())
    low, high = batch.faces.box[:, :2].clamp(0, 96), batch.faces.box[:, 2:].clamp(0, 96)
    visible = (high - low).prod(-1) / (batch.faces.box[:, 2:] - batch.faces.box[:, :2]).prod(-1)
    assert (batch.faces.ignored[visible < 0.4] == 1).all()


def test_pictures_of_rare_expressions_are_drawn_more_often_and_those_without_a_face_never() -> None:
    source = pictures()
    source.faces.fitted[:-1] = 1.0  # the last is a box alone
    source.faces.expression[:, 3] = torch.linspace(0, 0.1, PICTURES)
    source.faces.expression[5, 3] = source.faces.expression[-1, 3] = 1.0
    source.first = torch.cat([source.first, source.first[-1:]])  # one more picture, without a face
    frequency = source.frequency()
    assert frequency[5] == frequency.max() > 1.5
    assert frequency[-1] == 0
    others = torch.cat([frequency[:5], frequency[6:-1]])
    torch.testing.assert_close(others, torch.ones(PICTURES - 1))


def test_pictures_with_a_turned_head_are_drawn_that_much_more_often() -> None:
    source = pictures()
    source.faces.fitted[:] = 1.0
    yaw = torch.zeros(PICTURES)
    yaw[:4] = torch.tensor([39.0, 41, -41, -85])
    roll = torch.linspace(-170, 170, PICTURES)  # which is no turn to a side
    source.faces.quaternion = torch.from_numpy(euler_to_quaternion(yaw, 10, roll).astype(np.float32))
    more = source.frequency(3.0) / source.frequency()
    assert more[:4].tolist() == [1, 3, 3, 3]
    assert (more[4:] == 1).all()
    source.faces.fitted[1] = 0.0  # whose turn is not known
    assert source.frequency(3.0)[1] == source.frequency()[1]


def test_whole_pictures_fill_larger_windows_and_faces_reach_their_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_module, "MOST_ENLARGED", 100.0)
    for size in (96, 288, 576):
        monkeypatch.setattr(windows_module, "WHOLE_SHARE", 1.0)
        source, chosen = pictures(), torch.arange(PICTURES)
        sides = [side_of(draw_batch(source, chosen, size, torch.arange(46), torch.Generator().manual_seed(1)))]
        monkeypatch.setattr(windows_module, "WHOLE_SHARE", 0.0)
        sides.append(side_of(draw_batch(source, chosen, size, torch.arange(46), torch.Generator().manual_seed(1))))
        whole = 40 / SIDE * max(288, size)  # of a face of 40 pixels where the picture fills the input
        assert sides[0].median() == pytest.approx(whole * 1.06, rel=0.15)  # 1.06: the mean of 0.7 to 1.6, by logarithms
        assert 0.8 * size < sides[1].max() < 0.951 * size


def side_of(batch: Batch) -> Tensor:
    return (batch.faces.box[:, 2:] - batch.faces.box[:, :2]).prod(-1).sqrt()
