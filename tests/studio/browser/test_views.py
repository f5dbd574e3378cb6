"""How the page looks and is worked: by the keyboard, on a phone, in light and dark, over a film of OBS."""

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image

from tests.studio.browser.conftest import DESKTOP, PHONE, STUDIO, OpenStudio

AXE = STUDIO / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")],
    ids=["desktop-light", "desktop-dark", "phone-light", "phone-dark"],
)
def test_axe_finds_nothing_serious(
    open_studio: OpenStudio, screenshots: Path, viewport: Any, scheme: Literal["light", "dark"]
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not there: `npm ci` in studio/ fetches it")
    tab = open_studio(viewport=viewport, color_scheme=scheme, bypass_csp=True)
    tab.moving()
    name = f"{viewport['width']}-{scheme}"
    tab.page.screenshot(path=screenshots / f"{name}.png")
    tab.page.evaluate(AXE.read_text(encoding="utf-8"))
    for sheet in (False, True):
        if sheet:
            tab.page.keyboard.press("?")
            tab.page.get_by_role("dialog").wait_for()
            tab.page.screenshot(path=screenshots / f"{name}-help.png")
        found = tab.page.evaluate("() => axe.run()")["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found if each["impact"] in SERIOUS]
        assert not told


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
