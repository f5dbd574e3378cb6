"""This service beside MediaPipe's Face Landmarker, on the film of two faces whose motion is known.

    python -m bench.film --mediapipe-model face_landmarker.task [--results]

Both get the film's pixels, one frame after the other, on all cores. The service is a process of its own, asked over
gRPC with the options of Studio's page. MediaPipe runs in this process, for videos, as it comes: asked for one face it
filters over time, asked for two it does not. Its model is not part of this project; its package comes with the extra
training. Nothing else should run on the machine.

    ms      of a frame, from pixels to answer, the median: of the film with its left face alone, and as it is
    seen    share of the frames in which both faces were found
    r       with the film's truth at the best delay, the worse of the two faces
    delay   that delay, the median of the four, of the slower face: what filtering costs

Neither side is new to this: the film is drawn by the program that drew a part of MFN's training pictures, and what MFN
knows of photos' coefficients it has learned from MediaPipe.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from mfn_client import Client, DropPolicy, Smoothing, StreamConfig

from bench.agreement import CHANNELS, FILM, Truth, agreement
from bench.results import machine, table, write_figures
from bench.server import server
from studio.film.video import pictures

FPS = 30  # of the film
WALL = 312  # pixels from the left, where the left face has ended
OPENING = """## The film's two faces

`python -m bench.film --mediapipe-model face_landmarker.task --results`: 640 x 480 pixels, one frame after the other, on
all cores. r and delay: with what the rendered faces do, the worse of the two."""

Values = dict[str, float]  # by CHANNELS
Seen = list[tuple[float, Values]]  # faces: where the middle is, as a share of the picture's width, and what they do
Look = Callable[[np.ndarray, float], Seen]  # the faces of a frame: its pixels, its seconds


@contextmanager
def service(port: int, refine: bool) -> Iterator[Look]:
    """A stream of the service."""
    options = StreamConfig(
        drop_policy=DropPolicy.NONE, smoothing=Smoothing(), refine=refine, follow=refine, blendshapes=True
    )
    frames: SimpleQueue[tuple[np.ndarray, float]] = SimpleQueue()
    with Client(f"127.0.0.1:{port}") as client, client.stream(iter(frames.get, None), options) as answers:

        def look(pixels: np.ndarray, seconds: float) -> Seen:
            frames.put((pixels, seconds))
            answer, names = next(answers), answers.model.arkit_names
            return [
                ((face.box[0] + face.box[2] / 2) / answer.width, channels(names, face.blendshapes, face.yaw))
                for face in answer.faces
            ]

        yield look


@contextmanager
def landmarker(model: Path, faces: int) -> Iterator[Look]:
    """MediaPipe's Face Landmarker. faces: at most."""
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=faces,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    with vision.FaceLandmarker.create_from_options(options) as found:

        def look(pixels: np.ndarray, seconds: float) -> Seen:
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
            result = found.detect_for_video(image, round(seconds * 1e3))
            seen = []
            for points, shapes, matrix in zip(
                result.face_landmarks, result.face_blendshapes, result.facial_transformation_matrixes, strict=True
            ):
                across = matrix[:3, 0] / np.linalg.norm(matrix[:3, 0])  # where the head's x axis points
                names, weights = [shape.category_name for shape in shapes], [shape.score for shape in shapes]
                values = channels(names, weights, float(np.degrees(np.arcsin(-across[2]))))
                seen.append((float(np.mean([point.x for point in points])), values))
            return seen

        yield look


def channels(names: Sequence[str], weights: Sequence[float], yaw: float) -> Values:
    """The values of CHANNELS."""
    known = {**dict(zip(names, map(float, weights), strict=True)), "yaw": yaw}
    return {channel: float(np.mean([known[name] for name in of])) for channel, of in CHANNELS.items()}


def milliseconds(frames: Sequence[np.ndarray], look: Look) -> tuple[float, list[Seen]]:
    """Shows a film once: the median time of a frame, and what was seen of each."""
    times, seen = [], []
    for number, pixels in enumerate(frames):
        start = time.perf_counter()
        seen.append(look(pixels, number / FPS))
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times), seen


def agreements(truth: Truth, seconds: np.ndarray, seen: Sequence[Seen]) -> list[str]:
    """Cells of the table: share of frames with both faces, r by CHANNELS, milliseconds of delay."""
    found: dict[int, dict[float, Values]] = defaultdict(dict)  # by the face from the left, by the time
    for at, faces in zip(seconds, seen, strict=True):
        for x, values in faces:
            found[int(x > 0.5)][at] = values
    held = []
    for number, face in enumerate(truth.faces):
        moved = {channel: np.array([values[channel] for values in found[number].values()]) for channel in CHANNELS}
        held.append(agreement(truth, face, seconds, np.arange(len(seconds)), np.array(list(found[number])), moved))
    both = len(found[0].keys() & found[1].keys()) / len(seconds)
    worse = [f"{min(each.r[channel] for each in held):.3f}" for channel in CHANNELS]
    return [f"{both:.0%}", *worse, f"{max(each.delay for each in held) * 1e3:.0f}"]


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mediapipe-model", type=Path, required=True, metavar="TASK", help="Face Landmarker's file")
    parser.add_argument("--results", action="store_true", help="write the table into bench/RESULTS.md")
    chosen = parser.parse_args()
    import mediapipe

    truth, both = Truth.load(), list(pictures(FILM / "faces.webm"))
    alone = [np.concatenate([frame[:, :WALL], np.repeat(frame[:, :1], frame.shape[1] - WALL, 1)], 1) for frame in both]
    fps = truth.frames / 12.0
    rows = []
    with server() as served:
        systems: dict[str, Callable[[int], AbstractContextManager[Look]]] = {
            "MFN": lambda _: service(served.grpc_port, refine=False),
            "MFN, refine": lambda _: service(served.grpc_port, refine=True),
            f"MediaPipe {mediapipe.__version__}": lambda faces: landmarker(chosen.mediapipe_model, faces),
        }
        for name, opened in systems.items():
            with opened(1) as look:
                one, _ = milliseconds(alone, look)
            with opened(2) as look:
                two, seen = milliseconds(both, look)
            rows.append([name, f"{one:.1f}", f"{two:.1f}", *agreements(truth, np.arange(len(both)) / FPS, seen)])
    header = ["", "1 face, ms", "2 faces, ms", "both seen", *(f"r of {channel}" for channel in CHANNELS), "delay, ms"]
    figures = f"{machine()}. {len(both)} frames.\n\n{table(header, rows)}"
    print(figures)
    if chosen.results:
        write_figures("film", OPENING, figures)


if __name__ == "__main__":
    main()
