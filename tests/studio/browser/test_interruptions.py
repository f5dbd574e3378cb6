"""What goes away comes back: the camera, the server, the reader."""

import json

import numpy as np
from playwright.sync_api import WebSocketRoute

from bench.browser import Noted, use_camera
from service.errors import OVERLOADED, RequestError
from service.server.problems import problem_document
from tests.studio.browser.conftest import OpenStudio, Service
from tests.studio.browser.network import Network

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
    with Service(MFN_MAX_STREAMS="0") as full:
        tab = open_studio(at=full.url)
        tab.expected.append(LOST)
        tab.notice("The server is full")


def test_a_full_queue_is_told_and_the_stream_goes_on(open_studio: OpenStudio) -> None:
    full = False
    told = problem_document(RequestError(OVERLOADED, "All 34 places for pictures in work or waiting are taken."))

    def between(page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def answer(message: str | bytes) -> None:
            document = json.loads(message)
            refused = {"sequence": document.get("sequence"), "problem": told}
            page.send(json.dumps(refused) if full and "faces" in document else message)

        server.on_message(answer)

    tab = open_studio(prepare=lambda page: page.route_web_socket("**/retarget/stream", between))
    tab.moving()
    full = True
    tab.notice("The server is full")
    full = False
    tab.moving()
    tab.page.get_by_text("The server is full").wait_for(state="detached")


def test_a_slow_network_is_told(open_studio: OpenStudio, service: Service) -> None:
    with Network(service.port) as network:
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
