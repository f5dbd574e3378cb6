"""`mfn retarget`: finds the faces in photos, and prints or draws them."""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from io import BytesIO
from os.path import realpath  # unlike Path.resolve it takes links in a circle
from pathlib import Path
from typing import Final

from PIL import Image

from service.cli.arguments import FAILED, OK, add_input_size, check_input_size, count, score, tiles
from service.cli.draw import SURFACES, Surface, draw_faces
from service.cli.face_text import angles_of, strongest_of
from service.errors import TOO_LARGE, RequestError
from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline, RetargetResult
from service.server.schema import EXCLUDES, INCLUDES, retarget_document
from service.settings import Settings
from service.vision.faces import Face
from service.vision.image import decode
from service.vision.limits import JPEG_PIXELS
from service.vision.tile_layout import MAX_TILES

STDIN: Final = Path("-")
ADDRESS: Final = re.compile(r"\w+:/")  # Path makes one slash of two
ALL_PIXELS = sys.maxsize  # a side that no picture has, so that decoding never reduces its size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's description and arguments."""
    parser.description = "Finds the faces in photos and prints a table, or JSON, or draws them."
    parser.add_argument(
        "photos", metavar="PHOTO", nargs="+", type=Path, help="a JPEG, PNG, WebP or AVIF file; - is stdin"
    )
    parser.add_argument("--json", action="store_true", help="print what POST /retarget answers, a line for each photo")
    parser.add_argument(
        "--include",
        type=partial(names_of, INCLUDES),
        default=(),
        metavar="WHAT",
        help="add landmarks, blendshapes or both to the JSON",
    )
    parser.add_argument(
        "--exclude",
        type=partial(names_of, EXCLUDES),
        default=(),
        metavar="WHAT",
        help="leave identity out of the JSON, which a character does not need",
    )
    parser.add_argument(
        "--draw",
        type=Path,
        metavar="OUT",
        help="draw the faces into this file; into OUT/<name of the photo>.png where OUT is a folder, "
        "which it must be for several photos; one is made where OUT has no ending",
    )
    parser.add_argument("--surface", choices=SURFACES, default="mesh", help="what to draw on a face (default: mesh)")
    parser.add_argument("--min-score", type=score, metavar="S", help="least score of a face, 0.01 to 1 (default: 0.5)")
    parser.add_argument("--max-faces", type=count, metavar="N", help="most faces, 1 to 100 (default: 20)")
    parser.add_argument("--refine", action="store_true", help="take a second, closer look at each face; slower")
    parser.add_argument(
        "--tiles",
        type=tiles,
        default=1,
        metavar="N",
        help="look at overlapping tiles, too, so that smaller faces are found: into how many the longer side is cut, "
        f"1 (the whole photo only) to {MAX_TILES} (default: 1); slower with each tile",
    )
    add_input_size(parser)
    parser.set_defaults(run=partial(run, parser))


def run(parser: argparse.ArgumentParser, settings: Settings, chosen: argparse.Namespace) -> int:
    """Runs the command. Returns the exit code. Raises StartError where models or execution provider are missing."""
    if (chosen.include or chosen.exclude) and not chosen.json:
        parser.error("--include and --exclude are about what --json prints; give it, too")
    check_drawing_target(parser, chosen.photos, chosen.draw)
    execution = Execution(settings.precision, settings.execution_provider, threads=settings.workers)
    pipeline = Pipeline(Models.load(settings.models_dir, execution), settings)
    check_input_size(parser, pipeline.models, chosen)
    options = RetargetOptions(
        min_score=settings.default_min_score if chosen.min_score is None else chosen.min_score,
        max_faces=settings.default_max_faces if chosen.max_faces is None else chosen.max_faces,
        refine=chosen.refine,
        tiles=chosen.tiles,
        input_size=chosen.input_size,
    )
    # A photo that cannot be read does not end the loop, so that the others are still processed.
    codes = [retarget(photo, pipeline, options, chosen) for photo in chosen.photos]
    return max(codes)


