"""What POST /retarget costs beyond the network's own time: one client, a 1280 x 720 JPEG, over loopback.

    python -m bench.rest_overhead [--rounds 200] [--models FOLDER] [--photo FILE]

Starts a server, sends the same picture in every form of body in turn, round after round, and prints the medians
(and 90th percentiles) of the total and of the total less the inference time that each answer reports. GET /livez
is in the rounds as the floor of what HTTP costs here.
"""

import argparse
import base64
import http.client
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from bench.server import photo, server

WIDTH, HEIGHT = 1280, 720
WARM_UP_ROUNDS = 10


def requests(picture: bytes) -> dict[str, tuple[str, str, bytes, dict[str, str]]]:
    """(method, path, body, headers) by what is measured."""
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    form = part + picture + b"\r\n--x--\r\n"
    document = json.dumps({"image": base64.b64encode(picture).decode()}).encode()
    raw = {"Content-Type": "image/jpeg"}
    return {
        "GET /livez": ("GET", "/livez", b"", {}),
        "raw JPEG": ("POST", "/retarget", picture, raw),
        "raw, landmarks and blendshapes": ("POST", "/retarget?include=landmarks,blendshapes", picture, raw),
        "multipart": ("POST", "/retarget", form, {"Content-Type": "multipart/form-data; boundary=x"}),
        "JSON": ("POST", "/retarget", document, {"Content-Type": "application/json"}),
        "raw, refine": ("POST", "/retarget?refine=true", picture, raw),
    }


def main() -> None:
    """Reads the options and runs the command."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=200)
    arguments.add_argument("--models", type=Path)
    arguments.add_argument("--photo", type=Path, help="a picture of your own instead of the astronaut")
    options = arguments.parse_args()
    picture = options.photo.read_bytes() if options.photo else photo(WIDTH, HEIGHT)
    cases = requests(picture)
    totals: dict[str, list[float]] = {name: [] for name in cases}
    beyond: dict[str, list[float]] = {name: [] for name in cases}
    steps: dict[str, list[float]] = {}
    faces = 0
    with server(options.models) as served:
        connection = http.client.HTTPConnection("127.0.0.1", served.http_port)
        for turn in range(WARM_UP_ROUNDS + options.rounds):
            for name, (method, path, body, headers) in cases.items():
                start = time.perf_counter()
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
                total = (time.perf_counter() - start) * 1e3
                if answer.status != 200:
                    sys.exit(f"{name}: {answer.status} {text[:500]!r}")
                document = json.loads(text)
                if turn < WARM_UP_ROUNDS:
                    continue
                timing = document.get("timing_ms", {})
                totals[name].append(total)
                beyond[name].append(total - timing.get("inference", 0.0))
                if name == "raw JPEG":
                    faces = len(document["faces"])
                    for step, ms in timing.items():
                        steps.setdefault(step, []).append(ms)
    print(f"{WIDTH} x {HEIGHT} JPEG of {len(picture) / 1024:.0f} KiB, {faces} faces, {options.rounds} rounds; ms")
    print("| request | total, median | p90 | beyond the network, median | p90 |\n|---|---|---|---|---|")
    for name in cases:
        figures = (f for times in (totals[name], beyond[name]) for f in (statistics.median(times), p90(times)))
        print(f"| {name} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")
    print("raw JPEG, medians: " + ", ".join(f"{step} {statistics.median(ms):.2f}" for step, ms in steps.items()))


def p90(times: list[float]) -> float:
    """The 90th percentile of the times."""
    return float(np.percentile(times, 90))


if __name__ == "__main__":
    main()
