"""`mfn capture`: the faces of a film become takes, files that animation programs open."""

import argparse
import sys
from collections.abc import Iterable
from contextlib import ExitStack, closing
from fractions import Fraction
from functools import partial
from os.path import realpath  # unlike Path.resolve it takes links in a circle
from pathlib import Path
from typing import Final

import numpy as np

from service.cli.arguments import FAILED, OK, add_input_size, check_input_size, count, score
from service.cli.capture.assembly import Assembly, Neutral
from service.cli.capture.capturing import Captured, capture
from service.cli.capture.film import film_of, holes, is_even
from service.cli.capture.folder import TakeFolder
from service.cli.capture.formats import FORMATS, formats_of
from service.cli.capture.formats.character import Character, CharacterError, character_file
from service.cli.capture.formats.format import Format
from service.cli.capture.formats.glb import DEFAULT_CHARACTER
from service.cli.capture.neutral import absolute, resting_face
from service.cli.capture.people import MIN_SECONDS, People
from service.cli.capture.preview import SUFFIX, draw_preview
from service.cli.capture.progress import Progress
from service.cli.capture.records import Records
from service.cli.capture.sources import open_source
from service.cli.capture.sources.camera import time_of_day
from service.cli.capture.sources.source import Source
from service.cli.capture.stored_takes import StoredTakes
from service.cli.capture.take import Film, Take
from service.cli.capture.timecode import nearest_standard
from service.cli.interruption import exit_code, sigterm_as_ctrl_c
from service.cli.neutral_file import NeutralFileError, read_neutral
from service.cli.video.frames import VideoError
from service.cli.whole_file import WriteError, cannot_write
from service.cores import usable_cores
from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.settings import Settings

DEFAULT_FORMATS: Final = ("csv",)
AUTO, NONE = "auto", "none"  # values of --neutral beside a file
MAX_HOLES: Final = 3  # in a film, that are told one by one
RATE_RANGE: Final = (1, 1000)  # frames a second


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's description and arguments."""
    parser.description = (
        "Finds the faces in every frame of a film, and writes each person's motion as files that animation "
        "programs open. Interrupted, it goes on where it was when you run the same command again."
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a film, a folder of pictures, or the number of a camera, from 0, which Ctrl-C ends",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="TAKE", help="the folder to write into: person-1.csv and so on"
    )
    parser.add_argument(
        "--format",
        type=formats,
        default=DEFAULT_FORMATS,
        metavar="NAMES",
        help=f"with commas between, of {', '.join(FORMATS)} (default: {','.join(DEFAULT_FORMATS)})",
    )
    parser.add_argument(
        "--character",
        type=character,
        metavar="NAME|FILE",
        help="what moves in .glb files: one of Studio's characters, or a .glb of your own with ARKit's morph targets "
        f"(default: {DEFAULT_CHARACTER})",
    )
    parser.add_argument(
        "--rate",
        type=rate,
        metavar="FPS",
        help="resample to even frames at this rate, as 30, 29.97 or 30000/1001; of a folder of pictures, their rate "
        "(default: the film's own times; 30 for pictures)",
    )
    parser.add_argument(
        "--neutral",
        default=AUTO,
        metavar=f"{AUTO}|{NONE}|FILE",
        help=f"the resting face that expressions are relative to: {AUTO}, each person's own in this film; {NONE}; or a "
        f"file of an earlier take, as person-1.neutral.json (default: {AUTO})",
    )
    parser.add_argument(
        "--smooth",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="take the noise out of what is still, without delay (default: yes)",
    )
    parser.add_argument(
        "--preview", type=Path, metavar="FILE", help="draw the takes on the film, into this .mp4; reads it once more"
    )
    parser.add_argument("--force", action="store_true", help="replace takes that are there, and begin from the start")
    parser.add_argument("--min-score", type=score, metavar="S", help="least score of a face, 0.01 to 1 (default: 0.5)")
    parser.add_argument("--max-faces", type=count, metavar="N", help="most faces, 1 to 100 (default: 20)")
    parser.add_argument(
        "--refine",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="take a second, closer look at each face, which also sees where eyes look (default: yes)",
    )
    add_input_size(parser)
    parser.set_defaults(run=partial(run, parser))