def retarget(photo: Path, pipeline: Pipeline, options: RetargetOptions, chosen: argparse.Namespace) -> int:
    """Prints, and draws where chosen, the faces of one photo. Returns OK, or FAILED with the reason on stderr."""
    try:
        data = read(photo, pipeline.settings.max_bytes)
        result = pipeline.retarget(data, options)
        if chosen.draw is not None:
            target = chosen.draw
            if target.is_dir() or not target.suffix:
                target.mkdir(parents=True, exist_ok=True)
                target /= f"{photo.stem}.png"
            draw(data, result, pipeline, target, chosen.surface)
            print(f"Drawn into {target}", file=sys.stderr)
    except OSError as error:
        hint = ". Of what is elsewhere: curl ADDRESS | mfn retarget -" if ADDRESS.match(str(photo)) else ""
        reason = f"{error.filename or photo}: {error.strerror or error}{hint}"
    except RequestError as error:
        hint = " Or raise MFN_MAX_BYTES or MFN_MAX_MEGAPIXELS." if error.kind is TOO_LARGE else ""
        reason = f"{photo}: {error}{hint}"
    else:
        if chosen.json:
            document = retarget_document(result, pipeline.models, chosen.include, chosen.exclude)
            print(json.dumps(document, separators=(",", ":"), allow_nan=False))
        else:
            print(table(photo, result, pipeline.models.face_model.expression_names))
        return OK
    print(f"mfn: {reason}", file=sys.stderr)
    return FAILED


def read(photo: Path, most: int) -> bytes:
    """The bytes of a photo, and one more than `most` where there are more, however many. Raises OSError."""
    if photo == STDIN:
        return sys.stdin.buffer.read(most + 1)
    # Without waiting for a writer: a named pipe that nobody writes to is empty.
    with open(photo, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as file:
        os.set_blocking(file.fileno(), True)
        return file.read(most + 1)


def draw(data: bytes, result: RetargetResult, pipeline: Pipeline, target: Path, surface: Surface) -> None:
    """Draws the faces on their photo, at its full size, into a file; the suffix of its name is the format."""
    most = JPEG_PIXELS * pipeline.settings.max_megapixels  # what is too large has been refused before
    image = Image.fromarray(decode(data, ALL_PIXELS, most).pixels)
    drawn = draw_faces(image, result.faces, pipeline.models.face_model, surface)
    encoded = BytesIO()
    drawn.save(encoded, Image.registered_extensions()[target.suffix.lower()], quality=92)
    target.write_bytes(encoded.getvalue())


def table(photo: Path, result: RetargetResult, expression_names: Sequence[str]) -> str:
    """The table of a photo's faces: a heading, and a line for each."""
    count = len(result.faces)
    faces = "1 face" if count == 1 else f"{count or 'no'} faces"
    heading = f"{photo}: {faces} in {result.width} x {result.height} pixels"
    return "\n".join([heading, *(table_line(face, expression_names) for face in result.faces)])


def table_line(face: Face, expression_names: Sequence[str]) -> str:
    """The table's line of a face."""
    x1, y1, x2, y2 = (round(float(edge)) for edge in face.box)
    yaw, pitch, roll = angles_of(face)
    return (
        f"  score {face.score:.2f}  at {x1:5},{y1:5}  size {x2 - x1:4} x{y2 - y1:5}"
        f"  yaw {yaw:4}  pitch {pitch:4}  roll {roll:4}  {strongest_of(face, expression_names)}"
    )


def check_drawing_target(parser: argparse.ArgumentParser, photos: Sequence[Path], target: Path | None) -> None:
    """Ends the program with a message and exit code 2 where --draw cannot work, before any photo is processed."""
    if target is None:
        return
    if target.is_dir() or not target.suffix:
        names = [photo.stem for photo in photos]
        if twice := next((photo for photo in photos if names.count(photo.stem) > 1), None):
            parser.error(f"--draw: two photos would be drawn into {target / twice.stem}.png; draw them one by one")
        if lost := next((photo for photo in photos if realpath(target / f"{photo.stem}.png") == realpath(photo)), None):
            parser.error(f"--draw: {lost} would be overwritten; name another folder")
    elif len(photos) > 1:
        parser.error(f"--draw: {target} is no folder, and {len(photos)} photos need one")
    elif Image.registered_extensions().get(target.suffix.lower()) not in ("PNG", "JPEG", "WEBP"):
        parser.error(f"--draw: cannot write {target.name!r}; give it the ending .png, .jpg or .webp")
    elif realpath(target) == realpath(photos[0]):
        parser.error(f"--draw: {target} would be overwritten; name another file")


def names_of(known: Sequence[str], text: str) -> tuple[str, ...]:
    """Parses the value of --include or --exclude: names with commas between."""
    names = tuple(name for name in text.split(",") if name)
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(known)}")
    return names
