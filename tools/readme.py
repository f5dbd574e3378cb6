"""Renews what the README shows of the program itself: the picture, the answer to its curl, the settings.

Run `make readme` after the published networks, the answer or a setting has changed. Each renewed part of README.md
stands between two comments, <!-- begin NAME --> and <!-- end NAME -->.
"""

import json
import re
from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from service.cli.main import main as mfn
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.server.schema import retarget_document
from service.settings import Settings, markdown_table

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PHOTO = ROOT / "docs/astronaut.jpg"
RENDERED = ROOT / "tests/pictures/five_faces.webp"
PICTURE = ROOT / "docs/faces.webp"

# The picture: part of the photo beside some of the rendered heads, all as high. Corners x1, y1, x2, y2 in pixels.
PHOTO_PART = (96, 10, 362, 360)
RENDERED_PART = (0, 0, 776, 560)

IDENTITY_SHOWN = 4
EXPRESSIONS_SHOWN = 5
RUNS = 20


def part(name: str, text: str) -> str:
    """The text between the two comments of this name."""
    found = re.search(rf"<!-- begin {name} -->\n(.*?)<!-- end {name} -->", text, re.DOTALL)
    if found is None:
        raise ValueError(f"README.md has no part {name!r}")
    return found.group(1)


def shortened(answer: dict[str, Any]) -> str:
    """The answer as JSON on a few lines: of the long lists only the start, of the expressions only the strongest."""
    lines = [f'{{"{name}": {json.dumps(answer[name])},' for name in ("model", "image", "timing_ms")]
    faces = []
    for face in answer["faces"]:
        identity, expression = face["identity"], face["expression"]
        strongest = sorted(expression, key=expression.get, reverse=True)[:EXPRESSIONS_SHOWN]
        shown = {
            **face,
            "identity": [*identity[:IDENTITY_SHOWN], f"... {len(identity) - IDENTITY_SHOWN} more"],
            "expression": {
                **{name: weight for name, weight in expression.items() if name in strongest},
                "...": f"{len(expression) - len(strongest)} more",
            },
        }
        faces.append("  {" + ",\n   ".join(f'"{name}": {json.dumps(value)}' for name, value in shown.items()) + "}")
    first, *others = lines
    return "\n".join([first, *(f" {line[1:]}" for line in others), ' "faces": [', ",\n".join(faces), " ]}"])


def answer() -> dict[str, Any]:
    """The answer to PHOTO, as REST gives it, of the quickest of several runs."""
    settings = Settings()
    pipeline = Pipeline(Models.load(settings.models_dir), settings)
    photo = PHOTO.read_bytes()
    # The first run of a network takes longer than the next, and on a busy machine any may be interrupted.
    results = [pipeline.retarget(photo, RetargetOptions()) for _ in range(RUNS)]
    quickest = min(results, key=lambda result: sum(astuple(result.timing)))
    return retarget_document(quickest, pipeline.models)


def group() -> Image.Image:
    """Several faces in one picture: the photo's and rendered ones."""
    with Image.open(PHOTO) as photo, Image.open(RENDERED) as rendered:
        heads = rendered.convert("RGB").crop(RENDERED_PART)
        person = photo.convert("RGB").crop(PHOTO_PART)
    person = person.resize((round(person.width * heads.height / person.height), heads.height), Image.Resampling.LANCZOS)
    picture = Image.new("RGB", (person.width + heads.width, heads.height))
    picture.paste(person, (0, 0))
    picture.paste(heads, (person.width, 0))
    return picture


def main() -> None:
    """Reads the options and runs the command."""
    with TemporaryDirectory() as folder:
        photo = Path(folder) / "group.png"
        group().save(photo)
        if code := mfn(["retarget", str(photo), "--refine", "--draw", str(PICTURE)]):
            raise SystemExit(code)
    text = README.read_text(encoding="utf-8")
    renewed = {
        "picture": '<img src="docs/faces.webp" width="840" alt="Four faces found in one picture: each with box, mesh, '
        'head pose and strongest expression coefficients">\n\n'
        "*Drawn by `mfn retarget --refine --draw`: a photo beside three rendered heads, in one picture.*\n",
        "answer": f"```json\n{shortened(answer())}\n```\n",
        "settings": markdown_table(),
    }
    for name, content in renewed.items():
        text = text.replace(part(name, text), content, 1)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
