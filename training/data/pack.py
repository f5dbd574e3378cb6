"""Decodes the archives once into arrays that training maps into memory: `python -m training.data.pack`.

Each of training.data.archives.SETS becomes .work/pack/NAME.npy (N, side, side, 3) uint8: pictures at the top left of
their square, shrunk where their long side is larger, the rest grey. Beside it .names.npy (N,) and .sizes.npy (N, 2)
width and height in the square, and NAME.boxes.npz where boxes are annotated, as labels without coefficients.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.data.archives import ARCHIVES, faces_of, read_archive, sets_of
from training.data.faces import FaceLabels

PAD = 114
MOST_FACES = 20  # pictures with more are left out, and
SMALLEST_FACE = 0.02  # smaller faces, as a share of the picture, are ignored (paper section 4.1)
CLIPPED_BOX = 4.0  # pixels in the square: below it a box says nothing


def pack(archives: list[Path], side: int, out: Path) -> None:
    """Writes the pictures of archives, shrunk into squares of `side` pixels, as the array `out`, with their names,
    sizes and boxes beside it."""
    pictures = [(archive.stem, picture) for archive in archives for picture in read_archive(archive)]
    pictures = [(a, p) for a, p in pictures if len(p.annotation.get("boxes", [])) <= MOST_FACES]
    out.parent.mkdir(parents=True, exist_ok=True)
    images = np.lib.format.open_memmap(out, "w+", np.uint8, (len(pictures), side, side, 3))
    names, sizes = [], np.zeros((len(pictures), 2), np.float32)
    index, boxes, ignored = [], [], []
    for i, (archive, picture) in enumerate(pictures):
        image = picture.decode()
        scale = min(1.0, side / max(image.shape[:2]))
        if scale < 1:
            size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        height, width = image.shape[:2]
        images[i] = PAD
        images[i, :height, :width] = image
        names.append(f"{archive}/{picture.name}")
        sizes[i] = width, height
        if "boxes" in picture.annotation:
            for face in faces_of(picture):
                box = face.box * scale
                small = bool(((box[2:] - box[:2]) < SMALLEST_FACE * sizes[i]).any())
                index.append(i)
                boxes.append(box)
                ignored.append(face.invalid or small or min(box[2:] - box[:2]) < CLIPPED_BOX)
    np.save(out.with_suffix(".names.npy"), np.array(names))
    np.save(out.with_suffix(".sizes.npy"), sizes)
    if boxes:
        FaceLabels.of_boxes(np.array(index), np.array(boxes), np.array(ignored)).save(out.with_suffix(".boxes.npz"))
    print(f"{out}: {len(names)} pictures, {len(boxes)} boxes of which {sum(ignored)} ignored")


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path(".work/pack"))
    parser.add_argument("--archives", nargs="+", choices=ARCHIVES, default=ARCHIVES, help="only these, of their sets")
    args = parser.parse_args()
    for name, photos in sets_of(args.archives).items():
        pack([args.data / f"{archive}.tar" for archive in photos.archives], photos.side, args.out / f"{name}.npy")


if __name__ == "__main__":
    main()
