"""Renews what the README shows of the program itself: the picture, the answer to its curl, the settings.

Run `make readme` after the published networks, the answer or a setting has changed. Each renewed part of README.md
stands between two comments, <!-- begin NAME --> and <!-- end NAME -->.
"""

import json
import re
from pathlib import Path
from typing import Any

from service.cli import main as mfn
from service.model_files import Models
from service.pipeline import Options, Pipeline
from service.rest.schema import retarget_document
from service.settings import Settings, markdown_table

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PHOTO = ROOT / "docs/astronaut.jpg"
PICTURE = ROOT / "docs/faces.jpg"

IDENTITY_SHOWN = 4
EXPRESSIONS_SHOWN = 5


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
    settings = Settings()
    pipeline = Pipeline(Models.load(settings.models_dir), settings)
    photo = PHOTO.read_bytes()
    pipeline.retarget(photo, Options())  # the first run of a network takes longer than the next
    return retarget_document(pipeline.retarget(photo, Options()), pipeline.models)


def main() -> None:
    mfn(["retarget", str(PHOTO), "--draw", str(PICTURE)])
    text = README.read_text(encoding="utf-8")
    renewed = {
        "picture": '<img src="docs/faces.jpg" width="480" alt="A photo with its face found: box, mesh, head pose '
        'and the strongest expression coefficients">\n',
        "answer": f"```json\n{shortened(answer())}\n```\n",
        "settings": markdown_table(),
    }
    for name, content in renewed.items():
        text = text.replace(part(name, text), content, 1)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
