"""The published networks on pictures free of rights: scikit-image's astronaut, measured by eye, and rendered heads,
whose labels are exact. What people notice is tested, in each form that is served; how accurate the networks are,
training/evaluation measures."""

import json
from io import BytesIO
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.settings import PRECISIONS
from service.vision.faces import Face, Faces
from service.vision.image import Picture
from service.vision.nms import iou
from service.vision.rotation import quaternion_to_euler
from tests.service.tiny_models import PUBLISHED, encoded

PICTURES = Path(__file__).resolve().parents[2] / "pictures"
BENCH = Path(__file__).resolve().parents[3] / "bench" / "pictures"
CROWD = BENCH / "twenty_faces.webp"

# Pixels in the photo of 512 x 512; left and right are the subject's.
RIGHT_EYE, LEFT_EYE, NOSE_TIP = (202, 101), (246, 103), (224, 124)
RIGHT_MOUTH, LEFT_MOUTH, CHIN = (205, 140), (244, 141), (225, 179)
SEEN = np.array([RIGHT_EYE, LEFT_EYE, NOSE_TIP, RIGHT_MOUTH, LEFT_MOUTH, CHIN])
FACE_HEIGHT = 100  # pixels, from the brows' top to the chin

# Between the forms: half of what they may be off the labels of rendered heads, and faces about a threshold aside.
LANDMARKS_APART = 0.05  # mean distance over the face's size
DEGREES_APART = 7.5
EXPRESSIONS_APART = 0.06  # mean difference
OVERLAP = 0.8  # of boxes, IoU
SCORES_APART = 0.15


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Pipeline]:
    """By precision."""
    return {precision: Pipeline(Models.load(PUBLISHED, Execution(precision))) for precision in PRECISIONS}


@pytest.fixture(scope="module", params=PRECISIONS)
def pipeline(request: pytest.FixtureRequest, pipelines: dict[str, Pipeline]) -> Pipeline:
    return pipelines[request.param]


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.fromarray(astronaut())


def the_face(pipeline: Pipeline, image: Image.Image, refine: bool = True) -> tuple[Face, np.ndarray]:
    """The only face in a picture and six of its points, in the order of SEEN."""
    result = pipeline.retarget(encoded(image, "JPEG", quality=95), RetargetOptions(refine=refine))
    assert len(result.faces) == 1
    return result.faces[0], points_of(pipeline, result.faces, *image.size)


def points_of(pipeline: Pipeline, faces: Faces, width: int, height: int) -> np.ndarray:
    points = faces.landmarks(pipeline.models.face_model, width, height)[0]
    eyes = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    return np.stack([*eyes, points[30], points[48], points[54], points[8]])


@pytest.mark.parametrize(("refine", "tolerance"), [(False, 0.10), (True, 0.06)])
def test_points_lie_where_they_are_seen(pipeline: Pipeline, photo: Image.Image, refine: bool, tolerance: float) -> None:
    face, points = the_face(pipeline, photo, refine)
    assert np.linalg.norm(points - SEEN, axis=-1).mean() < tolerance * FACE_HEIGHT
    x1, y1, x2, y2 = face.box
    assert (SEEN[:, 0] > x1).all()
    assert (SEEN[:, 0] < x2).all()
    assert (SEEN[:, 1] > y1).all()
    assert (SEEN[:5, 1] < y2).all()


def test_she_smiles_with_open_eyes(pipeline: Pipeline, photo: Image.Image) -> None:
    weights = dict(
        zip(pipeline.models.face_model.expression_names, the_face(pipeline, photo)[0].expression, strict=True)
    )
    assert min(weights["mouthSmile_L"], weights["mouthSmile_R"]) > 0.3
    assert max(weights["eyeBlink_L"], weights["eyeBlink_R"]) < 0.4
    assert max(weights["mouthFrown_L"], weights["mouthFrown_R"], weights["mouthPucker"]) < 0.2


@pytest.mark.parametrize("angle", [-15, 15])
def test_a_turned_photo_gives_the_turned_head(pipeline: Pipeline, photo: Image.Image, angle: int) -> None:
    """Pillow's angle and roll are both counter-clockwise."""
    upright, _ = the_face(pipeline, photo)
    turned, _ = the_face(pipeline, photo.rotate(angle, Image.Resampling.BICUBIC))
    roll = quaternion_to_euler(turned.quaternion)[2] - quaternion_to_euler(upright.quaternion)[2]
    assert abs(roll - angle) < 4
    assert np.abs(turned.expression - upright.expression).mean() < 0.05


