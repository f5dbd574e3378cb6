"""The Kotlin in models/mobile/ gives what the Python gives: on the test vectors, and on a film."""

import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, Protocol, cast

import numpy as np
import pytest

from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.tracking.options import SmoothingOptions, StreamOptions
from service.tracking.session import FrameResult, Session
from service.vision.arrays import Pixels
from service.vision.image import Picture
from service.vision.nms import iou
from tests.models.mobile.kotlin_program import APP, DOCUMENTS, KOTLIN, ROOT, compiled, java_home, snippets
from training.scripts.vectors import read_published

FRAMES = 12
PERSON = np.dtype(
    [
        ("id", ">i4"),
        ("box", ">f4", 4),
        ("quaternion", ">f4", 4),
        ("translation", ">f4", 3),
        ("scale", ">f4"),
        ("expression", ">f4", 46),
        ("gaze", ">f4", 8),
        ("landmarks", ">f4", (68, 2)),
    ]
)


@pytest.fixture(scope="module")
def jar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("kotlin"))


def test_kotlin_agrees(mobile: Path, jar: Path) -> None:
    vectors = [mobile / name for name in ("vectors.txt", "tracking.txt", "landmarks.bin")]
    command: list[str | Path] = [java_home() / "bin/java", "-cp", jar, "CheckKt", *vectors]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    sections = [line.split(":")[0] for line in result.stdout.splitlines()]
    assert sections == [
        *("rotations", "letterboxes", "arkit", "cases", "refinements", "squares", "samples"),
        *("assignments", "tracks", "smoothed", "neutral", "thumbnails", "streams"),
    ]


def test_all_of_it_was_compiled() -> None:
    assert len(list(KOTLIN.rglob("*.kt"))) == 18
    assert len(list(APP.rglob("*.kt"))) == 4
    assert len(snippets()) == 7
    assert len(DOCUMENTS) == 3


class Network(Protocol):
    def run(self, images: Pixels) -> dict[str, Any]: ...


class LiteRt:
    """A published network, run by LiteRT as on a phone."""

    def __init__(self, file: Path) -> None:
        interpreter = pytest.importorskip("ai_edge_litert.interpreter")
        self._run = interpreter.Interpreter(model_path=str(file), num_threads=1).get_signature_runner()

    def run(self, images: Pixels) -> dict[str, Any]:
        outputs = [self._run(image=image[None]) for image in images]
        return {name: np.concatenate([output[name] for output in outputs]) for name in outputs[0]}


class Film:
    """The program Film.kt, for which the networks are run here."""

    def __init__(self, process: "subprocess.Popen[bytes]", mfn: Network, sfn: Network) -> None:
        self._to, self._from = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        self._networks = {
            1: (mfn, 288, ("detection", "pose", "identity", "expression")),
            2: (sfn, 128, ("pose", "identity", "expression", "gaze")),
        }

    def frame(self, pixels: Pixels, rotation: int, timestamp: float) -> tuple[bool, Any]:
        """Whether faces were detected in an upright picture, which stands as `rotation` tells, and PERSON records."""
        lying = np.rot90(pixels, rotation // 90)
        rgba = np.concatenate([lying, np.full((*lying.shape[:2], 1), 255, np.uint8)], axis=-1)
        self._send(struct.pack(">iiid", rgba.shape[1], rgba.shape[0], rotation, timestamp) + rgba.tobytes())
        while (kind := self._int()) in self._networks:
            network, side, names = self._networks[kind]
            image = np.frombuffer(self._from.read(side * side * 3), np.uint8).reshape(1, side, side, 3)
            outputs = network.run(image)
            self._send(b"".join(outputs[name].astype(">f4").tobytes() for name in names))
        detected, count = self._int(), self._int()
        return bool(detected), np.frombuffer(self._from.read(count * PERSON.itemsize), PERSON)

    def _send(self, data: bytes) -> None:
        self._to.write(data)
        self._to.flush()

    def _int(self) -> int:
        return int.from_bytes(self._from.read(4), "big", signed=True)


@contextmanager
def playing(jar: Path, mobile: Path, mfn: Network, sfn: Network) -> Iterator[Film]:
    command: list[str | Path] = [java_home() / "bin/java", "-cp", jar, "FilmKt", mobile / "landmarks.bin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Film(process, mfn, sfn)
        cast(IO[bytes], process.stdin).write(struct.pack(">i", -1))


@pytest.mark.usefixtures("resampled_by_pillow")
def test_a_film(jar: Path, mobile: Path) -> None:
    """Both int8 networks in LiteRT, two people who move: what a session of the service answers, pixels resampled by
    Pillow there and by ours here. The phone is turned while it films."""
    av = pytest.importorskip("av")
    models = Models.load(ROOT / "models")
    mfn, sfn = (LiteRt(ROOT / f"models/{name}.int8.tflite") for name in ("mfn", "sfn"))
    side = read_published(ROOT / "models").side
    parts = {name: getattr(models, name) for name in ("side", "priors", "crop_factor", "face_model")}
    described = SimpleNamespace(**parts, input_size=lambda _: side, mfn=mfn, sfn=sfn, upside_down=None)
    options = StreamOptions(refine=True, follow=True, max_faces=10, smoothing=SmoothingOptions())
    session = Session(Pipeline(cast(Models, described)), options)
    seen = set()
    with av.open(str(ROOT / "studio/film/faces.webm")) as film, playing(jar, mobile, mfn, sfn) as kotlin:
        for i, frame in enumerate(film.decode(video=0)):
            if i == FRAMES:
                break
            pixels = frame.to_ndarray(format="rgb24")
            expected = session.process_picture(Picture(pixels, pixels.shape[1], pixels.shape[0]), float(frame.time))
            detected, people = kotlin.frame(pixels, (0, 90, 180, 270)[i * 4 // FRAMES], float(frame.time))
            assert detected == expected.detected
            assert people["id"].tolist() == expected.track_id.tolist()
            assert len(people) == 2
            assert_near(people, expected, models)
            seen.add(detected)
    assert seen == {True, False}


def assert_near(people: Any, expected: FrameResult, models: Models) -> None:
    """Within what one level of 255 in the crops does to int8 networks; their own error is several times that."""
    faces = expected.faces
    assert np.diag(iou(people["box"], faces.box)).min() > 0.97
    cosine = np.abs((people["quaternion"] * faces.quaternion).sum(axis=-1))
    assert np.degrees(2 * np.arccos(np.minimum(cosine, 1))).max() < 1.0
    assert np.abs(people["expression"] - faces.expression).max() < 0.1
    assert np.abs(people["gaze"] - faces.gaze).max() < 0.1
    off = np.linalg.norm(people["landmarks"] - expected.landmarks(models.face_model), axis=-1)
    assert off.mean() < 1.0
