"""What the studio's page reaches in Chromium, beside the server on the same cores.

    python -m bench.studio [--seconds 24] [--minutes 30] [--results]

Chromium's camera plays studio/film/faces.webm: two faces, 640 x 480, 30 frames a second, each frame with its number, so
that what the characters do can be held against what the faces do. WebGL runs without a graphics card. The page has to
be built: `npm run build` in studio/.

    first moving character    from the server's being ready to the first character that moves, of the page's own film;
                              Chromium runs already, its cache is empty; the median of --loads
    answers                   a second, over --seconds of the camera's film
    delay                     from a frame's capture to the drawing of the character that shows it, the median
    with the filter           the same, and what the smoothing of the coefficients adds: at which the weights follow the
                              film's truth best, the median of the four below, the slower character
    r                         of the character's weights with the film's truth at the best delay, the worse character
    page                      what it loads before a camera is allowed, in gzip, without characters and film
    memory                    of the page after --minutes (0: not measured) against that after one: JavaScript's heap
                              after a collection, and the whole process
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, CDPSession, Page

from bench.agreement import CHANNELS, FILM, Truth
from bench.browser import Noted, add_probe, characters_moved, chromium, use_camera
from bench.results import machine, table, write_figures
from bench.server import server
from studio.film.camera import write_camera_film

PATIENCE_MS = 60_000.0
WARM_UP_SECONDS = 8.0  # of the camera before anything is measured
SETTLED_SECONDS = 60.0  # of the camera before the memory is first read
SAMPLE_SECONDS = 15.0  # between two looks at the memory
SAMPLES = 4  # looks whose median is told, at the beginning and at the end
NOT_OF_THE_PAGE = ("/studio/characters/", "/studio/film/", "/studio/models/")
FIRST_MOVE = """() => {
    const first = new Map();
    for (const [person, , drawnAt, ...values] of probe.moved) {
        const before = first.get(person) ?? values;
        if (values.some((value, i) => Math.abs(value - before[i]) > 0.01)) return performance.timeOrigin + drawnAt;
        first.set(person, before);
    }
    return null;
}"""  # milliseconds since the epoch
OPENING = """## Studio

`python -m bench.studio --results`: the page in Chromium, its camera a film of two faces, on the cores that serve it."""


@dataclass(frozen=True)
class Load:
    """One opening of the page. seconds: from the server's being ready to the first moving character. kilobytes: of the
    page in gzip."""

    seconds: float
    kilobytes: float


@dataclass(frozen=True)
class Run:
    """The camera's film on the page. answers: a second. shown: seconds from capture to drawing. delay: the same
    with the filter's. r: by CHANNELS, the worse character's."""

    answers: float
    shown: float
    delay: float
    r: dict[str, float]


@dataclass(frozen=True)
class Memory:
    """MB at one moment. heap: of JavaScript. resident: of the page's process."""

    heap: float
    resident: float


def load(browser: Browser) -> Load:
    """Starts a server and opens its page."""
    with server() as served:
        ready = time.time()
        context = browser.new_context()
        page = context.new_page()
        add_probe(page)
        sizes: list[float] = []
        session = context.new_cdp_session(page)
        own: set[str] = set()
        session.send("Network.enable")
        session.on(
            "Network.responseReceived",
            lambda e: own.add(e["requestId"]) if not any(p in e["response"]["url"] for p in NOT_OF_THE_PAGE) else None,
        )
        session.on(
            "Network.loadingFinished",
            lambda e: sizes.append(e["encodedDataLength"]) if e["requestId"] in own else None,
        )
        page.goto(f"{served.url}/studio/", wait_until="commit")
        moved = page.wait_for_function(FIRST_MOVE, timeout=PATIENCE_MS).json_value()
        context.close()
    return Load(moved / 1e3 - ready, sum(sizes) / 1e3)


def run(page: Page, truth: Truth, seconds: float) -> Run:
    """Lets the camera's film run on a page whose camera is on."""
    page.evaluate("probe.clear()")
    page.wait_for_timeout(seconds * 1e3)
    noted = Noted.of(page)
    found = noted.agreements(truth, noted.drawn_at).values()
    return Run(
        answers=noted.answers / seconds,
        shown=float(np.median(noted.drawn_at - noted.captured_at)),
        delay=max(each.delay for each in found),
        r={channel: min(each.r[channel] for each in found) for channel in CHANNELS},
    )


