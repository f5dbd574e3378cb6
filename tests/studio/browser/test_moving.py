"""Characters do what faces do: before the camera is allowed, before the camera, and without a server."""

from pathlib import Path

from bench.agreement import CHANNELS, Truth
from bench.browser import Noted, use_camera
from studio.film.motion import SECONDS
from tests.studio.browser.conftest import DESKTOP, SLOWER, OpenStudio, Tab

LEAST_R, SHARE = 0.85, 0.35
IN_STEP = 0.4  # seconds by which what is shown may be of another moment than the page says; smoothing takes some


def follow_the_film(tab: Tab, truth: Truth) -> None:
    """Holds both characters against the faces that the camera shows, while they do everything that the film has."""
    tab.moving()
    tab.page.evaluate("probe.clear()")
    tab.page.wait_for_timeout(SLOWER * SECONDS * 1e3 * SHARE)
    noted = Noted.of(tab.page)
    found = noted.agreements(truth, noted.captured_at)
    assert len(found) == len(truth.faces)
    for person, agreed in found.items():
        for channel in CHANNELS:
            assert agreed.r[channel] >= LEAST_R, (person, agreed)
        assert abs(agreed.delay) < IN_STEP, (person, agreed)


def test_the_film_moves_characters_before_a_camera_is_allowed(open_studio: OpenStudio, screenshots: Path) -> None:
    tab = open_studio(viewport=DESKTOP, camera=False)
    tab.moving()
    assert tab.page.evaluate("mfnStudio.source") == "film"
    assert tab.page.get_by_text("go to this server").first.is_visible()
    tab.page.screenshot(path=screenshots / "film.png")
    use_camera(tab.page)
    tab.notice("The camera is not allowed")
    tab.moving()  # the film goes on


def test_characters_do_what_the_faces_before_the_camera_do(open_studio: OpenStudio, truth: Truth) -> None:
    tab = open_studio()
    use_camera(tab.page)
    tab.wait("() => mfnStudio.source === 'camera'")
    follow_the_film(tab, truth)


def test_in_local_mode_they_do_and_no_picture_leaves_the_page(open_studio: OpenStudio, truth: Truth) -> None:
    tab = open_studio("?engine=local")
    assert tab.page.evaluate("mfnStudio.mode") == "local"
    use_camera(tab.page)
    tab.wait("() => mfnStudio.source === 'camera'")
    follow_the_film(tab, truth)
    assert {method for method, _ in tab.requests} == {"GET"}
    assert not [address for _, address in tab.requests if "/retarget" in address]
    tab.page.get_by_text("On this device").first.wait_for()
