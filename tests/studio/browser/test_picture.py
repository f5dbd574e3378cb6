"""What the page shows of two faces that hold still: a picture of the film, whose truth is known. Nothing else moves
either, since the reader has asked for that."""

import io
import itertools
import json
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator

from studio.film.camera import pictures
from tests.studio.browser.conftest import PATIENCE_MS, SMALL, STUDIO, OpenStudio, Tab

FILM = STUDIO / "film"
FRAME = 48  # of the film: the face at the left opens its mouth, the one at the right smiles and looks the other way
SEEN = slice(170, 350)  # rows of the stage that nothing lies over
DEGREES, WEIGHT = 8.0, 0.4  # by which an answer may differ from the truth
MINUS = "\N{MINUS SIGN}"
ROUND = 14  # pixels at the corners of the inset, where the stage is seen
DREW = 24  # of 255, by which a pixel that is drawn over differs at least


class Truth:
    """What the two faces of the picture do, from the left."""

    def __init__(self) -> None:
        film = json.loads((FILM / "faces.json").read_text(encoding="utf-8"))
        self.width, self.height = film["width"], film["height"]
        self.boxes = [face["box"][FRAME] for face in film["faces"]]
        self.yaws = [face["yaw"][FRAME] for face in film["faces"]]
        self.weights = [{name: values[FRAME] for name, values in face["blendshapes"].items()} for face in film["faces"]]


@pytest.fixture(scope="module")
def truth_of_picture() -> Truth:
    return Truth()


@pytest.fixture(scope="module")
def tab(open_shared: OpenStudio) -> Tab:
    """The page, on which the picture was looked at."""
    tab = open_shared("?characters=human,robot", reduced_motion="reduce")
    tab.moving()
    film = pictures(FILM / "faces.webm")
    file = io.BytesIO()
    Image.fromarray(next(itertools.islice(film, FRAME, None))).save(file, "PNG")
    tab.drop("two.png", file.getvalue(), "image/png")
    tab.page.get_by_role("button", name="Source: two.png").wait_for()
    tab.sees(2)
    at_rest(tab)
    return tab


def at_rest(tab: Tab) -> None:
    """Waits until no answer has come for half a second."""
    tab.wait(
        """() => {
            const [now, { answers }] = [performance.now(), mfnStudio];
            if (window.latest?.answers !== answers) window.latest = { answers, since: now };
            return now - window.latest.since > 500;
        }"""
    )


def picture_of(part: Locator) -> np.ndarray:
    """(H, W, 3) what a part of the page shows."""
    return np.asarray(Image.open(io.BytesIO(part.screenshot())).convert("RGB"), float)


def wait_until(condition: Callable[[], Any]) -> None:
    """Asks again and again, since what is drawn tells nobody."""
    until = time.monotonic() + PATIENCE_MS / 1e3
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def inset_of(tab: Tab) -> Locator:
    return tab.page.get_by_role("region", name="Picture that is looked at")


def draw_over(tab: Tab, what: str) -> None:
    """Presses O until that is drawn over the picture."""
    for _ in range(5):
        tab.page.keyboard.press("o")
        if (tab.page.get_by_role("status").inner_text()) == what:
            return
    pytest.fail(f"O does not draw {what}")


def test_the_faces_are_those_of_the_picture(tab: Tab, truth_of_picture: Truth) -> None:
    told = tab.page.evaluate("mfnStudio.states.map(({ yaw, weights }) => ({ yaw, weights }))")
    for face, yaw, weights in zip(told, truth_of_picture.yaws, truth_of_picture.weights, strict=True):
        assert face["yaw"] == pytest.approx(yaw, abs=DEGREES)
        for name in ("jawOpen", "mouthSmileLeft", "mouthSmileRight"):
            assert face["weights"][name] == pytest.approx(weights.get(name, 0), abs=WEIGHT)


