"""A Chromium whose camera plays the film, and what its page's characters do: for tests and measurements."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from bench.agreement import CHANNELS, Agreement, Truth, agreement

PROBE = Path(__file__).with_name("browser_probe.js")
SOFTWARE = ("--enable-unsafe-swiftshader",)  # WebGL without a graphics card, as Chromium draws the page there


def program() -> str | None:
    """Where Chromium is, if it is on the path."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def chromium(camera: Path | None) -> Iterator[Browser]:
    """Runs Chromium without a window as long as the block runs. camera: the film that its camera plays, see
    studio.film.camera; None for no camera.

    Raises RuntimeError where there is no Chromium.
    """
    if (path := program()) is None:
        raise RuntimeError("there is no Chromium on the path; on Debian, install the package chromium")
    device = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", *SOFTWARE, *(device if camera else [])]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def add_probe(page: Page) -> None:
    """Has a page note what its camera shows and its characters do, from its next navigation on."""
    page.add_init_script(path=PROBE)


def use_camera(page: Page) -> None:
    """Presses the page's button that asks for the camera."""
    page.get_by_role("button", name="Use my camera").click()


def characters_moved(page: Page, count: int, timeout_ms: float) -> None:
    """Waits until `count` characters have moved since the probe began or was cleared: drawn with two weights of one
    coefficient at least. Raises playwright's TimeoutError after timeout_ms."""
    page.wait_for_function(
        """count => {
            const values = new Map();
            for (const [person, , , ...rest] of probe.moved)
                values.set(person, (values.get(person) ?? new Set()).add(rest[1].toFixed(3)));
            return [...values.values()].filter((set) => set.size > 1).length >= count;
        }""",
        arg=count,
        polling=50,
        timeout=timeout_ms,
    )


@dataclass(frozen=True)
class Noted:
    """Holds what the probe has noted. Times are seconds of performance.now().

    answers: of the server. seen_at, numbers: (S,) when the camera showed which frame. person, captured_at, drawn_at:
    (N,) of each drawing of a character. values: (N,) by CHANNELS.
    """

    answers: int
    seen_at: np.ndarray
    numbers: np.ndarray
    person: np.ndarray
    captured_at: np.ndarray
    drawn_at: np.ndarray
    values: dict[str, np.ndarray]

    @classmethod
    def of(cls, page: Page) -> "Noted":
        """Takes what has been noted since the page began or the probe was cleared."""
        noted = page.evaluate("({ seen: probe.seen, moved: probe.moved, answers: probe.answers, names: probe.names })")
        seen = np.array(noted["seen"], float).reshape(-1, 2)
        moved = np.array(noted["moved"], float).reshape(-1, 4 + len(noted["names"]))
        columns = {"yaw": 3, **{name: 4 + i for i, name in enumerate(noted["names"])}}
        values = {
            channel: moved[:, [columns[name] for name in names]].mean(axis=1) for channel, names in CHANNELS.items()
        }
        order = np.argsort(seen[:, 0], kind="stable")
        return cls(
            len(noted["answers"]),
            seen[order, 0] / 1e3,
            seen[order, 1],
            moved[:, 0].astype(int),
            moved[:, 1] / 1e3,
            moved[:, 2] / 1e3,
            values,
        )

    @property
    def people(self) -> list[int]:
        """The persons whose characters were drawn."""
        return sorted({int(person) for person in self.person})

    def agreements(self, truth: Truth, moved_at: np.ndarray) -> dict[int, Agreement]:
        """Each person's agreement with that face of the film whose yaw it follows best, by the person's number.

        moved_at: drawn_at, which tells the whole delay; or captured_at, which tells whether what is shown is of the
        moment that the page says it is.
        """
        return {person: self._agreement(truth, person, moved_at) for person in self.people}

    def _agreement(self, truth: Truth, person: int, moved_at: np.ndarray) -> Agreement:
        rows = (self.person == person) & (moved_at >= self.seen_at[0]) & (moved_at <= self.seen_at[-1])
        values = {channel: value[rows] for channel, value in self.values.items()}
        each = (agreement(truth, face, self.seen_at, self.numbers, moved_at[rows], values) for face in truth.faces)
        return max(each, key=lambda found: found.r["yaw"])