def run(parser: argparse.ArgumentParser, settings: Settings, chosen: argparse.Namespace) -> int:
    """Runs the command. Returns the exit code. Raises StartError where models or execution provider are missing."""
    folder = TakeFolder(chosen.out)
    if chosen.character is not None and "glb" not in chosen.format:
        parser.error("--character is about what moves in .glb files; give --format glb, too")
    if chosen.preview is not None:
        if chosen.preview.suffix.lower() != SUFFIX:
            parser.error(f"--preview: cannot write {chosen.preview.name!r}; give it the ending {SUFFIX}")
        if chosen.preview.is_dir():
            parser.error(f"--preview: {chosen.preview} is a folder; name a file")
        if realpath(chosen.preview) == realpath(chosen.source):
            parser.error(f"--preview: {chosen.preview} would be overwritten; name another file")
    try:
        if chosen.character is None and "glb" in chosen.format:
            chosen.character = Character.read(character_file(DEFAULT_CHARACTER))
        source = open_source(chosen.source, chosen.rate)
        if chosen.preview is not None and source.live:
            parser.error("--preview is about a film; a camera cannot be read once more")
        threads = usable_cores().count
        execution = Execution(settings.precision, settings.execution_provider, threads=1, runs=threads)
        models = Models.load(settings.models_dir, execution)
        check_input_size(parser, models, chosen)
        options = RetargetOptions(
            min_score=settings.default_min_score if chosen.min_score is None else chosen.min_score,
            max_faces=settings.default_max_faces if chosen.max_faces is None else chosen.max_faces,
            refine=chosen.refine,
            input_size=chosen.input_size,
        )
        neutral = neutral_of(chosen.neutral, models)
        records = open_records(folder, source, models, options, chosen.force)
        with closing(records), sigterm_as_ctrl_c():
            return capture_takes(source, records, folder, Pipeline(models, settings), options, threads, neutral, chosen)
    except (VideoError, NeutralFileError, CharacterError) as error:
        tell(str(error))
    except OSError as error:
        told = str(error) if isinstance(error, WriteError) else cannot_write(error.filename or folder.records, error)
        tell(f"{told} What is captured is kept: run the same command again when that is mended.")
    return FAILED


def capture_takes(
    source: Source,
    records: Records,
    folder: TakeFolder,
    pipeline: Pipeline,
    options: RetargetOptions,
    threads: int,
    neutral: Neutral,
    chosen: argparse.Namespace,
) -> int:
    """Captures what is not captured yet, and writes the takes of all that is. Returns the exit code."""
    earlier = len(records)
    captured = Captured.resumed(records, source)
    done = len(captured.timestamps)
    if done:
        tell(f"{folder.path} holds an earlier run, up to frame {done}; going on after it.")
    progress = Progress(source.expected, float(source.rates[0]), done)
    ended = OK
    try:
        capture(source, records, captured, pipeline, options, threads, progress.step)
    except KeyboardInterrupt as interruption:
        ended = exit_code(interruption)
        if len(captured.timestamps) < len(records):  # it came between both
            captured = Captured.of(records)
    finally:
        progress.end()
    if not captured.timestamps:
        return ended or FAILED  # the latter where a camera has shown nothing
    tell(f"{progress.summary()}.")
    refusals = write_takes(source, records, captured, earlier, folder, pipeline.models, neutral, chosen)
    if ended and not source.live:
        tell(f"These are the takes up to frame {len(captured.timestamps)}. Run the same command again to go on.")
        return ended
    if source.shortage:
        tell(source.shortage)
    if refusals:
        tell("What is captured is kept: run the command again as said.")
    else:
        folder.records.unlink()
    return FAILED if refusals or source.shortage else OK


def write_takes(
    source: Source,
    records: Records,
    captured: Captured,
    earlier: int,
    folder: TakeFolder,
    models: Models,
    neutral: Neutral,
    chosen: argparse.Namespace,
) -> list[str]:
    """Writes the takes of what is captured, and removes those of an earlier capture. Returns in words why formats
    cannot hold them. earlier: frames that an earlier run had recorded."""
    timestamps = np.array(captured.timestamps)
    timecode = time_of_day(timestamps[0], source.rates[0]) if source.live else source.timecode
    film = film_of(source.name, captured.size, timestamps, source.rates, timecode)
    people = captured.tracks.people(float(film.timecode.rate))
    assembly = Assembly(models.face_model.expression_names, models.arkit, neutral, chosen.rate, chosen.smooth)
    of_takes = assembly.film_of_takes(film)
    asked = [(kind, kind.refusal(of_takes)) for kind in formats_of(chosen.format, chosen.character)]
    kinds = [kind for kind, refusal in asked if refusal is None]
    if len(captured.timestamps) != earlier:
        # Takes of as many frames are of this capture: a run before wrote them, in formats that could hold them.
        folder.keep_only(len(people), kinds)
    with ExitStack() as stack:
        drawn = None
        if chosen.preview is not None:
            drawn = stack.enter_context(StoredTakes(folder.path, of_takes))
        for person in range(1, len(people) + 1):
            # Nothing here keeps a take: the memory of the last one is free when the next one is made.
            write_take(folder, assembly.take(film, people, records, person), kinds, drawn)
        tell_of_people(people, film, source.live, chosen)
        if drawn:
            preview(chosen.preview, source, drawn, models)
    refusals = [refusal for _, refusal in asked if refusal is not None]
    for refusal in refusals:
        tell(refusal)
    return refusals


