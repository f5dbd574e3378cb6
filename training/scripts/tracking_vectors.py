"""Test vectors for the tracking in models/mobile/kotlin/: `python -m training.scripts.tracking_vectors`.

Lets the served code (service/tracking/) track, smooth and calibrate made-up faces, and run whole streams on made-up
pictures and outputs of the networks, and writes models/mobile/tracking.txt, which ports into other languages read to
prove that they do the same. The format is that of training.scripts.vectors.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.tracking.assignment import assign
from service.tracking.neutral import NeutralCalibration
from service.tracking.options import SmoothingOptions
from service.tracking.scene_change import SceneThumbnail
from service.tracking.smoothing import Smoother
from service.tracking.tracker import Tracker
from service.vision.arrays import Array
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES, FaceModel
from service.vision.faces import Face, Faces, translation
from service.vision.gaze import GAZE_COEFFICIENTS, has_gaze, no_gaze
from service.vision.rotation import euler_to_quaternion
from training.scripts.stream_vectors import FIELD_OF_VIEW, HEIGHT, WIDTH, painted, scenes, streamed
from training.scripts.vector_cases import Published
from training.scripts.vectors import MODELS, line, read_published, section

SEED: Final = 21
LIMIT: Final = 2.6  # of the assignments, cost of a row without a column
IMPOSSIBLE: Final = 1e9  # stands for an infinite cost
SHOWN: Final = 3  # coefficients of made-up identities and expressions; those after them are 0
FPS: Final = 12

HEAD: Final = """\
# Made by `python -m training.scripts.tracking_vectors`. Tolerances: 2e-5 + 2e-5 of the value, distances of identities
# 1e-4 of the value. A list is its length and its numbers. Coefficients that a list lacks are 0.

"""
ASSIGNMENTS: Final = "rows columns limit, cost by rows, column of each row or -1"
TRACKS: Final = """\
frames, of each frame timestamp, 1 where the tracker is restarted before it, faces, of each face score box identity
then of each face its track's id and the identity's distance from the track's mean, tracks alive, 1 where one is lost"""
SMOOTHED: Final = """\
min_cutoff beta derivative_cutoff frames, of each frame timestamp, list of the tracks that are kept, of each its face
score box quaternion translation scale identity expression gaze, measured, smoothed; a gaze without numbers is none"""
NEUTRAL: Final = """\
frames, of each frame timestamp, what is asked before it, list of the tracks alive, list of the faces' tracks, of each
its expression, then of each its relative expression and state"""
THUMBNAILS: Final = """\
width height of a picture whose channels c are (tri(3 x + 40 c) + tri(5 y)) / 2 with tri(v) = 2 |v mod 256 - 128|, at
most 255; the mean of its cells; rectangle x1 y1 x2 y2 painted white in another one; boxes; 1 where they differ"""
STREAMS: Final = """\
frames, of each frame timestamp, what is asked before it, rectangle painted white in such a picture of
160 x 120 pixels
rows of the Multiple Face Network's raw outputs as in vectors.txt
raw pose identity expression gaze of the Single Face Network for every crop
1 where the faces were detected, 1 where the stream restarted, faces, of each face its track's id
score box quaternion translation scale identity expression gaze, landmark 30, state"""


def numbers(values: Any) -> str:
    """A list: its length and its numbers, without zeros at its end."""
    array = np.trim_zeros(np.ravel(values), "b")
    return line(len(array), array)


def face_line(face: Face) -> str:
    """All numbers of a face."""
    gaze: Any = face.gaze if has_gaze(face.gaze) else []
    return " ".join(
        [
            line(face.score, face.box, face.quaternion, face.translation, face.scale),
            numbers(face.identity),
            numbers(face.expression),
            line(len(gaze), gaze),
        ]
    )


def padded(values: Array, columns: int) -> NDArray[np.float32]:
    """(N, columns), zeros after the columns that there are."""
    return np.pad(values, ((0, 0), (0, columns - values.shape[1]))).astype(np.float32)


def assignments(random: np.random.Generator) -> Iterator[str]:
    """Entries of `assignments`: some costs are equal, some infinite."""
    for _ in range(40):
        rows, columns = random.integers(0, 7, 2)
        cost = np.round(random.uniform(0, 3, (rows, columns)), 1)
        cost[random.uniform(size=cost.shape) < 0.3] = IMPOSSIBLE
        yield line(rows, columns, LIMIT, cost, assign(cost, LIMIT))


