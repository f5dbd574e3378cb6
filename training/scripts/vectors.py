"""Test vectors for the decoders in models/mobile/: `python -m training.scripts.vectors`. Needs no PyTorch.

Lets the served code (service/) decode made-up raw outputs and writes models/mobile/vectors.txt, which ports into other
languages read to prove that they give the same faces. Also writes models/mobile/landmarks.bin: mean, identity modes and
expressions of the 68 landmarks from models/face_model.npz, little-endian float32 (1 + 50 + 46, 68, 3), cm.

The text is a sequence of sections; # starts a comment that ends with its line, everything else stands between blanks.
Each section is its name, a number of entries and the entries; what an entry holds stands in the comment before it.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from service.inference.manifest import MANIFEST, read_manifest
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.settings import Settings
from service.vision.arkit import ARKIT_NAMES, arkit_matrix, blendshapes
from service.vision.crops import Crop, crops_of
from service.vision.decoding import Level, RawOutputs, build_priors, detect
from service.vision.face_model import FaceModel
from service.vision.faces import Faces
from service.vision.gaze import GAZE_COEFFICIENTS, GAZE_NAMES, no_gaze
from service.vision.image import Picture
from service.vision.letterbox import Letterbox
from service.vision.nms import suppress
from service.vision.refinement import apply_refinement, blend_estimates
from service.vision.resampling import by_pillow
from service.vision.rotation import normalize, quaternion_to_euler, quaternion_to_matrix
from service.vision.voting import VOTE_SCORE_RATIO
from training.scripts.vector_cases import BACKGROUND, COLUMNS, UNIT, Case, Published, cases, random_raw

MODELS: Final = Path("models")
SEED: Final = 12
SQUARE: Final = 24  # pixels: side of the letterboxed pictures
FIRST: Final = 5  # of a crop's 128 rows and columns in the file ...
STEP: Final = 16  # ... and from one to the next
SIZES: Final = ((1280, 720, 288), (720, 1280, 288), (64, 64, 64), (128, 5, 64), (1, 5000, 288), (1001, 667, 64))
FRAMES: Final = ((40, 30, 0), (97, 61, 90), (13, 20, 270), (50, 49, 180))
CROPS: Final = (
    (80, 60, 128, 0),
    (70.5, 50.25, 60, 30),
    (20, 110, 100, -75),
    (90, 60, 400, 10),
    (0, 0, 4, 0),
    (-500, 0, 50, 0),
)

HEAD: Final = f"""\
# Made by `python -m training.scripts.vectors`. Raw outputs are whole multiples of 1/{UNIT}. Tolerances: pixels of
# pictures 2 of 255, angles 0.001 degrees, everything else 1e-5 + 1e-5 of the value.

"""
ROTATIONS: Final = "quaternion as given, unit with w >= 0, matrix by rows, yaw pitch roll"
LETTERBOXES: Final = """\
width height side, content, offset, two points, the points of the picture to the square, of the square to the picture"""
ARKIT: Final = "46 names, 8 names, 52 names, 46 weights, numbers of a gaze: 0 or 8, these, 52 weights"
CASES: Final = f"""\
name side levels, of each level stride anchors, width height of each anchor
width height min_score max_iou max_faces field_of_view
rows, of each row prior columns raw ...: the columns of detection, pose, identity, expression; those after them are 0
candidates, prior of each, group of each or -1: all other priors are 0 but for a raw score of {BACKGROUND}
faces, of each face score box quaternion translation scale identity expression"""
REFINEMENTS: Final = """\
width height field_of_view crop_factor
quaternion translation scale identity expression of a face
68 landmarks
crop's centre side roll
raw pose identity expression gaze
quaternion translation scale identity expression gaze of the second look's face
quaternion translation scale identity expression gaze of both looks' face"""
SQUARES: Final = """\
width height of an RGBA frame of bytes (37 (c + 1) x + 59 y + 11 (x y mod 17)) mod 256, c the channel; degrees
clockwise that turn it upright; side; the letterboxed RGB"""
SAMPLES: Final = f"""\
width height of such a frame, crop's centre side roll, RGB of the crop's rows and columns {FIRST}, {FIRST + STEP} ..."""


def number(value: Any) -> str:
    """Seven digits: float32 has no more."""
    return str(value) if isinstance(value, str | int | np.integer) else f"{float(value):.7g}"


def line(*parts: Any) -> str:
    """Numbers, words and arrays of numbers, with blanks between."""
    return " ".join(number(value) for part in parts for value in np.ravel(part).tolist())


