"""How the page looks and is worked: by the keyboard, on a phone, in light and dark, over a film of OBS."""

import io
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, ViewportSize

from tests.studio.browser.conftest import DESKTOP, PHONE, STUDIO, OpenStudio

AXE = STUDIO / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious(open_studio: OpenStudio, screenshots: Path, viewport: ViewportSize) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not there: `npm ci` in studio/ fetches it")
    tab = open_studio(viewport=viewport, bypass_csp=True)
    tab.moving()
    tab.page.evaluate(AXE.read_text(encoding="utf-8"))
    looks: list[tuple[Literal["light", "dark"], bool]] = [
        ("light", False),
        ("light", True),
        ("dark", True),
        ("dark", False),
    ]
    for scheme, sheet in looks:
        tab.page.emulate_media(color_scheme=scheme)
        help_sheet = tab.page.get_by_role("dialog")
        if sheet != help_sheet.is_visible():
            tab.page.keyboard.press("?")
            help_sheet.wait_for(state="visible" if sheet else "hidden")
        name = f"{viewport['width']}-{scheme}{'-help' if sheet else ''}"
        tab.page.screenshot(path=screenshots / f"{name}.png")
        found = tab.page.evaluate("() => axe.run()")["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found if each["impact"] in SERIOUS]
        assert not told


def test_a_finger_reaches_everything_on_a_phone(open_studio: OpenStudio, screenshots: Path) -> None:
    tab = open_studio(viewport=PHONE, has_touch=True, is_mobile=True)
    tab.moving()
    page = tab.page
    width, height = PHONE["width"], PHONE["height"]

    def reachable(buttons: Locator) -> None:
        """Holds each button that is shown against WCAG 2.2: within the screen, and of 24 pixels at least."""
        shown = [button for button in buttons.all() if button.is_visible()]
        assert shown
        for button in shown:
            button.tap(trial=True)  # nothing lies over it
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 24
            assert -1 <= box["x"] <= width - box["width"] + 1
            assert -1 <= box["y"] <= height - box["height"] + 1

    def fits() -> None:
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert page.evaluate("visualViewport.width") == pytest.approx(width, abs=1)

    reachable(page.get_by_role("button"))
    fits()
    inset = page.get_by_role("region", name="Picture that is looked at")
    before = inset.bounding_box()
    assert before is not None
    finger = page.context.new_cdp_session(page)
    x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] * 0.7
    for kind, points in (("Start", [(x, y)]), ("Move", [(x + 20, y + 90)]), ("Move", [(x + 40, y + 180)]), ("End", [])):
        touches = [{"x": across, "y": down} for across, down in points]
        finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": touches})
    after = inset.bounding_box()
    assert after is not None
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((40, 180), abs=2)
    page.get_by_role("button", name="Hide the picture").tap()
    page.get_by_role("button", name="More").tap()
    page.get_by_role("dialog", name="More").wait_for()
    page.screenshot(path=screenshots / "phone-more.png")
    reachable(page.get_by_role("dialog", name="More").get_by_role("button"))
    overlay = page.get_by_role("dialog", name="More").get_by_role("button", name="Overlay")
    for drawn in ("Boxes", "Mesh", "Pose"):  # the menu tells it, and stays
        overlay.filter(has_text=drawn).tap()
    page.get_by_role("dialog", name="More").get_by_role("button", name="Figures").tap()
    page.get_by_role("dialog", name="More").get_by_role("button", name="Coefficients").tap()
    page.touchscreen.tap(4, height / 2)  # beside it
    page.get_by_role("dialog", name="More").wait_for(state="hidden")
    page.get_by_role("region", name="Figures").wait_for()
    page.screenshot(path=screenshots / "phone-figures.png")
    fits()
    panels = (page.get_by_role("region", name=name).bounding_box() for name in ("Figures", "Strongest coefficients"))
    welcome = page.get_by_role("region", name="Camera", exact=True).bounding_box()
    assert welcome is not None
    assert all(panel is not None and panel["y"] + panel["height"] <= welcome["y"] for panel in panels)
    page.get_by_role("button", name="Use my camera").tap()
    tab.wait("() => mfnStudio.source === 'camera'")
    tab.sees(2)
    chip = page.get_by_role("group", name="People").get_by_role("button").first
    chip.tap()
    choice = page.get_by_role("dialog", name="Character of person")
    choice.get_by_text("Alien").tap()
    tab.wait("() => mfnStudio.people.some(({ character }) => character === 'Alien')")
    choice.wait_for(state="hidden")
    page.get_by_role("button", name="Source:").tap()
    reachable(page.get_by_role("dialog", name="Source").get_by_role("button"))
    page.touchscreen.tap(4, height / 2)
    page.get_by_role("dialog", name="Source").wait_for(state="hidden")
    tab.moving()


def test_obs_gets_the_stage_alone_on_transparent_ground(open_studio: OpenStudio, screenshots: Path) -> None:
    tab = open_studio("?obs=1", viewport=DESKTOP)
    tab.moving()
    assert tab.page.evaluate("mfnStudio.source") == "camera"  # at once
    picture = tab.page.screenshot(path=screenshots / "obs.png", omit_background=True)
    alpha = np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA"))[..., 3]
    assert (alpha[:20] == 0).mean() > 0.9  # nothing along the upper edge
    assert (alpha == 255).mean() > 0.1  # the characters
    shown = "each => each.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })"
    assert not tab.page.evaluate(f"[...document.querySelectorAll('button')].some({shown})")


def test_keys_work_what_the_bar_does(open_studio: OpenStudio) -> None:
    tab = open_studio(viewport=DESKTOP)
    tab.moving()
    page = tab.page
    page.get_by_text("Loading the characters").wait_for(state="detached")
    for key, title in (("s", "Smoothing"), ("r", "Refine"), ("m", "Mirror")):
        button = page.get_by_role("button", name=title, exact=True)
        before = button.get_attribute("aria-pressed")
        page.keyboard.press(key)
        assert button.get_attribute("aria-pressed") != before
        page.keyboard.press(key)
        assert button.get_attribute("aria-pressed") == before
    tab.moving()  # on the stream with these options
    page.keyboard.press("n")
    page.get_by_role("status").filter(has_text="The resting face is taken").wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    for _ in range(40):  # the button that asks for the camera is reached by Tab
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.textContent") == "Use my camera":
            break
    page.keyboard.press("Enter")
    tab.wait("() => mfnStudio.source === 'camera'")
    tab.moving()
