import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
from skimage.data import astronaut

from service.cli.draw import (
    AXIS_COLOURS,
    COLOURS,
    MIN_LONGER_SIDE,
    MIN_WEIGHT,
    Panel,
    Surface,
    draw_axes,
    draw_faces,
    draw_landmarks,
    draw_mesh,
    draw_panel,
    enlargement,
    panel_of,
    place_panels,
)
from service.inference.models import Models
from service.vision.face_model import FaceModel
from service.vision.faces import Faces
from service.vision.gaze import no_gaze
from service.vision.rotation import euler_to_quaternion

FITTED = Path(__file__).with_name("astronaut_face.json")  # the astronaut's landmarks set by hand, coefficients fitted
FONT = ImageFont.load_default(20)
JAW, MOUTH_CORNERS = list(range(17)), [48, 54]


@pytest.fixture(scope="module")
def face_model(models: Models) -> FaceModel:
    return models.face_model


@pytest.fixture(scope="module")
def astronaut_faces() -> Faces:
    fitted = json.loads(FITTED.read_text())
    return Faces(**{name: np.array([value], np.float32) for name, value in fitted.items()}, gaze=no_gaze(1))


def neutral(width: int, height: int, scale: float, yaw: float = 0) -> Faces:
    """One face without any expression, the head frame's origin in the middle of the picture."""
    return Faces(
        score=np.array([0.9], np.float32),
        box=np.array([[1, 1, width - 1, height - 1]], np.float32),
        quaternion=euler_to_quaternion([yaw], 0, 0).astype(np.float32),
        translation=np.zeros((1, 3), np.float32),
        scale=np.array([scale], np.float32),
        identity=np.zeros((1, 50), np.float32),
        expression=np.zeros((1, 46), np.float32),
        gaze=no_gaze(1),
    )