def test_what_is_drawn_lies_over_the_faces(tab: Tab, truth_of_picture: Truth) -> None:
    inset = inset_of(tab)
    draw_over(tab, "Nothing is drawn over the picture")
    bare = picture_of(inset)
    rows, columns = bare.shape[:2]

    def drawn() -> np.ndarray:
        mask: np.ndarray = np.abs(picture_of(inset) - bare).max(axis=-1) > DREW
        return mask

    def inside(box: list[float], margin: float = 0) -> tuple[slice, slice]:
        """Of a face's box in the picture as in a mirror."""
        x, y, width, height = (value * columns / truth_of_picture.width for value in box)
        return (
            slice(max(round(y - margin), 0), round(y + height + margin)),
            slice(max(round(columns - x - width - margin), 0), round(columns - x + margin)),
        )

    def elsewhere(mask: np.ndarray, margin: float) -> int:
        left = mask.copy()
        for box in truth_of_picture.boxes:
            left[inside(box, margin)] = False
        return int(left[ROUND:-ROUND, ROUND:-ROUND].sum())

    draw_over(tab, "Boxes")
    mask = drawn()
    assert elsewhere(mask, 16) == 0  # the number's disc reaches over the corner
    for box in truth_of_picture.boxes:
        assert elsewhere(mask, -8) > 0
        assert mask[inside(box, -10)].mean() < 0.02  # a frame, and nothing in it
        found = mask[inside(box, 10)]
        assert min(found.any(axis=0).mean(), found.any(axis=1).mean()) > 0.75
    draw_over(tab, "Mesh")
    wait_until(lambda: all(drawn()[inside(box)].mean() > 0.3 for box in truth_of_picture.boxes))
    draw_over(tab, "Pose")
    wait_until(lambda: all(0.01 < drawn()[inside(box)].mean() < 0.3 for box in truth_of_picture.boxes))
    draw_over(tab, "Boxes")
    assert rows > 100


def test_bars_and_figures_tell_what_the_characters_do(tab: Tab, truth_of_picture: Truth) -> None:
    page = tab.page
    page.keyboard.press("b")
    page.keyboard.press("i")
    cards = page.get_by_role("region", name="Strongest coefficients").get_by_role("article")
    page.keyboard.press("s")  # it is looked at again
    cards.nth(1).wait_for()
    at_rest(tab)
    states = tab.page.evaluate("mfnStudio.states.map(({ person, weights }) => ({ person, weights }))")
    for state, yaw in zip(states, truth_of_picture.yaws, strict=True):
        card = cards.filter(has=page.get_by_text(str(state["person"]), exact=True)).inner_text()
        told = {name: float(value) for name, value in re.findall(r"([a-z]+[A-Z]\w+)\s+(\d\.\d\d)", card)}
        assert len(told) >= 3  # a small window has room for a few
        assert told == {name: pytest.approx(state["weights"][name], abs=0.02) for name in told}
        strongest = sorted(state["weights"].values())
        assert min(told.values()) > strongest[-len(told) - 1] - 0.1
        (angle,) = re.findall(rf"yaw ([{MINUS}\d]+)°", card)
        assert float(angle.replace(MINUS, "-")) == pytest.approx(yaw, abs=DEGREES)
    figures = page.get_by_role("region", name="Figures")
    rows = ("Faces 2", "Frame 640 . 480", "Answers 0 /s", r"Capture to answer [\d.]+ ms", r"Model \S+")
    for row in rows:
        figures.filter(has_text=re.compile(row.replace(" ", r"\s*"))).wait_for()
    page.keyboard.press("s")
    figures.filter(has_text=re.compile(r"Answers\s*[1-9]\d* /s")).wait_for()
    page.keyboard.press("b")
    page.keyboard.press("i")
    for panel in (figures, cards.first):
        panel.wait_for(state="hidden")


def test_options_are_told_to_the_server(tab: Tab) -> None:
    page = tab.page

    def told() -> dict[str, Any]:
        return dict(page.evaluate("probe.told.at(-1)"))

    at_rest(tab)
    assert told()["refine"] is True
    assert told()["smoothing"] == {}
    page.keyboard.press("i")
    figures = page.get_by_role("region", name="Figures")
    figures.filter(has_text="refine").wait_for()
    page.keyboard.press("r")
    figures.filter(has_not_text="refine").wait_for()
    assert told()["refine"] is False
    page.keyboard.press("r")
    figures.filter(has_text="refine").wait_for()
    page.keyboard.press("s")
    tab.wait("() => !('smoothing' in probe.told.at(-1))")
    page.keyboard.press("s")
    tab.wait("() => 'smoothing' in probe.told.at(-1)")
    page.keyboard.press("i")


def test_a_resting_face_is_subtracted_until_it_is_forgotten(tab: Tab) -> None:
    page = tab.page
    at_rest(tab)
    page.keyboard.press("n")
    page.get_by_role("status").filter(has_text="The resting face is taken").wait_for()
    resting = "mfnStudio.states.every(({ weights }) => weights.jawOpen < 0.1 && weights.mouthSmileLeft < 0.1)"
    tab.wait(f"() => {resting}")
    page.keyboard.press("Shift+N")
    at_rest(tab)
    assert not page.evaluate(resting)


