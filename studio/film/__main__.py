"""Makes the film and its truth: `python -m studio.film --face-model ../shared/ict_facekit.npz`.

Writes studio/film/faces.webm and studio/film/faces.json. The same face model gives the same files.
"""

import argparse
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from studio.film import truth, video
from studio.film.motion import FRAMES, FRAMES_PER_SECOND, times
from studio.film.people import HEIGHT, PEOPLE, WIDTH
from studio.film.scene import Scene
from training.render.render import HeadRenderer

HERE = Path(__file__).resolve().parent
_scene: Scene  # of a process that draws


def _set_up(scene: Scene) -> None:
    global _scene
    _scene = scene


def _draw(frame: int) -> np.ndarray:
    return _scene.draw(frame)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(prog="python -m studio.film", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--face-model", type=Path, default=Path("../shared/ict_facekit.npz"))
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    scene = Scene(HeadRenderer.load(args.face_model), times())
    args.out.mkdir(parents=True, exist_ok=True)
    faces = [
        truth.face_truth(scene.acting[face], np.stack([scene.box_of(face, frame) for frame in range(FRAMES)]))
        for face in range(len(PEOPLE))
    ]
    truth.write(args.out / "faces.json", WIDTH, HEIGHT, FRAMES_PER_SECOND, faces)
    with Pool(initializer=_set_up, initargs=(scene,)) as pool:
        video.encode(args.out / "faces.webm", pool.imap(_draw, range(FRAMES)), FRAMES_PER_SECOND)
    for name in ("faces.json", "faces.webm"):
        print(f"{args.out / name}: {(args.out / name).stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
