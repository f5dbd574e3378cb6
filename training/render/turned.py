"""Turns fitted photos in depth to large poses as in 300W-LP, labels following exactly.

python -m training.render.turned --pictures .work/pack/singles.npy --labels .work/labels/singles.npz
"""

from pathlib import Path

import numpy as np
from PIL import Image

from service.vision.rotation import euler_to_quaternion, quaternion_to_euler
from training.render.crops import CROP, CropSet, contact_sheet, place
from training.render.fitted import FittedPhotos, read_arguments
from training.render.head import Head
from training.render.turn import turn_in_depth

FRONTAL = 12.0  # degrees of yaw within which a face may turn either way
YAW = (28.0, 90.0)  # degrees after the turn
LEAST_TURN = 12.0  # degrees
PITCH_SPREAD, MOST_PITCH = 7.0, 45.0  # degrees


def new_angles(yaw: float, pitch: float, roll: float, rng: np.random.Generator) -> tuple[float, float, float]:
    """Angles in degrees of a head turned further away: more yaw of the same sign, a little pitch, the same roll."""
    sign = np.sign(yaw) if abs(yaw) > FRONTAL else rng.choice([-1.0, 1.0])
    least = min(max(YAW[0], abs(yaw) + LEAST_TURN), YAW[1])
    pitch = float(np.clip(pitch + rng.normal(0, PITCH_SPREAD), -MOST_PITCH, MOST_PITCH))
    return float(sign * rng.uniform(least, YAW[1])), pitch, roll


def main() -> None:
    """Reads the options and runs the command."""
    args = read_arguments(__doc__, Path(".work/turned"))
    rng = np.random.default_rng(args.seed)
    head, photos, crops = Head.load(args.head), FittedPhotos.load(args.pictures, args.labels), CropSet()
    for index in photos.draw(args.count, rng):
        face = photos[index]
        shape = head.surface.shape(face.w_id, face.w_exp)
        yaw, pitch, roll = (float(angle) for angle in quaternion_to_euler(face.pose.quaternion))
        pose = place(head, shape, euler_to_quaternion(*new_angles(yaw, pitch, roll, rng)), rng)
        picture = turn_in_depth(face.photo, head, shape, face.pose, pose, CROP)
        points = pose.pixels(pose.turn(shape[head.landmarks]))[:, :2]
        crops.add(picture, pose, face.w_id, face.w_exp, points, face.fitted)
    crops.save(args.out)
    Image.fromarray(contact_sheet(crops)).save(args.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
