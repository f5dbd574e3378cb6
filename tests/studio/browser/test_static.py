"""The page as static files, which any host may serve: faces are found in the browser."""

from pathlib import Path
from urllib.parse import urlsplit

from tests.studio.browser.conftest import STUDIO, OpenStudio, run_node, served

VITE = STUDIO / "node_modules" / "vite" / "bin" / "vite.js"


def test_a_host_of_files_is_enough(open_studio: OpenStudio, tmp_path: Path) -> None:
    run_node(VITE, "build", "--mode", "static", "--outDir", tmp_path / "studio", "--logLevel", "warn", at=STUDIO)
    with served(tmp_path) as host:
        tab = open_studio("?engine=local", at=host)
        tab.moving()
        tab.page.get_by_text("On this device").first.wait_for()
        assert {method for method, _ in tab.requests} == {"GET"}
        asked = [urlsplit(address) for _, address in tab.requests]
        assert all(url.path.startswith("/studio/") for url in asked if url.scheme == "http")
        tab.page.close()