@pytest.mark.parametrize("name", ["astronaut", "five_faces"])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_faces_are_found_at_any_turn_of_the_picture(
    pipeline: Pipeline, photo: Image.Image, name: str, quarters: int
) -> None:
    """numpy turns anticlockwise, as roll does; y points down."""
    upright = np.asarray(photo if name == "astronaut" else Image.open(PICTURES / "five_faces.webp").convert("RGB"))
    height, width = upright.shape[:2]
    faces = pipeline.retarget_picture(Picture(upright, width, height), RetargetOptions(refine=True)).faces
    pixels = np.ascontiguousarray(np.rot90(upright, quarters))
    picture = Picture(pixels, pixels.shape[1], pixels.shape[0])
    turned = pipeline.retarget_picture(picture, RetargetOptions(refine=True)).faces
    points = faces.landmarks(pipeline.models.face_model, width, height)
    for _ in range(quarters):
        points = np.stack([points[..., 1], width - points[..., 0]], axis=-1)
        width, height = height, width
    turned_points = turned.landmarks(pipeline.models.face_model, width, height)
    assert len(turned) == len(faces)
    size = np.sqrt(np.prod(np.ptp(points, axis=1), axis=-1))
    apart = np.linalg.norm(points[:, None] - turned_points, axis=-1).mean(axis=-1) / size[:, None]
    assert apart.min(axis=1).max() < 0.05
    assert np.abs(faces.expression - turned.expression[apart.argmin(axis=1)]).mean() < 0.03


@pytest.mark.parametrize("name", ["astronaut", "five_faces", "nine_faces", "twenty_faces"])
def test_upright_faces_need_one_inference_and_those_upside_down_two(
    pipeline: Pipeline, photo: Image.Image, name: str
) -> None:
    pixels = np.asarray(photo if name == "astronaut" else Image.open(BENCH / f"{name}.webp").convert("RGB"))
    height, width = pixels.shape[:2]
    upright = pipeline.detect(Picture(pixels, width, height), RetargetOptions())
    assert (upright.turn, upright.inferences) == (0, 1)
    turned = pipeline.detect(Picture(np.ascontiguousarray(pixels[::-1, ::-1]), width, height), RetargetOptions())
    assert (turned.turn, turned.inferences) == (2, 2)
    assert len(turned.faces) == len(upright.faces)


