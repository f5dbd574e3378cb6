"""Draws docs/studio.webp: Studio's page in Chromium, before a picture of five rendered faces.

    python -m bench.studio_picture

The page has to be built: `npm run build` in studio/. Chromium draws as with a graphics card, which takes seconds a
frame where there is none.
"""

import io
from pathlib import Path
from typing import Final

from PIL import Image

from bench.browser import chromium
from bench.server import server

ROOT: Final = Path(__file__).resolve().parent.parent
FACES: Final = ROOT / "tests/pictures/five_faces.webp"
PICTURE: Final = ROOT / "docs/studio.webp"
WINDOW: Final = (1120, 540)  # CSS pixels
SCALE: Final = 1.5  # pixels by CSS pixels
WIDTH: Final = 1680  # pixels of the file: twice as many as the README shows
QUALITY: Final = 78
PATIENCE_MS: Final = 120_000.0
# The page draws less finely where it finds a renderer in software; here it is not told.
AS_WITH_A_CARD: Final = """for (const kind of [WebGLRenderingContext, WebGL2RenderingContext]) {
    const { getExtension } = kind.prototype;
    kind.prototype.getExtension = function (name) {
        return name === "WEBGL_debug_renderer_info" ? null : getExtension.call(this, name);
    };
}"""


def screenshot() -> bytes:
    """The page with five characters, as PNG. Raises RuntimeError where there is no Chromium."""
    with server() as served, chromium(None) as browser:
        page = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]}, device_scale_factor=SCALE)
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(AS_WITH_A_CARD)
        page.goto(f"{served.url}/studio/?characters=human,goblin,cat,alien,robot")
        page.get_by_role("button", name="Source").click()
        with page.expect_file_chooser() as chosen:
            page.get_by_text("Video or picture").click()
        chosen.value.set_files(FACES)
        page.wait_for_function("() => mfnStudio.people.filter(({ seen }) => seen).length === 5", polling=100)
        page.wait_for_timeout(8_000)  # of some frames, until all stand in their places
        # How quick it is where the processor draws so finely says nothing of other machines.
        page.evaluate("() => document.querySelectorAll('.pill-speed, .pill-rate').forEach((each) => each.remove())")
        return page.screenshot()


def main() -> None:
    """Draws the picture."""
    with Image.open(io.BytesIO(screenshot())) as shown:
        height = round(shown.height * WIDTH / shown.width)
        shown.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS).save(PICTURE, quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
