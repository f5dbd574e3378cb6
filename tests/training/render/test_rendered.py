"""The command that renders faces: labels equal what is rendered, and nothing is overwritten in vain."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="rendering crops needs OpenCV, which the training extra brings")

from service.vision.face_model import FaceModel
from service.vision.gaze import GAZE_NAMES
from service.vision.rotation import euler_to_quaternion
from training.render import rendered
from training.render.appearance import Appearance
from training.render.crops import CROP, CropSet
from training.render.expressions import Expression
from training.render.head import Pose
from training.render.render import HeadRenderer
from training.render.rendered import expressions_of, render_crop

NAMES = FaceModel.load(Path(__file__).parents[3] / "models" / "face_model.npz").expression_names
SIDE = CROP


class Surface:
    def shape(self, _: np.ndarray, w_exp: np.ndarray) -> np.ndarray:
        points = np.random.default_rng(0).uniform(-5, 5, (68, 3)).astype(np.float32)
        points[:, 1] += w_exp.sum()
        return points


class Head:
    surface, landmarks, expression_names = Surface(), np.arange(68), tuple(f"e{i}" for i in range(46))

    def lids_of(self, gaze: np.ndarray) -> np.ndarray:
        return np.full((68, 3), gaze.sum(), np.float32) * np.array([0, 0.1, 0], np.float32)


class Renderer:
    """Keeps what it is to render."""

    head = Head()

    def __init__(self) -> None:
        self.seen: list[tuple[np.ndarray, np.ndarray, np.ndarray, float]] = []

    def gaze_of(self, look: Appearance, w_exp: np.ndarray) -> np.ndarray:
        assert look.gaze.shape == (2,)
        return np.full(8, w_exp.mean(), np.float32)

    def render(
        self, shape: np.ndarray, w_exp: np.ndarray, pose: Pose, _: Appearance, canvas: np.ndarray, *rest: object
    ) -> None:
        *_unused, gaze, tongue = rest
        assert isinstance(gaze, np.ndarray)
        assert isinstance(tongue, float)
        canvas[:] = 0.5
        self.seen.append((pose.pixels(pose.turn(shape))[:, :2], w_exp, gaze, tongue))


def drawn(gaze: np.ndarray | None) -> tuple[dict[str, np.ndarray], Renderer]:
    renderer, crops, w_exp = Renderer(), CropSet(), np.linspace(0, 0.1, 46, dtype=np.float32)
    backdrop = np.zeros((2 * SIDE, 2 * SIDE, 3), np.uint8)
    render_crop(renderer, backdrop, lambda _: Expression(w_exp, gaze, 0.4), np.random.default_rng(1), crops)  # type: ignore[arg-type]
    return crops.faces[0], renderer


def test_labels_equal_what_was_rendered() -> None:
    gaze = np.linspace(0, 0.7, 8, dtype=np.float32)
    labels, renderer = drawn(gaze)
    ((points, w_exp, rendered_gaze, tongue),) = renderer.seen
    np.testing.assert_allclose(labels["points"], points / 2, atol=1e-3)  # of a picture twice as fine
    np.testing.assert_array_equal(labels["expression"], w_exp)
    np.testing.assert_array_equal(labels["gaze"], gaze)
    np.testing.assert_array_equal(rendered_gaze, gaze)
    assert tongue == 0.4


def test_without_a_drawn_gaze_that_of_the_look_is_the_label() -> None:
    labels, renderer = drawn(None)
    np.testing.assert_array_equal(labels["gaze"], renderer.seen[0][2])
    assert np.isfinite(labels["gaze"]).all()


def test_a_set_keeps_the_gaze_and_tells_where_it_is_unknown(tmp_path: Path) -> None:
    crops, picture = CropSet(), np.zeros((SIDE, SIDE, 3), np.uint8)
    pose, points = Pose(euler_to_quaternion(0, 0, 0), np.zeros(2), 1.0), np.zeros((68, 2))
    for gaze in (None, np.full(8, 0.25)):
        crops.add(picture, pose, np.zeros(50), np.zeros(46), points, 1.0, gaze)
    crops.save(tmp_path / "set")
    with np.load(tmp_path / "set.npz") as labels:
        assert labels["gaze"].dtype == np.float32
        assert labels["gaze"].shape == (2, len(GAZE_NAMES))
        assert np.isnan(labels["gaze"][0]).all()
        np.testing.assert_array_equal(labels["gaze"][1], 0.25)


def test_single_coefficients_are_drawn_without_a_motion_file() -> None:
    expression = expressions_of(Path("none"), NAMES)(np.random.default_rng(0))
    assert expression.w_exp.shape == (46,)
    assert expression.gaze is None
    assert expression.tongue == 0


def test_a_missing_motion_file_stops_the_command_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "set"
    out.with_suffix(".npz").write_text("kept")
    monkeypatch.setattr(HeadRenderer, "load", lambda _: Renderer())
    monkeypatch.setattr(sys, "argv", ["rendered", "--motion", str(tmp_path / "none.npz"), "--out", str(out)])
    with pytest.raises(SystemExit, match=r"none\.npz is not there"):
        rendered.main()
    assert out.with_suffix(".npz").read_text() == "kept"
    assert not out.with_suffix(".npy").exists()