def tell_of_people(people: People, film: Film, live: bool, chosen: argparse.Namespace) -> None:
    """Tells who has no take, where pictures are missing, and of a frame rate that varies."""
    if not len(people):
        print("nobody: no face was found")
    if people.brief:
        tell(f"{people.brief} more were seen for less than {MIN_SECONDS:g} s in all, and are left out.")
    missing = [] if live else np.flatnonzero(holes(film.timestamps, chosen.rate)).tolist()
    for before in missing[:MAX_HOLES]:
        tell(f"The film has no pictures from {film.timestamps[before]:.1f} s to {film.timestamps[before + 1]:.1f} s.")
    if len(missing) > MAX_HOLES:
        tell(f"It lacks them in {len(missing) - MAX_HOLES} more places.")
    if chosen.rate is None and not is_even(film):
        low, high = np.percentile(1 / np.diff(film.timestamps), [5, 95])
        tell(f"The film's frame rate varies, from {low:.0f} to {high:.0f} a second; takes have its own times. "
             f"--rate {max(1, round(film.timecode.rate))} gives even ones.")  # fmt: skip


def write_take(folder: TakeFolder, take: Take, formats: Iterable[Format], drawn: StoredTakes | None) -> None:
    """Writes a take in formats, and stores it among those that are drawn. Raises OSError."""
    folder.write(take, formats)
    if drawn is not None:
        drawn.add(take)
    seen = int(take.seen.sum())
    print(f"person {take.person}: seen in {seen} of {len(take.film)} frames, {int(take.bridged.sum())} bridged")


def preview(path: Path, source: Source, takes: StoredTakes, models: Models) -> None:
    """Draws the takes on their film. Raises VideoError and WriteError."""
    tell(f"Drawing {path}.")
    progress = Progress(len(takes.film), float(takes.film.timecode.rate))
    try:
        draw_preview(path, source, takes, models.face_model, progress.step)
    finally:
        progress.end()


def neutral_of(choice: str, models: Models) -> Neutral:
    """What gives each person's resting face, by the value of --neutral. Raises NeutralFileError."""
    if choice in (AUTO, NONE):
        return resting_face if choice == AUTO else absolute
    face = read_neutral(Path(choice), models.face_model.expression_names)
    return lambda _: face


def open_records(folder: TakeFolder, source: Source, models: Models, options: RetargetOptions, force: bool) -> Records:
    """The records of an unfinished capture of the same source in the same way, or new ones. Raises VideoError."""
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VideoError(
            f"{folder.path} cannot be the folder of the takes: {error.strerror or error}. Name another."
        ) from error
    header = {
        "source": source.identity,
        "models": models.manifest.version,
        "precision": models.execution.precision,
        "options": vars(options),
    }
    try:
        if folder.records.exists() and not force:
            records = Records.resume(folder.records)
            if records is not None:
                if records.header == header:
                    return records
                records.close()
            raise VideoError(
                f"{folder.path} holds the beginning of another capture: of another source, or with other options. "
                "Finish that one first, name another folder, or give --force to begin anew."
            )
        if not folder.may_replace(force):
            raise VideoError(f"{folder.path} has takes already. Name another folder, or give --force to replace them.")
        return Records.create(folder.records, header)
    except OSError as error:
        raise VideoError(cannot_write(folder.records, error)) from error


def tell(sentence: str) -> None:
    """Tells the user something on stderr."""
    print(f"mfn: {sentence}", file=sys.stderr, flush=True)


def formats(text: str) -> tuple[str, ...]:
    """Parses the value of --format."""
    names = tuple(dict.fromkeys(name for name in map(str.strip, text.split(",")) if name))
    if unknown := [name for name in names if name not in FORMATS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(FORMATS)}")
    return names or DEFAULT_FORMATS


def character(text: str) -> Character:
    """Parses the value of --character."""
    try:
        read = Character.read(character_file(text))
    except CharacterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if "head" not in read.joints:
        tell(f"{text} has no node called head: its face moves, and the head does not turn.")
    return read


def rate(text: str) -> Fraction:
    """Parses a frame rate: a number, or a ratio of two."""
    try:
        # A power of ten would be written out with all its digits.
        value = Fraction(0) if "e" in text.lower() else Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not RATE_RANGE[0] <= value <= RATE_RANGE[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is no frame rate; expected 1 to 1000, as 30, 29.97 or 30000/1001")
    return value if "/" in text else nearest_standard(value)