def watch_memory(page: Page, minutes: float) -> tuple[Memory, Memory]:
    """The memory after a minute of the camera, and after `minutes` more."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.wait_for_timeout(SETTLED_SECONDS * 1e3)
    first = _memory(page, session)
    for _ in range(round(minutes)):
        page.wait_for_timeout(60e3)
        page.evaluate("probe.clear()")
    return first, _memory(page, session)


def _memory(page: Page, session: CDPSession) -> Memory:
    """The median of a few looks."""
    looks: list[Memory] = []
    for _ in range(SAMPLES):
        page.wait_for_timeout(SAMPLE_SECONDS * 1e3)
        page.evaluate("probe.clear()")
        session.send("HeapProfiler.collectGarbage")
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        looks.append(Memory(metrics["JSHeapUsedSize"] / 1e6, _resident_mb(page)))
    return Memory(statistics.median(look.heap for look in looks), statistics.median(look.resident for look in looks))


def _resident_mb(page: Page) -> float:
    """Of the processes that show pages; the page's own is the largest (Linux)."""
    browser = page.context.browser
    assert browser is not None
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    shown = (Path(f"/proc/{process['id']}/status") for process in processes if process["type"] == "renderer")
    return max(int(status.read_text().split("VmRSS:")[1].split()[0]) / 1024 for status in shown if status.exists())


def figures(
    loads: Sequence[Load], plain: Run, refined: Run, memory: tuple[Memory, Memory] | None, minutes: float
) -> str:
    """The table."""
    rows = [
        ["server ready to first moving character", f"{statistics.median(each.seconds for each in loads):.2f} s", ""],
        ["answers a second", f"{plain.answers:.1f}", f"{refined.answers:.1f}"],
        ["delay from capture to character", f"{plain.shown * 1e3:.0f} ms", f"{refined.shown * 1e3:.0f} ms"],
        ["with the filter", f"{plain.delay * 1e3:.0f} ms", f"{refined.delay * 1e3:.0f} ms"],
        *([f"r of {name}", f"{plain.r[name]:.3f}", f"{refined.r[name]:.3f}"] for name in CHANNELS),
        ["page in gzip, without characters", f"{loads[0].kilobytes:.0f} KB", ""],
    ]
    if memory is not None:
        first, last = memory
        for name, before, after in (("heap", first.heap, last.heap), ("process", first.resident, last.resident)):
            told = f"{before:.1f} MB, {after / before - 1:+.1%}"
            rows.append([f"memory over {minutes:g} minutes, {name}", "", told])
    return table(["what", "measured", "with refine"], rows)


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=24.0, help="of the camera's film; it is 12 seconds long")
    parser.add_argument("--minutes", type=float, default=0.0, help="over which the memory is watched")
    parser.add_argument("--loads", type=int, default=3)
    parser.add_argument("--results", action="store_true", help="write the table into bench/RESULTS.md")
    chosen = parser.parse_args()
    truth, memory = Truth.load(), None
    with tempfile.TemporaryDirectory() as folder:
        camera = Path(folder) / "faces.mjpeg"
        write_camera_film(FILM / "faces.webm", camera)
        with chromium(camera) as browser:
            loads = [load(browser) for _ in range(chosen.loads)]
            runs = []
            with server() as served:
                for refine in (0, 1):
                    context = browser.new_context()
                    context.grant_permissions(["camera"], origin=served.url)
                    page = context.new_page()
                    add_probe(page)
                    page.goto(f"{served.url}/studio/?refine={refine}")
                    use_camera(page)
                    characters_moved(page, len(truth.faces), PATIENCE_MS)
                    page.wait_for_timeout(WARM_UP_SECONDS * 1e3)
                    runs.append(run(page, truth, chosen.seconds))
                    if refine and chosen.minutes:
                        memory = watch_memory(page, chosen.minutes)
                    context.close()
            plain, refined = runs
            told = f"{machine()}, Chromium {browser.version}, WebGL in software"
    text = figures(loads, plain, refined, memory, chosen.minutes)
    print(text)
    if chosen.results:
        write_figures("studio", OPENING, f"{told}.\n\n{text}")


if __name__ == "__main__":
    main()
