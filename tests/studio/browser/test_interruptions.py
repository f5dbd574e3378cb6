"""What goes away comes back: the camera, the server, the reader."""

import numpy as np

from bench.browser import Noted, use_camera
from tests.studio.browser.conftest import OpenStudio, Service
from tests.studio.browser.slow_network import SlowNetwork

STILL, FASTEST = 3.0, 300.0  # degrees, and degrees a second, by which a head that does not jump turns between drawings
LOST = r"WebSocket|ERR_CONNECTION|Failed to load resource"  # what Chromium itself says of a server that is gone


def test_a_camera_that_is_unplugged_is_told_and_taken_again(open_studio: OpenStudio) -> None:
    tab = open_studio()
    use_camera(tab.page)
    tab.wait("() => mfnStudio.source === 'camera'")
    tab.moving()
    tab.page.evaluate("probe.unplug()")
    tab.notice("The camera is gone")
    tab.page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    tab.page.get_by_text("The camera is gone").wait_for(state="detached")
    tab.moving()


def test_a_server_that_ends_is_told_and_found_again(open_studio: OpenStudio, service: Service) -> None:
    tab = open_studio()
    tab.expected.append(LOST)
    tab.moving()
    service.stop()
    try:
        tab.notice("No connection to the server")
        assert tab.page.evaluate("mfnStudio.state") == "connecting"
    finally:
        service.start()
    tab.wait("() => mfnStudio.state === 'open'")
    tab.page.get_by_text("No connection to the server").wait_for(state="detached")
    tab.moving()


def test_a_server_that_is_full_is_told(open_studio: OpenStudio) -> None:
    full = Service(MFN_MAX_STREAMS="0")
    full.start()
    try:
        tab = open_studio(at=full.url)
        tab.expected.append(LOST)
        tab.notice("The server is full")
    finally:
        full.stop()


def test_a_slow_network_is_told(open_studio: OpenStudio, service: Service) -> None:
    with SlowNetwork(service.port) as network:
        tab = open_studio(at=network.url)
        tab.moving()
        network.delay_seconds = 0.7
        tab.notice("The network or the server is slow")


def test_nothing_jumps_after_a_look_at_another_tab(open_studio: OpenStudio) -> None:
    tab = open_studio()
    tab.moving()
    tab.page.evaluate("probe.hide(true)")
    tab.page.wait_for_timeout(2500)  # longer than a track lives
    before = tab.page.evaluate("mfnStudio.states.map(({ person }) => person)")
    tab.page.evaluate("probe.clear(); probe.hide(false)")
    tab.moving()
    assert tab.page.evaluate("mfnStudio.states.map(({ person }) => person)") == before
    noted = Noted.of(tab.page)
    for person in noted.people:
        rows = noted.person == person
        turned, passed = (np.abs(np.diff(series[rows])) for series in (noted.values["yaw"], noted.drawn_at))
        assert (turned <= STILL + FASTEST * passed).all()