def test_a_mirrored_photo_exchanges_left_and_right(pipeline: Pipeline, photo: Image.Image) -> None:
    face, points = the_face(pipeline, photo)
    mirrored, mirrored_points = the_face(pipeline, photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    order = [1, 0, 2, 4, 3, 5]
    expected = np.array([512, 0]) + points[order] * [-1, 1]
    assert np.linalg.norm(mirrored_points - expected, axis=-1).mean() < 0.05 * FACE_HEIGHT
    names = pipeline.models.face_model.expression_names
    other = {"_L": "_R", "_R": "_L"}
    swapped = [names.index(name[:-2] + other[name[-2:]]) if name[-2:] in other else i for i, name in enumerate(names)]
    assert np.abs(mirrored.expression[swapped] - face.expression).mean() < 0.06


def test_orientation_and_resolution_change_little(pipeline: Pipeline, photo: Image.Image) -> None:
    _, points = the_face(pipeline, photo)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    lying = BytesIO()
    photo.transpose(Image.Transpose.ROTATE_90).save(lying, "JPEG", quality=95, exif=exif)
    result = pipeline.retarget(lying.getvalue(), RetargetOptions(refine=True))
    assert np.abs(points_of(pipeline, result.faces, 512, 512) - points).max() < 0.03 * FACE_HEIGHT
    _, large = the_face(pipeline, photo.resize((1536, 1536), Image.Resampling.BICUBIC))
    assert np.linalg.norm(large / 3 - points, axis=-1).mean() < 0.03 * FACE_HEIGHT


def rendered(pipeline: Pipeline, name: str, kind: str) -> list[tuple[dict[str, Any], Face, np.ndarray]]:
    """Each rendered head's labels with the face found nearest to it, refined, and that one's landmarks."""
    labels = json.loads((PICTURES / f"{name}.json").read_text(encoding="utf-8"))
    result = pipeline.retarget((PICTURES / f"{name}.{kind}").read_bytes(), RetargetOptions(refine=True))
    points = result.faces.landmarks(pipeline.models.face_model, result.width, result.height)
    assert len(result.faces) == len(labels["faces"])
    expected = np.array([label["landmarks"] for label in labels["faces"]])
    nearest = np.linalg.norm(points - expected[:, None], axis=-1).mean(axis=-1).argmin(axis=1)
    assert len(set(nearest.tolist())) == len(nearest)
    return [(label, result.faces[i], points[i]) for label, i in zip(labels["faces"], nearest, strict=True)]


@pytest.mark.parametrize(("name", "kind"), [("one_face", "jpg"), ("five_faces", "webp")])
def test_rendered_heads_are_found_where_they_look_as_they_look(pipeline: Pipeline, name: str, kind: str) -> None:
    for label, face, points in rendered(pipeline, name, kind):
        expected = np.array(label["landmarks"])
        size = np.sqrt(np.prod(np.ptp(expected, axis=0)))
        assert np.linalg.norm(points - expected, axis=-1).mean() < 0.1 * size
        angles = quaternion_to_euler(face.quaternion), quaternion_to_euler(np.array(label["quaternion"]))
        assert np.abs(np.subtract(*angles)).max() < 15


def test_the_one_open_mouth_is_told(pipeline: Pipeline) -> None:
    jaw = pipeline.models.face_model.expression_names.index("jawOpen")
    pairs = rendered(pipeline, "five_faces", "webp")
    opened = [face.expression[jaw] for label, face, _ in pairs if label["expression"]["jawOpen"] > 0.5]
    others = [face.expression[jaw] for label, face, _ in pairs if label["expression"]["jawOpen"] < 0.1]
    assert len(opened) == 1
    assert opened[0] > max(others) + 0.2


@pytest.mark.parametrize("refine", [False, True])
@pytest.mark.parametrize("name", ["one_face.jpg", "five_faces.webp", "no_face.png", "astronaut"])
def test_the_forms_agree(pipelines: dict[str, Pipeline], photo: Image.Image, name: str, refine: bool) -> None:
    data = encoded(photo, "JPEG", quality=95) if name == "astronaut" else (PICTURES / name).read_bytes()
    options = RetargetOptions(min_score=0.5 - SCORES_APART, refine=refine)
    forms = [pipelines[precision].retarget(data, options) for precision in PRECISIONS]
    face_model = pipelines["int8"].models.face_model
    landmarks = [form.faces.landmarks(face_model, form.width, form.height) for form in forms]
    for (here, points_here), (there, points_there) in permutations(zip(forms, landmarks, strict=True)):
        for face, points in zip(here.faces, points_here, strict=True):
            if face.score < 0.5:
                continue  # the other form may find it too faint to tell
            (overlaps,) = iou(face.box[None], there.faces.box)
            assert overlaps.max(initial=0) > OVERLAP
            other, other_points = there.faces[int(overlaps.argmax())], points_there[int(overlaps.argmax())]
            assert abs(face.score - other.score) < SCORES_APART
            size = np.sqrt(np.prod(np.ptp(points, axis=0)))
            assert np.linalg.norm(points - other_points, axis=-1).mean() < LANDMARKS_APART * size
            angles = quaternion_to_euler(face.quaternion), quaternion_to_euler(other.quaternion)
            assert np.abs(np.subtract(*angles)).max() < DEGREES_APART
            assert np.abs(face.expression - other.expression).mean() < EXPRESSIONS_APART


@pytest.mark.parametrize("colour", [(0, 0, 0), (200, 100, 50), (255, 255, 255)])
def test_one_pixel_is_no_face(pipeline: Pipeline, colour: tuple[int, int, int]) -> None:
    assert (
        len(pipeline.retarget(encoded(Image.new("RGB", (1, 1), colour), "PNG"), RetargetOptions(min_score=0.1)).faces)
        == 0
    )


def test_no_face_is_seen_where_none_is(pipeline: Pipeline) -> None:
    assert len(pipeline.retarget((PICTURES / "no_face.png").read_bytes(), RetargetOptions()).faces) == 0


def test_tiles_find_faces_of_eleven_pixels(pipeline: Pipeline) -> None:
    """Twenty faces, so small that where the longer side has 288 pixels they have 11 on average."""
    crowd = Image.open(CROWD).convert("RGB").resize((444, 250), Image.Resampling.LANCZOS)
    picture = Image.new("RGB", (1280, 720), (114, 114, 114))
    picture.paste(crowd, (100, 60))
    boxes = np.array(json.loads(CROWD.with_name("boxes.json").read_text())[CROWD.name], np.float32)
    boxes = boxes * (444 / 1280) + np.array([100, 60, 100, 60], np.float32)
    whole, tiled = (
        pipeline.retarget_picture(Picture(np.asarray(picture), 1280, 720), RetargetOptions(tiles=tiles)).faces
        for tiles in (1, 2)
    )
    assert (iou(boxes, whole.box) > 0.3).any(axis=1).sum() < 10
    assert (iou(boxes, tiled.box) > 0.3).any(axis=1).sum() > 15
    assert len(tiled) <= len(boxes)


@pytest.mark.parametrize("tiles", [2, 3, 4])
def test_tiles_show_large_faces_once(pipeline: Pipeline, tiles: int) -> None:
    data = (PICTURES / "five_faces.webp").read_bytes()
    whole, tiled = (pipeline.retarget(data, RetargetOptions(tiles=count)).faces for count in (1, tiles))
    assert len(whole) == len(tiled) == 5
    assert sorted(iou(whole.box, tiled.box).argmax(axis=1).tolist()) == [0, 1, 2, 3, 4]
    assert iou(whole.box, tiled.box).max(axis=1).min() > 0.7