def section(name: str, comment: str, entries: Iterable[str]) -> str:
    """A section of the file: its comment, name, number of entries and entries."""
    texts = list(entries)
    return "\n".join([*(f"# {text}" for text in comment.splitlines()), f"{name} {len(texts)}", *texts, ""])


def rotations(random: np.random.Generator) -> Iterator[str]:
    """Entries of `rotations`: quaternions, the first of them by hand."""
    fixed = [[0, 0, 0, 1], [0, 0, 0, 0], [1e-9, 0, 0, 0], [0, 0, 0, -2], [3, 0, 0, 0], [0.5, -0.5, 0.5, -0.5]]
    for quaternion in np.concatenate([fixed, random.normal(0, 1, (6, 4))]).astype(np.float32):
        unit = normalize(quaternion)
        yield line(quaternion, unit, quaternion_to_matrix(unit), quaternion_to_euler(unit))


def letterboxes() -> Iterator[str]:
    """Entries of `letterboxes`."""
    points = np.array([[0, 0], [100.5, 7.25]], np.float32)
    for width, height, side in SIZES:
        box = Letterbox.fit(width, height, side)
        yield line(width, height, side, box.content, box.offset, points, box.to_square(points), box.to_picture(points))


def expressions(random: np.random.Generator, names: tuple[str, ...]) -> Iterator[str]:
    """Entries of `arkit`: without a gaze and with one."""
    expression = random.uniform(0, 1, len(names)).astype(np.float32)
    seen = random.uniform(0, 1, GAZE_COEFFICIENTS).astype(np.float32)
    for numbers, gaze in (([], no_gaze(1)[0]), (seen, seen)):
        weights = blendshapes(expression, gaze, arkit_matrix(names))
        yield line(names, GAZE_NAMES, ARKIT_NAMES, expression, len(numbers), numbers, weights)


def raw_of(case: Case, priors: int) -> RawOutputs:
    """The network's raw outputs: rows of the case, and background where it has none."""
    table = np.zeros((priors, COLUMNS), np.float32)
    table[:, 4] = BACKGROUND / UNIT
    for index, values in case.rows.items():
        table[index, : len(values)] = np.asarray(values) / UNIT
    detection, pose, identity, expression = np.split(table[None], [5, 12, 62], axis=-1)
    return {"detection": detection, "pose": pose, "identity": identity, "expression": expression}


def decoded(case: Case) -> tuple[NDArray[np.intp], NDArray[np.intp], Faces]:
    """What a case is decoded to: the priors of its candidates, each candidate's group or -1, and its faces, as the
    server answers."""
    priors = build_priors(case.levels, case.side)
    raw = raw_of(case, len(priors.centre))
    mfn = SimpleNamespace(run=lambda _images: raw)
    described = SimpleNamespace(
        input_size=lambda _: case.side, side=case.side, priors={case.side: priors}, mfn=mfn, upside_down=None
    )
    models = cast(Models, described)
    pipeline = Pipeline(models, Settings(nms_iou=case.max_iou, field_of_view=case.field_of_view))
    picture = Picture(np.zeros((case.side, case.side, 3), np.uint8), case.width, case.height)
    faces = pipeline.detect(picture, RetargetOptions(case.min_score, case.max_faces)).faces
    found = detect(raw["detection"], priors, VOTE_SCORE_RATIO * case.min_score)
    eligible = int((found.score >= case.min_score).sum())
    return found.index, suppress(found.box, case.max_iou, case.max_faces, eligible).member, faces


def case_lines(case: Case) -> str:
    """A case as an entry of `cases`."""
    candidates, member, faces = decoded(case)
    levels = [line(level.stride, len(level.anchors), level.anchors) for level in case.levels]
    return "\n".join(
        [
            line(case.name, case.side, len(levels)),
            *levels,
            line(case.width, case.height, case.min_score, case.max_iou, case.max_faces, case.field_of_view),
            line(len(case.rows)),
            *(line(index, len(values), values) for index, values in case.rows.items()),
            line(len(candidates), candidates, member),
            line(len(faces)),
            *(line(face.score, face.box, *pose_of(face), face.identity, face.expression) for face in faces),
        ]
    )


def pose_of(face: Any) -> tuple[Any, Any, Any]:
    """What the file says of a face's pose."""
    return face.quaternion, face.translation, face.scale


