"""Renews what the documents show of the program itself: the picture, an answer, settings, problems, messages; and the
JavaScript client's types of these.

Run `make readme` after the published networks, the answer, a setting, a problem or a message has changed. Each renewed
part of a document stands between two comments, <!-- begin NAME --> and <!-- end NAME -->.
"""

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from PIL import Image

from service.cli.main import main as mfn
from service.inference.manifest import read_manifest
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.server.problems import CODES
from service.server.schema import retarget_document
from service.settings import Settings, markdown_table
from service.vision.face_model import FaceModel
from tools import javascript_types, websocket_schema

ROOT: Final = Path(__file__).resolve().parent.parent
README: Final = ROOT / "README.md"
DOCS: Final = ROOT / "docs"
SCHEMA: Final = DOCS / "websocket.schema.json"
JAVASCRIPT_TYPES: Final = ROOT / "clients/javascript/src/generated.ts"
PHOTO: Final = DOCS / "astronaut.jpg"
RENDERED: Final = ROOT / "tests/pictures/five_faces.webp"
PICTURE: Final = DOCS / "faces.webp"

# The picture: part of the photo beside some of the rendered heads, all as high. Corners x1, y1, x2, y2 in pixels.
PHOTO_PART: Final = (96, 10, 362, 360)
RENDERED_PART: Final = (0, 0, 776, 560)

LINE: Final = 120  # characters
IDENTITY_SHOWN: Final = 4
EXPRESSIONS_SHOWN: Final = 5
RUNS: Final = 20


def part(name: str, text: str) -> str:
    """The text between the two comments of this name. Raises ValueError where they are not there."""
    return _found(name, text).group(1)


def with_part(name: str, text: str, content: str) -> str:
    """The text with this content between the two comments. Raises ValueError where they are not there."""
    found = _found(name, text)
    return text[: found.start(1)] + content + text[found.end(1) :]


def _found(name: str, text: str) -> re.Match[str]:
    found = re.search(rf"<!-- begin {name} -->\n(.*?)<!-- end {name} -->", text, re.DOTALL)
    if found is None:
        raise ValueError(f"There is no part {name!r}: no comments <!-- begin {name} --> and <!-- end {name} -->.")
    return found


def problems_table() -> str:
    """The kinds of problems, a line each, as each transport tells them."""
    lines = ["| name | what | HTTP | gRPC | WebSocket |", "|---|---|---|---|---|"]
    for kind, codes in CODES.items():
        lines.append(f"| `{kind.name}` | {kind.title} | {codes.http} | {codes.grpc} | {codes.websocket} |")
    return "\n".join(lines) + "\n"


def expressions() -> str:
    """The names of the 46 expression coefficients, in their order."""
    names = FaceModel.load(Settings().models_dir / "face_model.npz").expression_names
    return f"```text\n{textwrap.fill(' '.join(names), LINE)}\n```\n"


def schema_text() -> str:
    """The JSON Schema of the WebSocket stream, as it stands in docs/."""
    return json.dumps(websocket_schema.document(), indent=1) + "\n"


def generated() -> dict[Path, str]:
    """Each document whose content follows from the code alone, as it should be."""
    documents = {SCHEMA: schema_text(), JAVASCRIPT_TYPES: javascript_types.source()}
    for name, page, content in (
        ("settings", DOCS / "settings.md", markdown_table()),
        ("problems", DOCS / "problems.md", problems_table()),
        ("options", DOCS / "websocket.md", websocket_schema.options_table()),
        ("expressions", DOCS / "models.md", expressions()),
    ):
        documents[page] = with_part(name, page.read_text(encoding="utf-8"), content)
    return documents


def stale() -> list[Path]:
    """The generated documents that are not as they should be."""
    return [path for path, text in generated().items() if not path.exists() or path.read_text(encoding="utf-8") != text]


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
    """The answer to the README's curl; its times are of the quickest of several runs."""
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


def caption() -> str:
    """The picture in the README, and the version that drew it."""
    version = read_manifest(Settings().models_dir / "manifest.json").version
    return (
        '<img src="docs/faces.webp" width="840" alt="Four faces found in one picture: each with box, mesh, head pose '
        'and strongest expression coefficients">\n\n'
        f"*Models {version}. Drawn by `mfn retarget --refine --draw`: a photo beside three rendered heads.*\n"
    )


def renew_readme() -> None:
    """Draws the picture and asks for the answer anew: both are of this machine, and differ a little elsewhere."""
    with TemporaryDirectory() as folder:
        photo = Path(folder) / "group.png"
        group().save(photo)
        if code := mfn(["retarget", str(photo), "--refine", "--draw", str(PICTURE)]):
            raise SystemExit(code)
    text = README.read_text(encoding="utf-8")
    for name, content in (("picture", caption()), ("answer", f"```json\n{shortened(answer())}\n```\n")):
        text = with_part(name, text, content)
    README.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 1 where --check finds a document that is not current."""
    parser = argparse.ArgumentParser(prog="python -m tools.readme", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit with 1 where a part that follows from the code alone is not current (the picture and "
        "the answer depend on the machine: they are not looked at)",
    )
    chosen = parser.parse_args(arguments)
    if chosen.check:
        paths = stale()
        for path in paths:
            print(f"{path.relative_to(ROOT)} is not current; run `make readme`.", file=sys.stderr)
        return 1 if paths else 0
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
    renew_readme()
    return 0


if __name__ == "__main__":
    sys.exit(main())