def walkers(random: np.random.Generator, timestamp: float) -> Faces:
    """Two people who cross, one who comes and goes, and one who stays, in any order."""
    people = [((100 + 90 * timestamp, 200.0), 50), ((520 - 90 * timestamp, 210.0), 45), ((150.0, 380.0), 30)]
    if timestamp % 2.4 < 0.9:
        people.append(((300.0, 350.0), 40))
    identity = np.array([[3, 0, 0], [0, 3, 0], [0, 0, 3], [-3, 0, 0]], float)[: len(people)]
    order = random.permutation(len(people))
    centre = np.array([people[i][0] for i in order]) + random.normal(0, 1.5, (len(people), 2))
    half = np.array([[people[i][1]] for i in order])
    return made_up(random, centre, half, identity[order] + random.normal(0, 0.6, (len(people), SHOWN)))


def made_up(random: np.random.Generator, centre: Array, half: Array, identity: Array, gaze: bool = True) -> Faces:
    """Faces of boxes with these centres (N, 2) and half sides (N, 1), that look to all sides."""
    count = len(centre)
    scale = (half[:, 0] / 10).astype(np.float32)
    looks = random.uniform(0, 1, (count, GAZE_COEFFICIENTS)).astype(np.float32)
    return Faces(
        score=random.uniform(0.5, 1, count).astype(np.float32),
        box=np.concatenate([centre - half, centre + half], axis=-1).astype(np.float32),
        quaternion=euler_to_quaternion(*random.uniform(-40, 40, (3, count))).astype(np.float32),
        translation=translation(centre, scale, WIDTH, HEIGHT, FIELD_OF_VIEW),
        scale=scale,
        identity=padded(identity, IDENTITY_MODES),
        expression=padded(random.uniform(0, 1, (count, SHOWN)), EXPRESSIONS),
        gaze=looks if gaze else no_gaze(count),
    )


def tracks(random: np.random.Generator) -> Iterator[str]:
    """The entry of `tracks`: a film in which one track ends, and after which the tracker is restarted."""
    tracker, lines = Tracker(), []
    for frame in range(5 * FPS):
        timestamp = frame / FPS
        restart = frame == 4 * FPS
        if restart:
            tracker = tracker.restarted()
        faces = walkers(random, timestamp)
        ids = tracker.update(faces, timestamp)
        distance = tracker.identity_distance(faces.identity, ids)
        seen = [f"{line(face.score, face.box)} {numbers(face.identity)}" for face in faces]
        told = line(np.stack([ids, distance], axis=-1), len(tracker.alive), tracker.alive, int(tracker.has_lost_tracks))
        lines.append("\n".join([line(timestamp, int(restart), len(faces)), *seen, told]))
    yield "\n".join([line(len(lines)), *lines])


def smoothed(random: np.random.Generator) -> Iterator[str]:
    """Entries of `smoothed`: noisy faces, of which one is forgotten and one has no gaze now and then."""
    for options in (SmoothingOptions(), SmoothingOptions(0.3, 20, 2)):
        smoother, lines, timestamp = Smoother(options), [], 0.0
        centre, half, identity = (
            np.array([[200.0, 150.0], [400.0, 300.0]]),
            np.array([[40.0], [60.0]]),
            np.eye(2, SHOWN),
        )
        base = made_up(random, centre, half, identity)
        for frame in range(24):
            timestamp += float(random.uniform(0.005, 0.2))
            ids = np.array([1, 2] if frame % 9 else [1])
            noisy = made_up(random, centre + random.normal(0, 5, (2, 2)), half, identity, gaze=frame % 7 != 0)
            faces = replace(between(base, noisy, 0.2), gaze=noisy.gaze).take(ids - 1)
            smoother.keep(ids)
            result = smoother.smooth(faces, ids, timestamp)
            rows = [f"{face_line(a)}\n{face_line(b)}" for a, b in zip(faces, result, strict=True)]
            lines.append("\n".join([f"{line(timestamp)} {numbers(ids)}", *rows]))
        yield "\n".join([line(options.min_cutoff, options.beta, options.derivative_cutoff, len(lines)), *lines])


