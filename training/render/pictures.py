"""Makes the small pictures that the tests read, with their exact labels: `python -m training.render.pictures`.

Everything on them is drawn from the face model and random numbers; no photo is behind any of them. Beside each picture
lies NAME.json: width, height and faces, each with box (x1, y1, x2, y2 pixels), quaternion, translation, scale,
identity, expression by name and the 68 landmarks.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from service.vision.rotation import euler_to_quaternion
from training.data.archives import box_of_points
from training.render.appearance import Appearance, draw_appearance
from training.render.backgrounds import drawn_background, to_linear
from training.render.head import Head, Pose
from training.render.render import HeadRenderer, to_bytes

FIELD_OF_VIEW = 63.0  # degrees, vertical; service default, fixes the translation's z
SUPERSAMPLING = 3


@dataclass(frozen=True)
class Person:
    """Describes a person on a picture. seed: of identity and looks. angles: yaw, pitch, roll in degrees. origin: pixel
    of the head's origin. scale: pixels a cm. expression: weights by name, those of a pair (`_L`, `_R`) together where
    the name has no side."""

    seed: int
    angles: tuple[float, float, float]
    origin: tuple[float, float]
    scale: float
    expression: dict[str, float]
    hair_length: float | None = None
    glasses: float = 0.0


ONE_FACE = [Person(11, (14, 4, -3), (318, 255), 17.0, {"mouthSmile": 0.7, "jawOpen": 0.2, "cheekSquint": 0.4}, 4)]
FIVE_FACES = [
    Person(3, (-32, 2, 5), (150, 270), 11.0, {"mouthSmile": 0.9, "mouthUpperUp": 0.3}, 18),
    Person(8, (8, -6, -8), (395, 215), 8.5, {"jawOpen": 0.8, "browInnerUp": 0.8, "eyeWide": 0.7}, 5, 0.13),
    Person(21, (0, 10, 0), (640, 300), 12.5, {"eyeBlink_L": 1.0, "mouthSmile_L": 0.6, "cheekSquint_L": 0.7}, 3),
    Person(35, (58, 0, 4), (865, 230), 9.0, {"mouthFrown": 0.8, "browDown": 0.7}, 0),
    Person(41, (-14, -12, 12), (1080, 330), 10.0, {"mouthPucker": 0.9, "eyeBlink": 1.0}, 14),
]
PICTURES: dict[str, tuple[tuple[int, int], list[Person], int]] = {  # size, people, seed of the background
    "one_face.jpg": ((640, 480), ONE_FACE, 5),
    "five_faces.webp": ((1200, 560), FIVE_FACES, 2),
    "no_face.png": ((320, 240), [], 9),
}


def look_of(person: Person, rng: np.random.Generator) -> Appearance:
    """Draws how a person looks, with the hair and glasses that are given."""
    look = draw_appearance(rng)
    hair_length = look.hair_length if person.hair_length is None else person.hair_length
    return replace(look, hair_length=hair_length, glasses=person.glasses, lens=0.05, gaze=look.gaze / 3)


def weights_of(expression: dict[str, float], head: Head) -> np.ndarray:
    """Coefficients by name as w_exp (46,); a name without side means both. Raises ValueError for a name the model does
    not have."""
    weights = np.zeros(len(head.expression_names), np.float32)
    for name, weight in expression.items():
        found = [i for i, known in enumerate(head.expression_names) if known in (name, f"{name}_L", f"{name}_R")]
        if not found:
            raise ValueError(f"{name} is no expression of the face model; expected one of {head.expression_names}")
        weights[found] = weight
    return weights


def make(
    renderer: HeadRenderer,
    size: tuple[int, int],
    people: list[Person],
    seed: int,
    dress: Callable[[Person, np.random.Generator], Appearance] = look_of,
) -> tuple[np.ndarray, dict[str, Any]]:
    """A picture (H, W, 3) uint8 and its labels. dress: what each person looks like, and the light on them."""
    width, height = size
    head = renderer.head
    backdrop = drawn_background(np.random.default_rng(seed), width, height)
    canvas = np.repeat(np.repeat(to_linear(backdrop), SUPERSAMPLING, 0), SUPERSAMPLING, 1)
    depth = np.full(canvas.shape[:2], -np.inf, np.float32)
    faces = []
    for person in people:
        rng = np.random.default_rng(person.seed)
        w_id = np.clip(rng.normal(0, 0.7, 50), -2, 2).astype(np.float32)
        w_exp = weights_of(person.expression, head)
        shape = head.surface.shape(w_id, w_exp)
        pose = Pose(euler_to_quaternion(*person.angles), np.array(person.origin, float), person.scale)
        points = pose.pixels(pose.turn(shape[head.landmarks]))[:, :2]
        enlarged = Pose(pose.quaternion, pose.origin * SUPERSAMPLING, pose.scale * SUPERSAMPLING)
        renderer.render(shape, w_exp, enlarged, dress(person, rng), canvas, depth, rng)
        translation = pose.translation(width, height)
        translation[2] = -(height / 2) / np.tan(np.radians(FIELD_OF_VIEW / 2)) / pose.scale
        faces.append(
            {
                "box": box_of_points(points).round(2).tolist(),
                "quaternion": pose.quaternion.round(6).tolist(),
                "translation": translation.astype(float).round(4).tolist(),
                "scale": pose.scale,
                "identity": w_id.astype(float).round(4).tolist(),
                "expression": dict(zip(head.expression_names, w_exp.astype(float).round(4).tolist(), strict=True)),
                "landmarks": points.astype(float).round(2).tolist(),
            }
        )
    small = canvas.clip(0, 1).reshape(height, SUPERSAMPLING, width, SUPERSAMPLING, 3).mean((1, 3))
    return to_bytes(small), {"width": width, "height": height, "faces": faces}


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--head", type=Path, default=Path("../shared/ict_facekit.npz"))
    parser.add_argument("--out", type=Path, default=Path("tests/pictures"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    renderer = HeadRenderer.load(args.head)
    for name, (size, people, seed) in PICTURES.items():
        picture, labels = make(renderer, size, people, seed)
        path = args.out / name
        Image.fromarray(picture).save(path, quality=90)
        path.with_suffix(".json").write_text(json.dumps(labels) + "\n")
        print(f"{path}: {len(people)} faces, {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
