"""Edits the expressions of fitted photos by warping them with their mesh (paper section 3.2, figure 3).

Pose and identity stay, but for a small turn in depth; the coefficients that the teacher hardly reports get known
values.

    python -m training.render.edited --pictures .work/pack/singles.npy --labels .work/labels/singles.npz
"""

from pathlib import Path

import numpy as np
from PIL import Image

from service.vision.rotation import euler_to_quaternion, quaternion_to_euler
from training.render.crops import CROP, CropSet, contact_sheet, place
from training.render.expressions import OPPOSITES
from training.render.fitted import FittedPhotos, read_arguments
from training.render.head import Head
from training.render.turn import turn_in_depth

# What a warp can do: a mouth that opens would show teeth that the photo does not have. Weights of being drawn.
EDITS = {
    "cheekPuff": 1.5,
    "noseSneer": 1.5,
    "cheekSquint": 1.2,
    "jawForward": 1.2,
    "jawLeft": 1.0,
    "jawRight": 1.0,
    "mouthLeft": 1.0,
    "mouthRight": 1.0,
    "mouthFrown": 1.5,
    "mouthFunnel": 1.2,
    "mouthRollLower": 1.0,
    "mouthRollUpper": 1.0,
    "mouthSmile": 0.7,
    "mouthPucker": 0.8,
    "mouthPress": 0.6,
    "mouthShrugLower": 0.6,
    "mouthShrugUpper": 0.6,
    "mouthStretch": 0.6,
    "mouthDimple": 0.5,
    "eyeBlink": 1.5,
    "eyeSquint": 0.6,
    "browDown": 0.6,
    "browInnerUp": 0.5,
    "browOuterUp": 0.5,
}
ONE_SIDED = 0.35  # of the paired ones
MOST_TURN = 15.0  # degrees of yaw further away


def edit(w_exp: np.ndarray, names: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """Edits coefficients: w_exp (46,) with one to three coefficients set anew over their whole range, what opposes them
    back at zero."""
    edited = w_exp.copy()
    chances = np.array(list(EDITS.values()))
    count = rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15])
    for name in rng.choice(list(EDITS), count, replace=False, p=chances / chances.sum()):
        for pair in OPPOSITES:
            if name in pair:
                other = pair[1 - pair.index(name)]
                edited[[known.startswith(other) for known in names]] = 0
        places = [i for i, known in enumerate(names) if known in (name, f"{name}_L", f"{name}_R")]
        if len(places) == 2 and rng.random() < ONE_SIDED:
            places = [places[rng.integers(2)]]
        edited[places] = rng.random() ** 0.7
    return edited


def main() -> None:
    """Reads the options and runs the command."""
    args = read_arguments(__doc__, Path(".work/edited"))
    rng = np.random.default_rng(args.seed)
    head, photos, crops = Head.load(args.head), FittedPhotos.load(args.pictures, args.labels), CropSet()
    for index in photos.draw(args.count, rng):
        face = photos[index]
        w_exp = edit(face.w_exp, head.expression_names, rng)
        shape = head.surface.shape(face.w_id, face.w_exp)
        new_shape = head.surface.shape(face.w_id, w_exp)
        yaw, pitch, roll = (float(angle) for angle in quaternion_to_euler(face.pose.quaternion))
        further = yaw + np.sign(yaw) * rng.uniform(0, MOST_TURN)
        pose = place(head, new_shape, euler_to_quaternion(np.clip(further, -90, 90), pitch, roll), rng)
        picture = turn_in_depth(face.photo, head, shape, face.pose, pose, CROP, new_shape)
        points = pose.pixels(pose.turn(new_shape[head.landmarks]))[:, :2]
        crops.add(picture, pose, face.w_id, w_exp, points, face.fitted)
    crops.save(args.out)
    Image.fromarray(contact_sheet(crops)).save(args.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
