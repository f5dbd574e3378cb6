"""Which camera is looked at, how finely, and what is said where it is not to be had."""

import pytest

from bench.browser import use_camera
from tests.studio.browser.conftest import OpenStudio, Tab

# Chromium's own camera is joined by one that looks at a wall; another program can take both.
CAMERAS = """(() => {
    const { mediaDevices } = navigator;
    const [list, open] = ["enumerateDevices", "getUserMedia"].map((name) => mediaDevices[name].bind(mediaDevices));
    window.taken = false;
    function wall() {
        const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
        const context = canvas.getContext("2d");
        setInterval(() => {
            context.fillStyle = "#888";
            context.fillRect(0, 0, 640, 480);
        }, 50);
        const stream = canvas.captureStream();
        const settings = { deviceId: "wall", width: 640, height: 480 };
        const told = { label: { value: "Wall" }, getSettings: { value: () => settings } };
        Object.defineProperties(stream.getVideoTracks()[0], told);
        return stream;
    }
    mediaDevices.enumerateDevices = async () =>
        [...(await list()), { kind: "videoinput", deviceId: "wall", groupId: "", label: "Wall" }];
    mediaDevices.getUserMedia = async (constraints) => {
        if (window.taken) throw new DOMException("Could not start video source", "NotReadableError");
        return JSON.stringify(constraints).includes('"wall"') ? wall() : open(constraints);
    };
})()"""


@pytest.fixture(scope="module")
def tab(open_shared: OpenStudio) -> Tab:
    return open_shared(prepare=lambda page: page.add_init_script(CAMERAS))


def test_a_camera_that_another_program_has_is_told_and_taken_when_it_is_free(tab: Tab) -> None:
    tab.page.evaluate("taken = true")
    use_camera(tab.page)
    tab.notice("The camera is in use")
    tab.moving()  # the film goes on
    tab.page.evaluate("taken = false; navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    tab.wait("() => mfnStudio.source === 'camera'")
    tab.page.get_by_text("The camera is in use").wait_for(state="detached")
    tab.moving()


def test_camera_and_resolution_are_chosen(tab: Tab) -> None:
    page = tab.page
    source = page.get_by_role("button", name="Source:")
    menu = page.get_by_role("dialog", name="Source")
    source.click()
    cameras = menu.get_by_role("button").filter(has_not_text="Film").filter(has_not_text="Video or picture")
    cameras.nth(1).wait_for()
    assert cameras.count() == 2
    menu.get_by_role("button", name="Wall").click()
    page.get_by_role("button", name="Source: Wall").wait_for()
    tab.sees(0)
    source.click()
    cameras.filter(has_not_text="Wall").click()
    tab.sees(2)
    tab.moving()
    page.keyboard.press("i")
    frame = page.get_by_role("region", name="Figures").filter(has_text="640 \N{MULTIPLICATION SIGN} 480")
    frame.wait_for()
    source.click()
    menu.get_by_label("Resolution").select_option(label="240 lines")
    page.keyboard.press("Escape")
    page.get_by_role("region", name="Figures").filter(has_text="320 \N{MULTIPLICATION SIGN} 240").wait_for()
    tab.moving()
