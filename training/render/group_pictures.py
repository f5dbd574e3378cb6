"""Makes the pictures that the measurements in bench/ look at: `python -m training.render.group_pictures`.

1, 5, 9 and 20 faces in 1280 x 720 pixels, drawn from the face model and random numbers: hardly turned, in even light
from the front, each as large as there is room and none before another, so that any detector can find them. boxes.json
beside them has the boxes of their faces, x1, y1, x2, y2 in pixels, by the pictures' names.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from training.render.appearance import Appearance, Light
from training.render.pictures import Person, look_of, make
from training.render.render import HeadRenderer

SIZE = (1280, 720)  # pixels
# Faces in each row, pixels a cm, seeds of the people and of the background.
GROUPS: dict[str, tuple[tuple[int, ...], float, int, int]] = {
    "one_face": ((1,), 20.0, 1, 5),
    "five_faces": ((5,), 13.0, 2, 5),
    "nine_faces": ((5, 4), 12.0, 3, 5),
    "twenty_faces": ((7, 6, 7), 8.0, 4, 5),
}
MOST_TURNED = np.array([12.0, 6.0, 5.0])  # degrees of yaw, pitch and roll, either way
UNEVEN = 0.05  # most by which a head is larger or smaller than the others
EXPRESSIONS: list[dict[str, float]] = [
    {"mouthSmile": 0.8, "cheekSquint": 0.4},
    {"jawOpen": 0.3, "browInnerUp": 0.5},
    {},
    {"mouthSmile": 0.5, "jawOpen": 0.2, "mouthUpperUp": 0.3},
    {"mouthPucker": 0.6},
]
HAIR = (2.0, 4.0, 6.0)  # cm
WINDOW = np.array([0.3, 0.45, 0.84], np.float32)  # toward the light: behind the camera, to its upper right
DAYLIGHT, SURROUNDINGS = 0.75, 0.6  # of the window, and of what comes from all sides


def people_of(rows: tuple[int, ...], scale: float, seed: int) -> list[Person]:
    """So many people in each row, evenly apart. scale: pixels a cm."""
    rng = np.random.default_rng(seed)
    people: list[Person] = []
    for row, number in enumerate(rows):
        for column in range(number):
            x, y = (column + 0.5) / number * SIZE[0], (row + 0.5) / len(rows) * SIZE[1]
            yaw, pitch, roll = rng.uniform(-MOST_TURNED, MOST_TURNED).tolist()
            people.append(
                Person(
                    seed=int(rng.integers(1000)),
                    angles=(yaw, pitch, roll),
                    origin=(x, y),
                    scale=scale * rng.uniform(1 - UNEVEN, 1 + UNEVEN),
                    expression=EXPRESSIONS[len(people) % len(EXPRESSIONS)],
                    hair_length=float(rng.choice(HAIR)),
                )
            )
    return people


def look_by_the_window(person: Person, rng: np.random.Generator) -> Appearance:
    """A look without what hides a face, lit as everybody else."""
    window = Light(WINDOW / np.linalg.norm(WINDOW), np.full(3, DAYLIGHT, np.float32), shadow=False)
    around = np.full(3, SURROUNDINGS, np.float32)
    look = look_of(person, rng)
    return replace(look, lights=(window,), sky=around, ground=0.8 * around, gloss=min(look.gloss, 0.1), beard=0.0)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--head", type=Path, default=Path("../shared/ict_facekit.npz"))
    parser.add_argument("--out", type=Path, default=Path("bench/pictures"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    renderer = HeadRenderer.load(args.head)
    boxes = {}
    for name, (rows, scale, seed, background) in GROUPS.items():
        picture, labels = make(renderer, SIZE, people_of(rows, scale, seed), background, look_by_the_window)
        path = args.out / f"{name}.webp"
        Image.fromarray(picture).save(path, quality=85)
        boxes[path.name] = [face["box"] for face in labels["faces"]]
        print(f"{path}: {len(boxes[path.name])} faces, {path.stat().st_size / 1000:.0f} KB")
    (args.out / "boxes.json").write_text(json.dumps(boxes) + "\n")


if __name__ == "__main__":
    main()