def blank(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    layer = Image.new("RGBA", (width, height))
    return layer, ImageDraw.Draw(layer)


def test_pictures_are_enlarged_only_when_small() -> None:
    assert enlargement(4000, 3000) == 1
    assert enlargement(MIN_LONGER_SIDE, 10) == 1
    assert enlargement(200, 100) == MIN_LONGER_SIDE / 200


@pytest.mark.parametrize("size", [(200, 150), (1, 1), (640, 480), (2400, 300), (3000, 2000)])
def test_without_faces_the_picture_is_left_as_it_is(size: tuple[int, int], face_model: FaceModel) -> None:
    picture = Image.new("RGB", size, (10, 200, 90))
    drawn = draw_faces(picture, Faces.none(), face_model)
    assert max(drawn.size) == max(MIN_LONGER_SIDE, *size)
    assert drawn.getcolors() == [(drawn.width * drawn.height, (10, 200, 90))]


@pytest.mark.parametrize(("width", "height"), [(300, 400), (1500, 1300)])
def test_landmarks_are_drawn_where_equation_2_puts_them(width: int, height: int, face_model: FaceModel) -> None:
    scale = height / 40
    picture = Image.new("RGB", (width, height), (90, 90, 90))
    drawn = np.asarray(draw_faces(picture, neutral(width, height, scale), face_model, "landmarks"))
    grown = drawn.shape[0] / height
    for x, y, _ in face_model.landmarks.mean[[*JAW, *MOUTH_CORNERS]]:
        u, v = width / 2 + scale * x, height / 2 - scale * y
        assert drawn[round(float(v * grown)), round(float(u * grown))].min() > 200, (u, v)  # a white dot


def test_contours_join_the_landmarks_of_one_feature_only() -> None:
    points = np.array([(10 * i, 200 + 100 * (i % 2)) for i in range(68)], float)
    layer, pen = blank(700, 400)
    draw_landmarks(pen, points, COLOURS[0])
    alpha = np.asarray(layer)[..., 3]

    def middle(i: int, j: int) -> int:
        return int(alpha[int(points[[i, j], 1].mean()), int(points[[i, j], 0].mean())])

    assert middle(0, 1)  # along the jaw
    assert not middle(16, 17)  # jaw to brow
    assert not middle(35, 36)  # nose to eye
    assert middle(40, 41)


def test_mesh_covers_the_skin_but_neither_eyes_nor_surroundings(face_model: FaceModel) -> None:
    width, height, scale = 400, 400, 12.0
    layer, pen = blank(width, height)
    draw_mesh(pen, neutral(width, height, scale)[0], face_model, (width, height), 1, COLOURS[0])
    alpha = np.asarray(layer)[..., 3]

    def at(point: np.ndarray) -> int:
        return int(alpha[round(float(height / 2 - scale * point[1])), round(float(width / 2 + scale * point[0]))])

    landmarks = face_model.landmarks.mean
    assert at(landmarks[36:42].mean(0)) == 0
    assert at(landmarks[42:48].mean(0)) == 0
    assert at(landmarks[[30, 48]].mean(0)) > 0  # a cheek
    across = np.flatnonzero(alpha.any(0))
    mesh = face_model.mesh.mean[:, 0]
    assert across[0] == pytest.approx(width / 2 + scale * mesh.min(), abs=2)
    assert across[-1] == pytest.approx(width / 2 + scale * mesh.max(), abs=2)


def test_of_a_head_turned_away_little_of_the_mesh_is_seen(face_model: FaceModel) -> None:
    covered = []
    for yaw in (0, 180):
        layer, pen = blank(400, 400)
        draw_mesh(pen, neutral(400, 400, 12, yaw)[0], face_model, (400, 400), 1, COLOURS[0])
        covered.append(np.count_nonzero(np.asarray(layer)[..., 3]))
    assert covered[1] < covered[0] / 10


def test_axes_are_red_right_green_up_and_blue_toward_the_viewer() -> None:
    layer, pen = blank(200, 200)
    slightly_down = np.array([[60, 0, 0], [0, 60, -30], [0, 0, 50]], float)  # columns: x, y, z in the camera frame
    draw_axes(pen, np.array([100.0, 100.0]), slightly_down)
    pixels = np.asarray(layer)[..., :3]
    assert tuple(pixels[100, 140]) == AXIS_COLOURS[0]
    assert tuple(pixels[60, 100]) == AXIS_COLOURS[1]
    assert tuple(pixels[120, 100]) == AXIS_COLOURS[2]


def test_the_axis_that_points_at_the_viewer_covers_the_one_that_points_away() -> None:
    for sign, colour in ((1, AXIS_COLOURS[2]), (-1, AXIS_COLOURS[0])):
        layer, pen = blank(200, 200)
        both_right = np.array([[60, 0, 60], [0, 60, 0], [0, 0, sign * 10]], float)
        draw_axes(pen, np.array([100.0, 100.0]), both_right)
        assert tuple(np.asarray(layer)[100, 140, :3]) == colour


def test_panel_names_the_strongest_coefficients_first(face_model: FaceModel) -> None:
    expression = np.zeros((1, 46), np.float32)
    expression[0, [3, 20, 7, 9]] = 0.3, 0.9, MIN_WEIGHT / 2, 0.5
    faces = replace(neutral(1000, 1000, 20, yaw=-12), expression=expression)
    panel = panel_of(faces[0], face_model.expression_names, (0, 0, 800, 1000), (1000, 1000))
    assert [name for name, _ in panel.rows] == [face_model.expression_names[i] for i in (20, 9, 3)]
    assert [weight for _, weight in panel.rows] == pytest.approx([0.9, 0.5, 0.3])
    assert panel.title == "0.90   yaw -12  pitch 0  roll 0"


def test_bars_are_as_long_as_their_weights() -> None:
    panel = Panel("title", (("a", 1.0), ("b", 0.5), ("c", 0.0)), FONT)
    layer, pen = blank(600, 300)
    draw_panel(pen, panel, (0, 0), (1, 2, 3))
    rows = [round(panel.em * (1.25 + 1.5 * row)) for row in (1, 2, 3)]
    full, half, none = ((np.asarray(layer)[row, 5:-5, :3] == (1, 2, 3)).all(-1).sum() for row in rows)
    assert half == pytest.approx(full / 2, abs=2)
    assert full > 50
    assert none <= 4  # the panel's own edge


corners = st.tuples(st.floats(-50, 950), st.floats(-50, 950), st.floats(5, 400), st.floats(5, 400))


@given(st.lists(corners, max_size=12))
def test_panels_keep_clear_of_faces_of_each_other_and_of_the_edge(spots: list[tuple[float, ...]]) -> None:
    boxes = [(x, y, x + width, y + height) for x, y, width, height in spots]
    panels = [Panel("0.90  yaw 0", (("jawOpen", 0.5), ("mouthSmile_L", 0.4)), FONT) for _ in boxes]
    taken = list(boxes)
    for panel, corner in place_panels(panels, boxes, (1000, 1000)):
        if corner is None:
            continue
        x1, y1, x2, y2 = *corner, corner[0] + panel.size[0], corner[1] + panel.size[1]
        assert min(x1, y1) >= 0
        assert max(x2, y2) <= 1000
        assert not any(x1 < b[2] and b[0] < x2 and y1 < b[3] and b[1] < y2 for b in taken)
        taken.append((x1, y1, x2, y2))


def test_a_lone_face_gets_its_whole_panel_at_its_right() -> None:
    panel = Panel("0.90", (("jawOpen", 0.5),), FONT)
    [(placed, corner)] = place_panels([panel], [(100, 100, 300, 400)], (1000, 1000))
    assert placed == panel
    assert corner is not None
    assert corner[0] > 300
    assert corner[1] == 100


@pytest.mark.parametrize("surface", ["mesh", "landmarks"])
@pytest.mark.parametrize("side", [200, 512, 3000])
def test_only_the_face_and_its_panel_change(
    side: int, surface: Surface, astronaut_faces: Faces, face_model: FaceModel
) -> None:
    scale = side / 512
    photo = Image.fromarray(astronaut()).resize((side, side))
    faces = replace(astronaut_faces, box=astronaut_faces.box * scale, scale=astronaut_faces.scale * scale)
    drawn = draw_faces(photo, faces, face_model, surface)
    expected = photo.resize(drawn.size, Image.Resampling.LANCZOS)
    rows, columns = np.nonzero((np.asarray(drawn) != np.asarray(expected)).any(-1))
    spot = 512 * np.array([columns.min(), rows.min(), columns.max(), rows.max()]) / drawn.width
    assert spot[:2] == pytest.approx(astronaut_faces.box[0, :2], abs=4)
    assert spot[2] < 512
    assert spot[3] < astronaut_faces.box[0, 3] + 8


def test_any_pose_and_size_can_be_drawn(face_model: FaceModel) -> None:
    rng = np.random.default_rng(0)
    count = 20
    centre, side = rng.uniform(-30, 430, (count, 2)), rng.uniform(0.1, 300, (count, 1))
    faces = Faces(
        score=np.linspace(1, 0.5, count, dtype=np.float32),
        box=np.concatenate([centre - side / 2, centre + side / 2], -1).astype(np.float32),
        quaternion=euler_to_quaternion(*rng.uniform(-180, 180, (3, count))).astype(np.float32),
        translation=rng.normal(0, 5, (count, 3)).astype(np.float32),
        scale=rng.uniform(0.01, 30, count).astype(np.float32),
        identity=rng.normal(0, 1, (count, 50)).astype(np.float32),
        expression=rng.uniform(0, 1, (count, 46)).astype(np.float32),
        gaze=no_gaze(count),
    )
    for surface in ("mesh", "landmarks"):
        drawn = draw_faces(Image.new("RGB", (400, 300)), faces, face_model, surface)
        assert drawn.size == (1200, 900)