def test_a_mirror_turns_picture_and_stage(tab: Tab) -> None:
    draw_over(tab, "Nothing is drawn over the picture")
    at_rest(tab)
    parts = [inset_of(tab), tab.page.get_by_role("img", name="The characters")]
    beside = round(parts[0].evaluate("inset => inset.getBoundingClientRect().right")) + 8  # where the characters are
    before = [picture_of(part) for part in parts]
    tab.page.keyboard.press("m")
    after = [picture_of(part) for part in parts]
    tab.page.keyboard.press("m")
    draw_over(tab, "Boxes")
    for one, other, seen in zip(before, after, (np.s_[40:, :], np.s_[SEEN, beside:]), strict=True):
        turned, same = (np.abs(one[seen] - each).mean() for each in (other[seen][:, ::-1], other[seen]))
        assert turned < same / 2


def test_nothing_moves_that_the_reader_asked_to_be_still(tab: Tab) -> None:
    at_rest(tab)
    stage = tab.page.get_by_role("img", name="The characters")
    before = picture_of(stage)[SEEN]
    tab.page.wait_for_timeout(700)
    assert np.abs(picture_of(stage)[SEEN] - before).mean() < 0.1


def test_a_character_is_chosen_by_its_chip(tab: Tab) -> None:
    page = tab.page
    stage = page.get_by_role("img", name="The characters")
    chip = page.get_by_role("group", name="People").get_by_role("button").filter(has_text="Human")
    before = picture_of(stage)[SEEN]
    (person,) = page.evaluate("mfnStudio.people.filter(({ character }) => character === 'Human').map((p) => p.number)")
    chosen = "([number, name]) => mfnStudio.people.some((p) => p.number === number && p.character === name)"
    chip.click()
    choice = page.get_by_role("dialog", name=f"Character of person {person}")
    choice.get_by_text("Goblin").click()
    tab.wait(chosen, [person, "Goblin"])
    choice.wait_for(state="hidden")
    wait_until(lambda: np.abs(picture_of(stage)[SEEN] - before).mean() > 1)
    page.get_by_role("group", name="People").get_by_role("button").filter(has_text="Goblin").focus()
    page.keyboard.press("Enter")
    choice.get_by_role("radio", name="Goblin").and_(page.locator(":focus")).wait_for(state="attached")
    page.keyboard.press("ArrowLeft")
    tab.wait(chosen, [person, "Human"])
    page.keyboard.press("Escape")
    choice.wait_for(state="hidden")
    chip.wait_for()
    wait_until(lambda: np.abs(picture_of(stage)[SEEN] - before).mean() < 1)


def test_the_inset_is_moved_enlarged_and_hidden(tab: Tab) -> None:
    page, inset = tab.page, inset_of(tab)
    width, height = SMALL["width"], SMALL["height"]

    def place() -> tuple[float, float, float, float]:
        box = inset.bounding_box()
        assert box is not None
        return box["x"], box["y"], box["width"], box["height"]

    def drag(start: tuple[float, float], by: tuple[float, float]) -> None:
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(start[0] + by[0], start[1] + by[1], steps=3)
        page.mouse.up()

    x, y, w, h = first = place()
    assert w / h == pytest.approx(640 / 480, rel=0.02)
    drag((x + w / 2, y + h / 2), (90, 60))
    assert place() == pytest.approx((x + 90, y + 60, w, h), abs=1)
    drag((x + 90 + w - 8, y + 60 + h - 8), (60, 45))
    assert place() == pytest.approx((x + 90, y + 60, w + 60, h + 45), abs=4)
    drag((x + 150, y + 120), (2000, 2000))
    x, y, w, h = place()
    assert (x + w <= width, y + h <= height) == (True, True)
    inset.focus()
    for key, moved in (("ArrowLeft", (-1, 0)), ("ArrowUp", (0, -1)), ("ArrowRight", (1, 0)), ("ArrowDown", (0, 1))):
        before = place()
        page.keyboard.press(key)
        assert tuple(np.sign(np.subtract(place(), before))) == (*moved, 0, 0)
    page.keyboard.press("-")
    assert place()[2] < w
    page.keyboard.press("+")
    assert place()[2] == pytest.approx(w, abs=2)
    page.get_by_role("button", name="Enlarge or shrink the picture").click()
    page.get_by_role("button", name="Enlarge or shrink the picture").click()
    sizes = {round(w), round(place()[2])}
    assert len(sizes) == 2
    page.get_by_role("button", name="Hide the picture").click()
    assert place()[2] * place()[3] < 10
    page.keyboard.press("c")
    assert place()[2] > 100
    while place()[2] > first[2] + 1:
        page.keyboard.press("-")
    drag((place()[0] + 60, place()[1] + 60), (-2000, -2000))
    assert place()[:2] == pytest.approx((8, 8), abs=10)