def refinements(random: np.random.Generator, published: Published, face_model: FaceModel, case: Case) -> Iterator[str]:
    """A second look at each face of a case."""
    _, _, faces = decoded(case)
    crops = crops_of(faces, face_model, case.width, case.height, published.crop_factor)
    landmarks = faces.landmarks(face_model, case.width, case.height)
    table = random_raw(random, len(faces))[:, 5:]
    pose, identity, expression = np.split(table.astype(np.float32) / UNIT, [7, 57], axis=-1)
    looks = np.rint(random.normal(0, 2, (len(faces), GAZE_COEFFICIENTS)) * UNIT).astype(np.int64)
    raw = {"pose": pose, "identity": identity, "expression": expression, "gaze": looks.astype(np.float32) / UNIT}
    second = apply_refinement(faces, crops, raw, case.width, case.height, case.field_of_view)
    together = blend_estimates(faces, second)
    for i, crop in enumerate(crops):
        yield "\n".join(
            [
                line(case.width, case.height, case.field_of_view, published.crop_factor),
                line(*pose_of(faces[i]), faces[i].identity, faces[i].expression),
                line(landmarks[i]),
                line(crop.centre, crop.side, crop.roll),
                line(table[i], looks[i]),
                line(*pose_of(second[i]), second[i].identity, second[i].expression, second[i].gaze),
                line(*pose_of(together[i]), together[i].identity, together[i].expression, together[i].gaze),
            ]
        )


def frame(width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 4) RGBA: byte (37 (c + 1) x + 59 y + 11 (x y mod 17)) mod 256 of channel c; alpha is one, too."""
    y, x, c = np.ogrid[:height, :width, :4]
    table: NDArray[np.uint8] = ((37 * (c + 1) * x + 59 * y + 11 * (x * y % 17)) % 256).astype(np.uint8)
    return table


def squares() -> Iterator[str]:
    """Entries of `squares`."""
    for width, height, turn in FRAMES:
        upright = np.ascontiguousarray(np.rot90(frame(width, height)[..., :3], -turn // 90))
        square = Letterbox.fit(upright.shape[1], upright.shape[0], SQUARE).apply(upright)
        yield line(width, height, turn, SQUARE, square)


def samples() -> Iterator[str]:
    """Entries of `samples`."""
    width, height = 160, 120
    picture = Picture(frame(width, height)[..., :3], width, height)
    for x, y, side, roll in CROPS:
        crop = Crop(np.array([x, y], float), float(side), float(roll))
        yield line(width, height, crop.centre, crop.side, crop.roll, crop.sample(picture)[FIRST::STEP, FIRST::STEP])


def read_published(models: Path) -> Published:
    """What the vectors need of models/manifest.json."""
    networks = read_manifest(models / MANIFEST).networks
    levels = tuple(Level(level.stride, tuple(level.anchors)) for level in networks.mfn.levels)
    side = networks.mfn.input_sizes[0] if networks.mfn.input_sizes else cast(int, networks.mfn.input.shape[1])
    return Published(side, levels, networks.sfn.crop_factor)


@by_pillow()
def vectors(models: Path = MODELS) -> str:
    """The text of vectors.txt."""
    published, face_model = read_published(models), FaceModel.load(models / "face_model.npz")
    random = np.random.default_rng(SEED)
    table = cases(random, published)
    sections = [
        section("rotations", ROTATIONS, rotations(random)),
        section("letterboxes", LETTERBOXES, letterboxes()),
        section("arkit", ARKIT, expressions(random, face_model.expression_names)),
        section("cases", CASES, map(case_lines, table)),
        section("refinements", REFINEMENTS, refinements(random, published, face_model, table[-1])),
        section("squares", SQUARES, squares()),
        section("samples", SAMPLES, samples()),
    ]
    return HEAD + "\n".join(sections)


def landmarks_bytes(models: Path = MODELS) -> bytes:
    """The bytes of landmarks.bin."""
    shape = FaceModel.load(models / "face_model.npz").landmarks
    return np.concatenate([shape.mean[None], shape.identity, shape.expression]).astype("<f4").tobytes()


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODELS)
    args = parser.parse_args()
    folder = args.models / "mobile"
    folder.mkdir(exist_ok=True)
    text, landmarks = vectors(args.models), landmarks_bytes(args.models)
    (folder / "vectors.txt").write_text(text, encoding="ascii")
    (folder / "landmarks.bin").write_bytes(landmarks)
    print(f"{folder / 'vectors.txt'}: {len(text)} bytes; {folder / 'landmarks.bin'}: {len(landmarks)} bytes")


if __name__ == "__main__":
    main()
