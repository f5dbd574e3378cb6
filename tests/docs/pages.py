"""The documents, and what in them is code."""

import argparse
import re
import shlex
from pathlib import Path
from textwrap import dedent

from httpx2 import Client, Response

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
SERVER = "http://localhost:8000"  # that the commands of the pages ask
PAGES = sorted((ROOT / "docs").rglob("*.md"))
# Documents that lie beside what they describe.
FOLDERS = ("bench", "clients", "deploy", "models", "training")
OTHERS = [
    *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.md")
        if "node_modules" not in path.parts  # what npm has installed there is not ours
    ),
]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str) -> list[str]:
    """The code of a document in one language, also that in lists."""
    fences = rf"^( *)```{language}\n(.*?)^\1```"
    found = re.findall(fences, path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [dedent(code) for _, code in found]


def shell_lines(path: Path, *program: str) -> list[list[str]]:
    """The arguments of each command line of a document that begins with these words, without its comment."""
    lines = [shlex.split(line, comments=True) for block in blocks(path, "sh") for line in block.splitlines()]
    return [line[len(program) :] for line in lines if tuple(line[: len(program)]) == program]


def send(client: Client, curl: list[str]) -> Response:
    """Sends to the client's server what curl would send with these arguments to one on this machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("--data-binary", dest="body")
    parser.add_argument("-F", dest="form")
    call = parser.parse_args(curl)
    assert call.url.startswith(SERVER), call.url
    path = call.url.removeprefix(SERVER)
    headers = dict(header.split(": ") for header in call.headers)
    if call.form:
        name, file = call.form.split("=@")
        return client.post(path, files={name: (file, (ROOT / file).read_bytes(), "image/jpeg")}, headers=headers)
    if call.body:
        return client.post(path, content=(ROOT / call.body.removeprefix("@")).read_bytes(), headers=headers)
    return client.get(path, headers=headers)
