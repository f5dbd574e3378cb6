"""Coverage-guided fuzzing of the decoders of pictures, raw frames and base64, in a process of its own.

    python -m bench.fuzzing.decoders SECONDS

atheris (libFuzzer for Python) changes files so that they reach new branches of the service's Python code. A decoder may
raise RequestError and nothing else. libFuzzer ends the process where a file takes over 5 s or 1,000 MB.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["service.vision"]):
    from service.errors import RequestError
    from service.vision.image import decode

from bench.fuzzing.pictures import seeds

SIDES = (1, 96, 288, 2048)
MAX_MEGAPIXELS = 1.0


def decode_all(data: bytes) -> None:
    """Decodes a file at several sizes."""
    for side in SIDES:
        try:
            picture = decode(data, side, MAX_MEGAPIXELS)
        except RequestError:
            continue
        height, width = picture.pixels.shape[:2]
        if not (0 < width <= picture.width and 0 < height <= picture.height):
            raise AssertionError(f"{width} x {height} pixels were decoded of {picture.width} x {picture.height}")


def main() -> None:
    """Fuzzes for the number of seconds that is given."""
    seconds = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(seeds()):
            (Path(corpus) / str(number)).write_bytes(data)
        arguments = [f"-max_total_time={seconds}", "-timeout=5", "-rss_limit_mb=1000", "-max_len=20000"]
        atheris.Setup([sys.argv[0], *arguments, corpus], decode_all)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
