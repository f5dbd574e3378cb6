"""rendered_val: faces drawn with training/render, whose coefficients are known exactly, as training's are.

The same program, but a seed that no training uses, larger faces, and before photos that no training has seen: face-free
windows of multi_val. Pose and expression are drawn as for training, rare expressions and large poses often; nothing
hides a face. Made once (half a minute of one core) and kept under .work/, for they stand before photos that are not to
be published; remove the file where training/render has changed.

Known fault of what is drawn (52 eyes of 85 % blink or more looked at): in one of six the eyeball shows through the lid.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Pixels
from training.evaluation.datasets.cached import cached
from training.evaluation.datasets.sample import Floats, Sample, existing

SEED, COUNT = 918_273, 240  # training draws from 0 and other small seeds
SIDE = 320  # pixels of a picture
HEIGHT = (128.0, 200.0)  # pixels of a face's box: the coefficients are measured, not what blur leaves of them
FACE_KIT = Path("../shared/ict_facekit.npz")
CACHE = Path(f".work/evaluation/rendered_val-{SEED}-{COUNT}.npz")


def placed(points: Floats, box: Floats, rng: np.random.Generator) -> tuple[float, NDArray[np.float64]]:
    """Scale, pixels a unit, and origin (2,) that put a face somewhere into the picture, as a whole where it fits.

    points: (68, 2) about the head's origin, in units, y down; box: (4,) around them.
    """
    size = box[2:] - box[:2]
    scale = float(rng.uniform(*HEIGHT) / size[1])
    room = np.maximum(SIDE - scale * size, 0) / 2
    centre = SIDE / 2 + rng.uniform(-room, room)
    # a box may be larger than the picture; the points then lie about its middle
    middle = (box[:2] + box[2:]) / 2 if (room > 0).all() else (points.min(axis=0) + points.max(axis=0)) / 2
    return scale, centre - scale * middle


def make(multi_val: Path, face_kit: Path = FACE_KIT) -> dict[str, NDArray[Any]]:
    """Makes the rendered faces: picture (N, 320, 320, 3) uint8, landmarks (N, 68, 2), quaternion (N, 4), expression (N,
    46)."""
    import cv2  # of the training extra, as all of training.render

    from training.data.archives import GROUP_SIDE, box_of_points
    from training.data.pack import pack
    from training.render.appearance import draw_appearance
    from training.render.backgrounds import PhotoBackgrounds, to_linear
    from training.render.expressions import draw_expression
    from training.render.head import Pose
    from training.render.render import HeadRenderer, to_bytes
    from training.render.rendered import SUPERSAMPLING, draw_identity, draw_rotation

    renderer = HeadRenderer.load(existing(face_kit, "the face model as its makers publish it"))
    head, fine = renderer.head, round(SIDE * SUPERSAMPLING)
    faces: list[dict[str, NDArray[Any]]] = []
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "multi_val.npy"
        pack([multi_val], GROUP_SIDE, packed)
        backgrounds = PhotoBackgrounds(packed)
        for index in range(COUNT):
            rng = np.random.default_rng([SEED, index])
            expression = draw_expression(head.expression_names, rng)
            shape = head.surface.shape(draw_identity(rng), expression)
            unit = Pose(draw_rotation(rng), np.zeros(2), 1.0)
            points = unit.pixels(unit.turn(shape[head.landmarks]))[:, :2]
            scale, origin = placed(points, box_of_points(points), rng)
            canvas = to_linear(backgrounds.draw(rng, fine))
            depth = np.full((fine, fine), -np.inf, np.float32)
            enlarged = Pose(unit.quaternion, origin * fine / SIDE, scale * fine / SIDE)
            renderer.render(shape, expression, enlarged, draw_appearance(rng), canvas, depth, rng)
            picture = to_bytes(cv2.resize(canvas.clip(0, 1), (SIDE, SIDE), interpolation=cv2.INTER_AREA))
            landmarks = scale * points + origin
            faces.append(
                {"picture": picture, "landmarks": landmarks, "quaternion": unit.quaternion, "expression": expression}
            )
        del backgrounds
    return {key: np.stack([face[key] for face in faces]) for key in faces[0]}


def read(multi_val: Path) -> Iterator[Sample]:
    """The rendered faces, one a picture; made first where the cache has none."""
    existing(multi_val, "the group photos whose backgrounds are drawn on")
    arrays = cached(CACHE, lambda: make(multi_val))
    for index in range(len(arrays["picture"])):
        picture: Pixels = arrays["picture"][index]
        yield Sample(
            name=f"{index:03d}",
            read=partial(lambda pixels: pixels, picture),
            landmarks=arrays["landmarks"][index : index + 1].astype(np.float64),
            quaternion=arrays["quaternion"][index : index + 1].astype(np.float64),
            expression=arrays["expression"][index : index + 1].astype(np.float64),
        )
