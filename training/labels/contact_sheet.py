"""64 random fits drawn on their photos: `python -m training.labels.contact_sheet`. To be looked at before training.

With --by source or --by yaw each row holds random faces of one source of the combined labels or one bin of |yaw|.
Writes to an ignored folder: the sheet shows real people and never leaves the machine it was made on.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from service.vision.face_model import FaceModel
from service.vision.rotation import quaternion_to_euler, quaternion_to_matrix
from training.data.archives import SETS
from training.data.faces import FaceLabels
from training.data.packed import Packed
from training.data.sources import Source, read_sources
from training.labels.combine import YAW_BINS

CELL, COLUMNS, BY_COLUMNS = 200, 8, 10  # pixels, cells, cells of a sheet by source or yaw
MARGIN = 110  # pixels at the left for the names of rows


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


def rows_by_source(source: NDArray[np.uint8]) -> dict[str, NDArray[np.intp]]:
    """Indices of the faces of each source that labelled any, by its name."""
    who = [one for one in Source if one != Source.NOBODY and (source == one).any()]
    return {one.name.lower().replace("_", " "): np.flatnonzero(source == one) for one in who}


def rows_by_yaw(yaw: NDArray[np.floating]) -> dict[str, NDArray[np.intp]]:
    """Indices of the faces in each bin of |yaw|, degrees, by its limits."""
    edges = [*YAW_BINS[:-1], np.inf]
    size = np.abs(yaw)
    bins = zip(itertools.pairwise(edges), itertools.pairwise(YAW_BINS), strict=True)
    return {f"{a}-{b} degrees": np.flatnonzero((size >= low) & (size < high)) for (low, high), (a, b) in bins}


def draw_sheet(
    rows: dict[str, NDArray[np.intp]], columns: int, faces: FaceLabels, images: np.ndarray, model: FaceModel
) -> Image.Image:
    """Rows of the first `columns` faces each, with their names and how many there are at the left where they have any.

    rows: indices of faces. images: (P, S, S, 3) uint8 packed pictures.
    """
    margin = MARGIN if any(name.strip() for name in rows) else 0
    sheet = Image.new("RGB", (margin + CELL * columns, CELL * len(rows)))
    canvas = ImageDraw.Draw(sheet)
    for k, (name, chosen) in enumerate(rows.items()):
        if margin:
            canvas.text((4, k * CELL + 4), f"{name}\n{len(chosen)} faces", fill=(255, 255, 255))
        for column, i in enumerate(chosen[:columns]):
            cell = draw_fit(np.asarray(images[int(faces.picture[i])]), faces, int(i), model)
            sheet.paste(cell, (margin + column * CELL, k * CELL))
    return sheet


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=SETS, default="singles")
    parser.add_argument("--pack", type=Path, default=Path(".work/pack"))
    parser.add_argument("--labels", type=Path, default=Path(".work/labels"))
    parser.add_argument("--out", type=Path, default=Path(".work/contact_sheet.png"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first-teacher", action="store_true", help="draw NAME.npz in place of NAME.combined.npz")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--coefficient", help="instead of at random: the faces with most of it, or of yaw")
    which.add_argument("--by", choices=("source", "yaw"), help="a row of random faces for each source or bin of |yaw|")
    args = parser.parse_args()
    if args.first_teacher and args.by == "source":
        parser.error("--by source needs combined labels; leave out --first-teacher")
    model = FaceModel.load(Path("models/face_model.npz"))
    packed = Packed.load(args.pack, args.set)
    path = args.labels / (f"{args.set}.npz" if args.first_teacher else f"{args.set}.combined.npz")
    faces = packed.labels(path)
    known = np.flatnonzero(faces.fitted.numpy() > 0)
    yaw = quaternion_to_euler(faces.quaternion.numpy())[0][known]
    rng = np.random.default_rng(args.seed)
    columns = BY_COLUMNS if args.by else COLUMNS
    if args.by:
        rows = rows_by_yaw(yaw) if args.by == "yaw" else rows_by_source(read_sources(path)[known])
        rows = {name: known[rng.permutation(chosen)] for name, chosen in rows.items()}
    else:
        if args.coefficient == "yaw":
            order = np.argsort(-np.abs(yaw))[: 4 * COLUMNS * COLUMNS : 4]
        elif args.coefficient:
            column = model.expression_names.index(args.coefficient)
            order = np.argsort(-faces.expression.numpy()[known, column])
        else:
            order = rng.permutation(len(known))
        chosen = known[order[: COLUMNS * COLUMNS]]
        rows = {" " * k: chosen[k * COLUMNS : (k + 1) * COLUMNS] for k in range(COLUMNS)}
    draw_sheet(rows, columns, faces, packed.images, model).save(args.out)


if __name__ == "__main__":
    main()
