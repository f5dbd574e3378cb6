"""64 random fits drawn on their photos: `python -m training.labels.contact_sheet`. To be looked at before training.

Writes to an ignored folder: the sheet shows real people and never leaves the machine it was made on.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from service.face_model import FaceModel
from service.rotation import quaternion_to_euler, quaternion_to_matrix
from training.data.faces import FaceLabels

CELL, COLUMNS = 200, 8  # pixels, cells


def draw_fit(picture: np.ndarray, faces: FaceLabels, i: int, model: FaceModel) -> Image.Image:
    """One cell: the face with its mesh, the points it was fitted to (red) and its strongest coefficients."""
    points = faces.points[i].numpy()
    low, high = points.min(0), points.max(0)
    side = 1.7 * float((high - low).max())
    left, top = (low + high) / 2 - side / 2
    zoom = CELL / side
    image = (
        Image.fromarray(picture)
        .crop((left, top, left + side, top + side))
        .resize((CELL, CELL), Image.Resampling.BICUBIC)
    )
    image = image.convert("RGB")
    canvas = ImageDraw.Draw(image, "RGBA")
    shape = model.mesh.shape(faces.identity[i].numpy(), faces.expression[i].numpy())
    turned = shape @ quaternion_to_matrix(faces.quaternion[i].numpy()).T
    flat = faces.origin[i].numpy() + float(faces.scale[i]) * turned[:, :2] * [1, -1]
    flat = (flat - [left, top]) * zoom
    corners = flat[model.triangles]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    facing = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] < 0
    for triangle in corners[facing][::2]:
        canvas.polygon([tuple(p) for p in triangle], outline=(80, 220, 255, 60))
    for x, y in (points - [left, top]) * zoom:
        canvas.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=(255, 40, 40))
    yaw, pitch, roll = (float(a) for a in quaternion_to_euler(faces.quaternion[i].numpy()))
    canvas.text((2, 2), f"{yaw:.0f} {pitch:.0f} {roll:.0f}  {float(faces.fitted[i]):.1f}", fill=(255, 255, 0))
    weights = faces.expression[i].numpy()
    for k, j in enumerate(np.argsort(-weights)[:5]):
        canvas.text((2, CELL - 56 + 11 * k), f"{model.expression_names[j]} {weights[j]:.2f}", fill=(255, 255, 0))
    return image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=("singles", "groups"), default="singles")
    parser.add_argument("--pack", type=Path, default=Path(".work/pack"))
    parser.add_argument("--labels", type=Path, default=Path(".work/labels"))
    parser.add_argument("--out", type=Path, default=Path(".work/contact_sheet.png"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--coefficient", help="instead of at random: the faces with most of it")
    args = parser.parse_args()
    model = FaceModel.load(Path("models/face_model.npz"))
    faces = FaceLabels.load(args.labels / f"{args.set}.npz")
    faces = faces[faces.fitted > 0]
    images = np.load(args.pack / f"{args.set}.npy", mmap_mode="r")
    if args.coefficient == "yaw":
        chosen = np.argsort(-np.abs(quaternion_to_euler(faces.quaternion.numpy())[0]))[: 4 * COLUMNS * COLUMNS : 4]
    elif args.coefficient:
        column = model.expression_names.index(args.coefficient)
        chosen = torch.argsort(-faces.expression[:, column])[: COLUMNS * COLUMNS].numpy()
    else:
        chosen = np.random.default_rng(args.seed).permutation(len(faces))[: COLUMNS * COLUMNS]
    sheet = Image.new("RGB", (CELL * COLUMNS, CELL * COLUMNS))
    for k, i in enumerate(chosen):
        cell = draw_fit(np.asarray(images[int(faces.picture[i])]), faces, int(i), model)
        sheet.paste(cell, (k % COLUMNS * CELL, k // COLUMNS * CELL))
    sheet.save(args.out)


if __name__ == "__main__":
    main()
