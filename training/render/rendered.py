"""Renders faces with exact labels to train on, rare expressions and large poses often.

python -m training.render.rendered --backgrounds .work/pack/groups.npy --count 6000
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from service.vision.rotation import euler_to_quaternion
from training.render.appearance import draw_appearance
from training.render.backgrounds import PhotoBackgrounds, draw_occluder, drawn_background, to_linear
from training.render.crops import CROP, CropSet, contact_sheet, place
from training.render.expressions import DrawExpression, single_coefficients
from training.render.head import Pose
from training.render.motion import Motion
from training.render.render import HeadRenderer, to_bytes

IDENTITY_SPREAD = 0.8  # standard deviations of the model; what fits of photos show
LARGE_POSE, YAW_SPREAD, PITCH_SPREAD, ROLL_SPREAD = 0.25, 28.0, 12.0, 9.0  # share with any yaw; degrees of the rest
MOST_YAW, MOST_PITCH = 90.0, 45.0
OCCLUDED = 0.12  # share of faces with something before them
SUPERSAMPLING = 1.5


def draw_rotation(rng: np.random.Generator) -> np.ndarray:
    """(4,) a random unit quaternion: most heads look ahead, some far to a side."""
    yaw = rng.uniform(-MOST_YAW, MOST_YAW) if rng.random() < LARGE_POSE else rng.normal(0, YAW_SPREAD)
    pitch = np.clip(rng.normal(0, PITCH_SPREAD), -MOST_PITCH, MOST_PITCH)
    return euler_to_quaternion(np.clip(yaw, -MOST_YAW, MOST_YAW), pitch, rng.normal(0, ROLL_SPREAD))


def draw_identity(rng: np.random.Generator) -> np.ndarray:
    """(50,) w_id, standard deviations."""
    return np.clip(rng.normal(0, IDENTITY_SPREAD, 50), -2.5, 2.5).astype(np.float32)


def render_crop(
    renderer: HeadRenderer, backdrop: np.ndarray, draw: DrawExpression, rng: np.random.Generator, crops: CropSet
) -> None:
    """Adds one rendered face before a backdrop (S, S, 3) uint8, S = CROP * SUPERSAMPLING. Its gaze is a label, too.

    Lids that follow a drawn gaze up or aside are in the points, but in no coefficient of w_exp.
    """
    head, fine = renderer.head, len(backdrop)
    w_id = draw_identity(rng)
    drawn = draw(rng)
    w_exp = drawn.w_exp
    shape = head.surface.shape(w_id, w_exp)
    if drawn.gaze is not None:
        shape = shape + head.lids_of(drawn.gaze)
    pose = place(head, shape, draw_rotation(rng), rng)
    points = pose.pixels(pose.turn(shape[head.landmarks]))[:, :2]
    enlarged = Pose(pose.quaternion, pose.origin * fine / CROP, pose.scale * fine / CROP)
    canvas = to_linear(backdrop)
    depth = np.full((fine, fine), -np.inf, np.float32)
    look = draw_appearance(rng)
    gaze = renderer.gaze_of(look, w_exp) if drawn.gaze is None else drawn.gaze
    renderer.render(shape, w_exp, enlarged, look, canvas, depth, rng, gaze, drawn.tongue)
    if rng.random() < OCCLUDED:
        draw_occluder(rng, canvas, points * fine / CROP)
    picture = to_bytes(cv2.resize(canvas.clip(0, 1), (CROP, CROP), interpolation=cv2.INTER_AREA))
    crops.add(picture, pose, w_id, w_exp, points, fitted=1.0, gaze=gaze)


def expressions_of(motion: Path, names: tuple[str, ...]) -> DrawExpression:
    """What expressions are drawn from: recorded motion, or, of the path "none", single coefficients at random.

    Raises SystemExit where the file is missing or is no motion.
    """
    if motion == Path("none"):
        return single_coefficients(names)
    try:
        return Motion.load(motion, names).draw
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from error


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--head", type=Path, default=Path("../shared/ict_facekit.npz"))
    parser.add_argument(
        "--motion",
        type=Path,
        default=Path("../shared/data/arkit_motion.npz"),
        help="recorded motion that expressions and gaze are drawn from, or none for single coefficients at random",
    )
    parser.add_argument("--backgrounds", type=Path, help="packed group photos; without them backgrounds are drawn")
    parser.add_argument("--out", type=Path, default=Path(".work/rendered"))
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    renderer = HeadRenderer.load(args.head)
    draw = expressions_of(args.motion, renderer.head.expression_names)
    photos = PhotoBackgrounds(args.backgrounds) if args.backgrounds else None
    crops, fine = CropSet(), round(CROP * SUPERSAMPLING)
    for _ in range(args.count):
        backdrop = photos.draw(rng, fine) if photos else drawn_background(rng, fine, fine)
        render_crop(renderer, backdrop, draw, rng, crops)
    crops.save(args.out)
    Image.fromarray(contact_sheet(crops)).save(args.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
