"""How much memory `mfn capture` takes for long films: while it captures, and while it writes each format.

    python -m bench.capture_memory [--minutes 1 10 60] [--persons 1 3]

Faces are made up, no network runs: their records take the way that those of a film take, through the file of the
capture, the tracks and the assembly into the files. preview is what its takes need, without
pictures. Each figure is the most memory in RAM, MB, of a process that has
loaded the program but no networks; a take has all formats in turn, each in a process of its own.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from service.cli.capture.assembly import Assembly
from service.cli.capture.capturing import Captured
from service.cli.capture.film import film_of
from service.cli.capture.folder import TakeFolder
from service.cli.capture.formats import FORMATS
from service.cli.capture.neutral import resting_face
from service.cli.capture.records import COLUMNS, WIDTH, Record, Records
from service.cli.capture.stored_takes import StoredTakes
from service.inference.manifest import MANIFEST, read_manifest
from service.vision.arkit import arkit_matrix

MODELS = Path(__file__).resolve().parents[1] / "models"
RATE = 30
WIDTH_OF_FILM, HEIGHT_OF_FILM = 1920, 1080


def made_up(frames: int, persons: int) -> Iterator[Record]:
    """Records of people side by side, who move slowly and tremble."""
    generator = np.random.default_rng(0)
    faces = np.full((persons, WIDTH), 0.3)
    faces[:, COLUMNS["quaternion"]] = 0, 0, 0, 1
    faces[:, COLUMNS["translation"]] = 0, 0, -60
    faces[:, COLUMNS["scale"]] = 10
    faces[:, COLUMNS["identity"]] = generator.normal(size=faces[:, COLUMNS["identity"]].shape)
    for person in range(persons):
        faces[person, COLUMNS["box"]] = np.array([100, 100, 300, 340]) + 400 * np.array([person, 0, person, 0])
    phase = np.arange(WIDTH)
    for number in range(frames):
        moved = faces + 0.05 * np.sin(number / 15 + phase) + generator.normal(0, 0.01, faces.shape)
        yield Record(number / RATE, WIDTH_OF_FILM, HEIGHT_OF_FILM, 0, moved.astype(np.float32))


def peak(work: Callable[[], None]) -> float:
    """The most memory that lay in RAM while a process of its own did some work, MB."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        Path("/proc/self/clear_refs").write_text("5")  # Linux forgets the most so far
        work()
        os.write(writer, str(most()).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        text = told.read()
    os.waitpid(child, 0)
    return float(text) if text else float("nan")


def most() -> float:
    """The most memory that lay in RAM so far, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measure(minutes: int, persons: int, folder: Path) -> dict[str, float]:
    """The most memory while capturing, and while writing, by format."""
    records = Records.create(folder / "records", {})
    captured = Captured.of(records)
    for record in made_up(minutes * 60 * RATE, persons):
        records.append(record)
        captured.add(record)
    figures = {"capturing": most()}
    names = read_manifest(MODELS / MANIFEST).expression_names
    film = film_of("film", captured.size, np.array(captured.timestamps), (Fraction(RATE),), None)
    people = captured.tracks.people(RATE)
    assert len(people) == persons
    assembly = Assembly(names, arkit_matrix(names), resting_face)

    def write(kind: str) -> None:
        for person in range(1, persons + 1):
            TakeFolder(folder).write(assembly.take(film, people, records, person), [FORMATS[kind]])

    def keep_for_preview() -> None:
        with StoredTakes(folder, film) as stored:
            for person in range(1, persons + 1):
                stored.add(assembly.take(film, people, records, person))
            for frame in range(len(film)):
                stored.at(frame)

    figures["preview"] = peak(keep_for_preview)
    return figures | {kind: peak(lambda kind=kind: write(kind)) for kind in FORMATS}  # type: ignore[misc]


def main() -> None:
    """Prints a line a length and number of persons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, nargs="+", default=[1, 10, 60])
    parser.add_argument("--persons", type=int, nargs="+", default=[1, 3])
    chosen = parser.parse_args()
    for persons in chosen.persons:
        for minutes in chosen.minutes:
            with tempfile.TemporaryDirectory() as folder:

                def work(minutes: int = minutes, persons: int = persons, folder: str = folder) -> None:
                    figures = measure(minutes, persons, Path(folder))
                    told = ", ".join(f"{name} {figure:.0f}" for name, figure in figures.items())
                    print(f"{persons} persons, {minutes} minutes: {told} MB", flush=True)

                peak(work)


if __name__ == "__main__":
    main()
