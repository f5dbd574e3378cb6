"""Who gets in, and where: a key, a prefix, an old browser."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.studio.browser.conftest import STUDIO, OpenStudio, Service, Tab, watch
from tests.studio.browser.network import Network

KEY = "a-key-of-the-house"
LACKS = {  # by what the page says, how a browser is without it
    "WebGL 2": "HTMLCanvasElement.prototype.getContext = () => null;",
    "WebSocket": "delete window.WebSocket;",
    "OffscreenCanvas": "delete window.OffscreenCanvas;",
    "Worker": "delete window.Worker;",
    "popover": "delete HTMLElement.prototype.popover;",
}


def test_a_key_is_asked_for_until_it_is_right(open_studio: OpenStudio) -> None:
    with Service(MFN_API_KEYS=KEY) as service:
        tab = open_studio(at=service.url)
        asked = tab.page.get_by_label("API key")
        asked.fill("a-key-of-somebody-else")
        asked.press("Enter")
        asked.and_(tab.page.locator(":placeholder-shown")).wait_for()  # again
        assert tab.page.evaluate("mfnStudio.state") == "closed"
        asked.fill(KEY)
        tab.page.get_by_role("button", name="Use key").click()
        tab.moving()
        assert asked.count() == 0
        tab.page.close()


def test_a_proxy_may_serve_it_below_a_prefix(open_studio: OpenStudio, service: Service) -> None:
    with Network(service.port, "/faces/of/ours") as proxy:
        tab = open_studio(at=proxy.url, camera=False)
        tab.moving()
        paths = [urlsplit(address).path for _, address in tab.requests if not address.startswith("blob:")]
        assert all(path.startswith("/faces/of/ours/") for path in paths)
        tab.page.close()


@pytest.mark.parametrize("lacking", LACKS)
def test_an_old_browser_is_told_what_it_lacks(browser: Browser, service: Service, lacking: str) -> None:
    if not (STUDIO / "dist" / "index.html").is_file():
        pytest.skip("studio/dist is not there: `npm run build` in studio/ makes it")
    tab = Tab(browser.new_page(), service.url)
    watch(tab)
    tab.page.add_init_script(LACKS[lacking])
    tab.page.goto(f"{service.url}/studio/")
    tab.page.get_by_text(f"This browser lacks {lacking}, which Studio needs").wait_for()
    tab.page.close()
    assert not tab.errors
