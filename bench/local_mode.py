"""The networks in a browser beside onnxruntime itself, on one thread: `python -m bench.local_mode`.

Chromium runs onnxruntime-web's WebAssembly, as the studio's local mode does; this process runs onnxruntime. All have
their turn in every round, each timed after a run that is not, so that both find their caches as a stream leaves them.
The clock of the browser is its own, so that the way there and back does not count.

Needs Playwright, Chromium on the path and studio/node_modules (`npm ci` in studio/).
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from playwright.sync_api import Page, Route

from bench.browser import chromium
from bench.results import machine, table, write_figures

ROOT: Final = Path(__file__).resolve().parents[1]
RUNTIME: Final = ROOT / "studio/node_modules/onnxruntime-web"
ORIGIN: Final = "http://localhost"  # nothing listens there: the page's requests are answered here
SIDES: Final = {"mfn": 288, "sfn": 128}  # pixels of the networks' inputs
FORMS: Final = ("int8", "float32")
PAGE: Final = """<!doctype html><script type="module">
    import { env, InferenceSession, Tensor } from "./runtime/ort.wasm.min.mjs";
    Object.assign(env.wasm, { wasmPaths: new URL("runtime/", document.baseURI).href, numThreads: 1 });
    const sessions = new Map();
    window.load = async (name) => {
        const bytes = await (await fetch(`models/${name}.onnx`)).arrayBuffer();
        sessions.set(name, await InferenceSession.create(bytes, { executionProviders: ["wasm"] }));
    };
    window.milliseconds = async (name, side) => {
        const bytes = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 31) % 251);
        const run = () => sessions.get(name).run({ image: new Tensor("uint8", bytes, [1, side, side, 3]) });
        await run();
        const start = performance.now();
        await run();
        return performance.now() - start;
    };
    window.ready = true;
</script>"""
MEDIA_TYPES: Final = {".mjs": "text/javascript", ".wasm": "application/wasm", ".onnx": "application/octet-stream"}
OPENING: Final = """## The networks in a browser

`python -m bench.local_mode --results`: onnxruntime-web in Chromium beside onnxruntime, one thread each, networks alone,
all in turn in every round. The ratio is the median of the rounds' ratios."""


@dataclass(frozen=True)
class Network:
    """A network in one form, such as mfn.int8."""

    name: str
    side: int

    @property
    def file(self) -> Path:
        """Where it is published."""
        return ROOT / "models" / f"{self.name}.onnx"


def answer(route: Route) -> None:
    """Answers a request of the page."""
    path = route.request.url.removeprefix(f"{ORIGIN}/")
    if not path:
        route.fulfill(body=PAGE, content_type="text/html")
        return
    folder, name = path.split("/", 1)
    file = {"runtime": RUNTIME / "dist", "models": ROOT / "models"}.get(folder, ROOT / "missing") / name
    if file.is_file():
        route.fulfill(path=file, content_type=MEDIA_TYPES.get(file.suffix, "text/plain"))
    else:
        route.fulfill(status=404)


def native(network: Network) -> Callable[[], float]:
    """Milliseconds of a run in onnxruntime, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network.file, options, providers=["CPUExecutionProvider"])
    count = network.side**2 * 3
    image = (np.arange(count) * 31 % 251).astype(np.uint8).reshape(1, network.side, network.side, 3)

    def run() -> float:
        session.run(None, {"image": image})
        start = time.perf_counter()
        session.run(None, {"image": image})
        return (time.perf_counter() - start) * 1e3

    return run


def in_browser(page: Page, network: Network) -> Callable[[], float]:
    """Milliseconds of a run in the browser."""
    page.evaluate("name => load(name)", network.name)

    def run() -> float:
        return float(page.evaluate("([name, side]) => milliseconds(name, side)", [network.name, network.side]))

    return run


def main() -> None:
    """Reads the options and runs the command."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=40)
    arguments.add_argument("--results", action="store_true", help="write the table into bench/RESULTS.md")
    options = arguments.parse_args()
    networks = [Network(f"{name}.{form}", side) for name, side in SIDES.items() for form in FORMS]
    version = json.loads((RUNTIME / "package.json").read_text(encoding="utf-8"))["version"]
    with chromium(None) as browser:
        page = browser.new_page()
        page.route("**/*", answer)
        page.goto(f"{ORIGIN}/")
        page.wait_for_function("window.ready")
        pairs = [(native(network), in_browser(page, network)) for network in networks]
        rounds = [[(ours(), theirs()) for ours, theirs in pairs] for _ in range(options.rounds)]
        program = browser.version
    rows = []
    for network, times in zip(networks, zip(*rounds, strict=True), strict=True):
        alone, browsed = zip(*times, strict=True)
        ratio = statistics.median(b / a for a, b in times)
        rows.append(
            [network.name, f"{statistics.median(alone):.1f}", f"{statistics.median(browsed):.1f}", f"{ratio:.2f}"]
        )
    versions = f"onnxruntime {onnxruntime.__version__}, onnxruntime-web {version} in Chromium {program}"
    header = ["network", "onnxruntime, ms", "browser, ms", "times as long"]
    figures = f"{machine()}. {options.rounds} rounds; {versions}.\n\n{table(header, rows)}"
    print(figures)
    if options.results:
        write_figures("local-mode", OPENING, figures)


if __name__ == "__main__":
    main()
