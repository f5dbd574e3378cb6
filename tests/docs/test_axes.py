"""docs/axes.md has the frames of service/cli/avatar/axes.py, and no other page has another rotation for an engine."""

import re
from pathlib import Path
from typing import Final

import pytest

from service.cli.avatar.axes import FRAMES, Frame
from tests.docs.pages import OTHERS, PAGES, README, ROOT, name_of

AXES: Final = ROOT / "docs/axes.md"
NAMES: Final = {"Unreal" if frame.name.startswith("Unreal") else frame.name: frame for frame in FRAMES}
TERM: Final = r"-?(?:\w+\.)?[xyzw]"
QUATERNION: Final = re.compile(rf"\(({TERM}), ({TERM}), ({TERM}), ({TERM})\)")
UNCHANGED: Final = "(x, y, z, w)"  # what a program calls the four numbers, engine or not


def formulas_in(text: str) -> list[tuple[str, str, Frame | None]]:
    """Each quaternion of a text in the order x, y, z, w; its line; and the engine that was named last before it."""
    found = []
    for match in QUATERNION.finditer(text):
        terms = [re.sub(r"\w+\.", "", term) for term in match.groups()]
        if terms[0] == "w":  # Blender's order
            terms = [*terms[1:], "w"]
        before = text[: match.start()]
        line = before.rpartition("\n")[2] + text[match.start() :].partition("\n")[0]
        places = {before.rfind(name): frame for name, frame in NAMES.items() if name in before}
        found.append((f"({', '.join(terms)})", line, places[max(places)] if places else None))
    return found


def wrong_in(text: str) -> list[str]:
    """The lines that give an engine another rotation than its own, or one without an engine."""
    wrong = []
    for formula, line, frame in formulas_in(text):
        fine = frame is not None and formula in (
            frame.formula(),
            frame.formula(mirror=True) if "mirror" in line else "",
        )
        if not fine and not (formula == UNCHANGED and frame is None):
            wrong.append(line)
    return wrong


def test_the_table_is_the_codes() -> None:
    rows = re.findall(r"^\| (.+) \| (\w+)-handed \| (.+) \| (\(.+\)) \| (\(.+\)) \|$", AXES.read_text("utf-8"), re.M)
    assert rows == [
        (
            frame.name,
            "left" if frame.left_handed else "right",
            f"{frame.left}, {frame.up}, {frame.front}",
            frame.formula(),
            frame.formula(mirror=True),
        )
        for frame in FRAMES
    ]


@pytest.mark.parametrize("document", [README, *PAGES, *OTHERS], ids=name_of)
def test_no_page_has_another_rotation(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    if document == AXES:
        text = (
            text[: text.index("| engine |")] + text[text.index("## In the engine's words") :]
        )  # the table is held above
    if document != ROOT / "CHANGELOG.md":  # what was so earlier stands there
        assert not wrong_in(text)


def test_every_engine_has_its_line() -> None:
    section = AXES.read_text(encoding="utf-8").partition("## In the engine's words")[2]
    told = {frame.name for _, _, frame in formulas_in(section) if frame is not None}
    assert told == {frame.name for frame in FRAMES} - {"VMC", "glTF"}  # one is Unity's, the other three.js's


def test_what_pages_said_once_would_not_pass() -> None:
    assert wrong_in("For Unity pass the quaternion as (-x, -y, z, w).")
    assert wrong_in("In Unity `new Quaternion(-q.x, -q.y, q.z, q.w)`")
    assert wrong_in("Blender: `Quaternion((w, x, -y, z))`")
    assert wrong_in("Pass (x, -y, -z, w).")
    assert wrong_in("Godot: (x, -y, -z, w)")
    assert not wrong_in("Godot as in a mirror: (x, -y, -z, w)")
    assert not wrong_in("Blender: `Quaternion((w, x, -z, y))`")
    assert not wrong_in("val (x, y, z, w) = face.quaternion")
