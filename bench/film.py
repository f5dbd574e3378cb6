"""This service beside MediaPipe's Face Landmarker, on the film of two faces whose motion is known.

    python -m bench.film --mediapipe-model face_landmarker.task [--results]

Both get the film's pixels, frame by frame in turn, on all cores. The service is a process of its own, asked over gRPC
with the options of Studio's page. MediaPipe runs in this process, for videos, as it comes: asked for one face it
filters over time, asked for two it does not. Its model is not part of this project; its package comes with the extra
training.

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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from mfn_client import Client, DropPolicy, Smoothing, StreamConfig

from bench.agreement import CHANNELS, FILM, Truth, agreement
from bench.results import machine, table, write_figures
from bench.server import server
from studio.film.camera import pictures

FPS = 30  # of the film
WALL = 312  # pixels from the left, where the left face has ended
OPENING = """## The film's two faces

`python -m bench.film --mediapipe-model face_landmarker.task --results`: 640 x 480 pixels, frame by frame in turn, on
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
            seen = []
            for face in answer.faces:
                assert face.blendshapes is not None  # they were asked for
                middle = (face.box[0] + face.box[2] / 2) / answer.width
                seen.append((float(middle), channels(names, face.blendshapes, face.yaw)))
            return seen

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


def channels(names: Sequence[str], weights: Iterable[float], yaw: float) -> Values:
    """The values of CHANNELS."""
    known = {**dict(zip(names, map(float, weights), strict=True)), "yaw": yaw}
    return {channel: float(np.mean([known[name] for name in of])) for channel, of in CHANNELS.items()}


def show(frames: Sequence[np.ndarray], looks: Sequence[Look]) -> list[tuple[float, list[Seen]]]:
    """Shows a film to several: the median milliseconds of a frame, and what was seen of each."""
    times: list[list[float]] = [[] for _ in looks]
    seen: list[list[Seen]] = [[] for _ in looks]
    for number, pixels in enumerate(frames):
        for i, look in enumerate(looks):
            start = time.perf_counter()
            seen[i].append(look(pixels, number / FPS))
            times[i].append((time.perf_counter() - start) * 1e3)
    return [(statistics.median(ms), told) for ms, told in zip(times, seen, strict=True)]


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

    names = ("MFN", "MFN, refine", f"MediaPipe {mediapipe.__version__}")
    truth, both = Truth.load(), list(pictures(FILM / "faces.webm"))
    alone = [np.concatenate([frame[:, :WALL], np.repeat(frame[:, :1], frame.shape[1] - WALL, 1)], 1) for frame in both]
    with server() as served:

        def shown(frames: Sequence[np.ndarray], faces: int) -> list[tuple[float, list[Seen]]]:
            with ExitStack() as held:
                ours = [service(served.grpc_port, refine) for refine in (False, True)]
                systems = [*ours, landmarker(chosen.mediapipe_model, faces)]
                return show(frames, [held.enter_context(system) for system in systems])

        one, two = shown(alone, 1), shown(both, 2)
    seconds = np.arange(len(both)) / FPS
    rows = [
        [name, f"{ms:.1f}", f"{ms_of_two:.1f}", *agreements(truth, seconds, seen)]
        for name, (ms, _), (ms_of_two, seen) in zip(names, one, two, strict=True)
    ]
    header = ["", "1 face, ms", "2 faces, ms", "both seen", *(f"r of {channel}" for channel in CHANNELS), "delay, ms"]
    figures = f"{machine()}. {len(both)} frames.\n\n{table(header, rows)}"
    print(figures)
    if chosen.results:
        write_figures("film", OPENING, figures)


if __name__ == "__main__":
    main()
