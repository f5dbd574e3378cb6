"""Draws the pictures that int8 networks are calibrated on: `python -m training.render.calibration`.

Writes models/calibration.npz: mfn (N, 288, 288, 3) uint8, scenes of one to eight faces of all sizes, and sfn
(M, 128, 128, 3) uint8, crops of single faces, as training/export/calibration.py holds them. Everything on them is drawn
from the face model and random numbers, so that they may be published.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from training.export.calibration import write_pictures
from training.render.appearance import draw_appearance
from training.render.backgrounds import draw_occluder, drawn_background, to_linear
from training.render.crops import CROP, CropSet
from training.render.expressions import draw_expression, single_coefficients
from training.render.head import Pose
from training.render.render import HeadRenderer, to_bytes
from training.render.rendered import OCCLUDED, SUPERSAMPLING, draw_identity, draw_rotation, render_crop

SCENE, FACE = 288, 128  # pixels: the networks' inputs
SCENES, FACES = 32, 64
MOST_FACES = 8
HEIGHTS = (10.0, 200.0)  # pixels of a face in a scene
HEAD_CM = 20.0  # height of a face, about
BLANK = (0, 114, 255)  # grey levels of three scenes that show nothing


def draw_scene(renderer: HeadRenderer, rng: np.random.Generator) -> np.ndarray:
    """(288, 288, 3) uint8."""
    head, fine = renderer.head, round(SCENE * SUPERSAMPLING)
    canvas = to_linear(drawn_background(rng, fine, fine))
    depth = np.full((fine, fine), -np.inf, np.float32)
    for _ in range(rng.integers(1, MOST_FACES + 1)):
        identity, expression = draw_identity(rng), draw_expression(head.expression_names, rng)
        shape = head.surface.shape(identity, expression)
        scale = np.exp(rng.uniform(*np.log(HEIGHTS))) / HEAD_CM * SUPERSAMPLING
        pose = Pose(draw_rotation(rng), rng.uniform(0.1, 0.9, 2) * fine, float(scale))
        renderer.render(shape, expression, pose, draw_appearance(rng), canvas, depth, rng)
        if rng.random() < OCCLUDED:
            draw_occluder(rng, canvas, pose.pixels(pose.turn(shape[head.landmarks]))[:, :2])
    return to_bytes(cv2.resize(canvas.clip(0, 1), (SCENE, SCENE), interpolation=cv2.INTER_AREA))


def draw_face(renderer: HeadRenderer, rng: np.random.Generator) -> np.ndarray:
    """(128, 128, 3) uint8: the middle of a training crop, which is what the single face network is shown."""
    crops, fine = CropSet(), round(CROP * SUPERSAMPLING)
    draw = single_coefficients(renderer.head.expression_names)
    render_crop(renderer, drawn_background(rng, fine, fine), draw, rng, crops)
    margin = (CROP - FACE) // 2
    return crops.pictures[0][margin:-margin, margin:-margin]


def sheet(pictures: np.ndarray, columns: int) -> np.ndarray:
    """Pictures (N, S, S, 3) side by side; those that do not fill a row are left out."""
    rows = pictures[: len(pictures) // columns * columns].reshape(-1, columns, *pictures.shape[1:])
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--head", type=Path, default=Path("../shared/ict_facekit.npz"))
    parser.add_argument("--out", type=Path, default=Path("models/calibration.npz"))
    parser.add_argument("--sheet", type=Path, default=Path(".work/calibration.png"))
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    renderer = HeadRenderer.load(args.head)
    blank = np.broadcast_to(np.array(BLANK, np.uint8)[:, None, None, None], (len(BLANK), SCENE, SCENE, 3))
    scenes = np.concatenate([np.stack([draw_scene(renderer, rng) for _ in range(SCENES - len(BLANK))]), blank])
    faces = np.stack([draw_face(renderer, rng) for _ in range(FACES)])
    write_pictures(args.out, {"mfn": scenes, "sfn": faces})
    # nine crops are as wide as four scenes
    Image.fromarray(np.concatenate([sheet(scenes, 4), sheet(faces, 9)])).save(args.sheet)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
