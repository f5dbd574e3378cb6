"""The JavaScript client in Chromium, from a page of another origin: its example, a picture, and a stream."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.docs.pages import blocks
from tests.studio.browser.conftest import PATIENCE_MS, ROOT, SMALL, STUDIO, Service, Tab, run_node, served, watch

CLIENT = ROOT / "clients" / "javascript"
COMPILER = STUDIO / "node_modules" / "typescript" / "bin" / "tsc"
PICTURE = ROOT / "tests" / "pictures" / "one_face.jpg"
EMPTY = """<!doctype html><title>Client</title><link rel="icon" href="data:," />
<script type="importmap">{ "imports": { "mfn-client": "./node_modules/mfn-client/dist/index.js" } }</script>"""
# three.js tells its inspector of each scene.
INSPECT = """window.__THREE_DEVTOOLS__ = new EventTarget();
__THREE_DEVTOOLS__.addEventListener("observe", ({ detail }) => { if (detail.isScene) window.scene = detail; });"""
JAW = """() => {
    let jaw;
    window.scene?.traverse(({ morphTargetDictionary: names, morphTargetInfluences: weights }) => {
        if (names && "jawOpen" in names) jaw ??= weights[names.jawOpen];
    });
    if (jaw !== undefined) (window.jaws ??= new Set()).add(jaw.toFixed(3));
    return window.jaws?.size > 5;
}"""
ASK = """async ([service, picture]) => {
    const { Client } = await import("mfn-client");
    const client = new Client({ baseUrl: service });
    const blob = await (await fetch(picture)).blob();
    const { faces } = await client.retarget(blob, { include: ["blendshapes"] });
    const stream = client.stream({ smoothing: {} });
    const tracks = [];
    for (let i = 0; i < 5; i++) {
        await stream.whenReady();
        const answer = await stream.send(blob);
        tracks.push(answer.faces.map((face) => face.track_id));
    }
    stream.close();
    const refused = await client.retarget(new Blob(["no picture"])).catch((error) => error.message);
    return { faces: faces.length, jaw: faces[0].blendshapes.jawOpen, tracks, state: stream.state, refused };
}"""


SHOWN = """() => {
    const weights = document.getElementById("weights").textContent;
    if (weights) (window.answers ??= new Set()).add(weights);
    return window.answers?.size > 2 && "jawOpen" in JSON.parse(weights);
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the examples, as their first lines tell to make it."""
    folder = tmp_path_factory.mktemp("pages")
    modules = folder / "node_modules"
    built = modules / "mfn-client" / "dist"
    run_node(COMPILER, "--project", CLIENT / "tsconfig.json", "--outDir", built, at=CLIENT)
    (modules / "three").symlink_to(STUDIO / "node_modules" / "three")
    for example in (CLIENT / "examples").glob("*.html"):
        shutil.copy(example, folder)
    shutil.copy(PICTURE, folder / "picture.jpg")
    (folder / "empty.html").write_text(EMPTY)
    return folder


@pytest.fixture(scope="module")
def pages(folder: Path) -> Iterator[str]:
    """The address of the folder."""
    with served(folder) as address:
        yield address


@pytest.fixture(scope="module")
def open_service(pages: str) -> Iterator[Service]:
    """A server that the pages may ask."""
    with Service(MFN_CORS_ORIGINS=pages) as service:
        yield service


def test_the_example_moves_a_character(browser: Browser, pages: str, open_service: Service, screenshots: Path) -> None:
    context = browser.new_context(viewport=SMALL)
    context.grant_permissions(["camera"], origin=pages)
    tab = Tab(context.new_page(), pages)
    tab.expected.append("favicon.ico|404")  # a page without an icon
    watch(tab)
    tab.page.add_init_script(INSPECT)
    tab.page.goto(f"{pages}/character.html?service={open_service.url}")
    tab.wait(JAW)
    tab.page.screenshot(path=screenshots / "example.png")
    assert not tab.unexpected()
    context.close()


def test_the_page_of_the_quickstart_shows_weights(
    browser: Browser, folder: Path, pages: str, open_service: Service
) -> None:
    (shown,) = blocks(ROOT / "docs/quickstart/web.md", "html")
    html = shown.replace("ws://localhost:8000", open_service.url.replace("http", "ws"))
    assert html != shown
    (folder / "index.html").write_text(html, encoding="utf-8")
    context = browser.new_context(viewport=SMALL)
    context.grant_permissions(["camera"], origin=pages)
    page = context.new_page()
    page.goto(f"{pages}/index.html")
    page.wait_for_function(SHOWN, polling=50, timeout=PATIENCE_MS)
    context.close()


def test_the_client_asks_and_streams_in_a_browser(browser: Browser, pages: str, open_service: Service) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{pages}/empty.html")
    told = page.evaluate(ASK, [open_service.url, "picture.jpg"])
    page.close()
    assert told["faces"] == 1
    assert told["jaw"] == pytest.approx(0.2, abs=0.15)  # tests/pictures/one_face.json
    assert told["tracks"] == [[1]] * 5
    assert told["state"] == "closed"
    assert re.search("picture", told["refused"])