def between(first: Faces, second: Faces, share: float) -> Faces:
    """Faces whose numbers are a share of the way from the first to the second."""
    mixed = Faces(*((1 - share) * getattr(first, name) + share * getattr(second, name) for name in vars(first)))
    length = np.linalg.norm(mixed.quaternion, axis=-1, keepdims=True)
    return Faces(
        *(value.astype(np.float32) for value in vars(replace(mixed, quaternion=mixed.quaternion / length)).values())
    )


def neutral(random: np.random.Generator) -> Iterator[str]:
    """The entry of `neutral`."""
    calibration, lines = NeutralCalibration(), []
    asked = {3: "calibrate", 30: "calibrate", 33: "calibrate", 55: "reset", 65: "calibrate"}
    for frame in range(90):
        timestamp, before = 0.07 * frame, asked.get(frame, "-")
        alive = np.array([1, 2, 3] if frame < 50 else [2, 3])
        ids = np.array([track for track in ([1, 2] if frame % 5 else [2]) if track in alive])
        expression = padded(random.uniform(0, 1, (len(ids), SHOWN)), EXPRESSIONS)
        expression[:, 0] = 0.97  # near 1 at rest
        if before == "calibrate":
            calibration.calibrate()
        elif before == "reset":
            calibration.reset()
        relative = calibration.subtract(expression, ids, alive, timestamp)
        states = calibration.states(ids)
        told = [f"{numbers(row)} {state.value}" for row, state in zip(relative, states, strict=True)]
        head = f"{line(timestamp, before)} {numbers(alive)} {numbers(ids)}"
        lines.append("\n".join([head, *map(numbers, expression), *told]))
    yield "\n".join([line(len(lines)), *lines])


def thumbnails() -> Iterator[str]:
    """Entries of `thumbnails`: a change in the open, beside a face, on its hair and on the body below it."""
    face: Sequence[float] = (60, 40, 90, 80)
    for width, height, rectangle, boxes in (
        (160, 120, (130, 20, 150, 40), [face]),
        (160, 120, (130, 20, 150, 40), []),
        (160, 120, (50, 30, 58, 60), [face]),
        (160, 120, (70, 95, 110, 120), [face]),
        (160, 120, (0, 0, 0, 0), []),
        (641, 479, (500, 100, 540, 140), [face]),
        (40, 30, (2, 2, 5, 5), []),
        (7, 300, (0, 0, 7, 20), []),
    ):
        first, second = (SceneThumbnail.of(painted(width, height, area)) for area in ((0, 0, 0, 0), rectangle))
        known = np.array(boxes, float).reshape(-1, 4)
        cells = float(first.cells.mean())
        yield line(width, height, cells, rectangle, numbers(known), int(second.differs(first, known)))


def streams(published: Published, face_model: FaceModel) -> Iterator[str]:
    """Entries of `streams`."""
    for scene in scenes(published, face_model):
        lines = []
        for frame, result in zip(scene, streamed(scene, published, face_model), strict=True):
            points = result.landmarks(face_model)
            faces = [
                f"{track} {face_line(face)} {line(point[30])} {state.value}"
                for track, face, point, state in zip(result.track_id, result.faces, points, result.neutral, strict=True)
            ]
            rows = [line(prior, numbers(row)) for prior, row in frame.rows.items()]
            seen = [
                numbers(part) for part in (frame.look.pose, frame.look.identity, frame.look.expression, frame.look.gaze)
            ]
            lines += [
                line(frame.timestamp, frame.asked, frame.rectangle),
                line(len(rows)),
                *rows,
                *seen,
                line(int(result.detected), int(result.restarted), len(faces)),
                *faces,
            ]
        yield "\n".join([line(len(scene)), *lines])


def tracking_vectors(models: Path = MODELS) -> str:
    """The text of tracking.txt."""
    random = np.random.default_rng(SEED)
    sections = [
        section("assignments", ASSIGNMENTS, assignments(random)),
        section("tracks", TRACKS, tracks(random)),
        section("smoothed", SMOOTHED, smoothed(random)),
        section("neutral", NEUTRAL, neutral(random)),
        section("thumbnails", THUMBNAILS, thumbnails()),
        section("streams", STREAMS, streams(read_published(models), FaceModel.load(models / "face_model.npz"))),
    ]
    return HEAD + "\n".join(sections)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODELS)
    args = parser.parse_args()
    file = args.models / "mobile" / "tracking.txt"
    text = tracking_vectors(args.models)
    file.write_text(text, encoding="ascii")
    print(f"{file}: {len(text)} bytes")


if __name__ == "__main__":
    main()
