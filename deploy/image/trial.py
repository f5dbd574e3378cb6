"""A trial of the image while it is built: serves a picture of each format, then compiles the modules that this took.

They are compiled into sys.pycache_prefix, each with its source's hash in place of its time of change, which may be
another in another layer. Exit code 0: the server started, answered and stopped as it should.
"""

import io
import os
import py_compile
import signal
import socket
import sys
import threading
import time
import urllib.request
from typing import Final

from PIL import Image

from service.server.main import serve
from service.settings import Settings

FORMATS: Final = ("JPEG", "PNG", "WEBP")
PATIENCE: Final = 120  # seconds for the start, and for each answer


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def ask(address: str, answered: threading.Event) -> None:
    """Sends a picture of each format once the server is ready, then ends it; answered says whether all went well."""
    try:
        wait_until_ready(address)
        for name in FORMATS:
            picture = io.BytesIO()
            Image.new("RGB", (640, 480)).save(picture, name)
            request = urllib.request.Request(
                f"{address}/retarget?include=landmarks,blendshapes&refine=true",
                picture.getvalue(),
                {"Content-Type": f"image/{name.lower()}"},
            )
            urllib.request.urlopen(request, timeout=PATIENCE).close()
        answered.set()
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def wait_until_ready(address: str) -> None:
    """Returns once the server at an address is ready. Raises OSError where it is not within PATIENCE."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=PATIENCE).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def compile_what_is_loaded() -> int:
    """Returns the number of modules compiled."""
    sources = {file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    sources = {file for file in sources if file.endswith(".py")}
    for source in sources:
        py_compile.compile(source, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    return len(sources)


def main() -> int:
    """Serves the pictures of `ask`, compiles what that has loaded, and returns the exit code."""
    port, answered = free_port(), threading.Event()
    threading.Thread(target=ask, args=(f"http://127.0.0.1:{port}", answered), daemon=True).start()
    code = serve(Settings(host="127.0.0.1", http_port=port, grpc_port=0, workers=1))
    if code or not answered.is_set():
        return code or 1
    print(f"{compile_what_is_loaded()} modules compiled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
