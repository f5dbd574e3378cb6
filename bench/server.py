"""A server in a process of its own, for measurements from outside; and the picture they send."""

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

import httpx2
import numpy as np
from PIL import Image

PROGRAM = """
import sys
from service.server.main import serve
from service.settings import Settings
sys.exit(serve(Settings.from_environment()))
"""


@dataclass(frozen=True)
class Served:
    """Where it listens, its process, and the seconds from its start until it was ready. trust: of its clients, where
    it speaks TLS."""

    http_port: int
    grpc_port: int
    pid: int
    seconds_to_ready: float
    trust: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        """Where the server answers HTTP."""
        return f"{'http' if self.trust is None else 'https'}://127.0.0.1:{self.http_port}"

    def resident_mb(self) -> float:
        """Memory of the process that lies in RAM, in MB (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def server(
    models: Path | None = None,
    trust: ssl.SSLContext | None = None,
    settings: Mapping[str, str] | None = None,
    log: IO[str] | None = None,
    program: str = PROGRAM,
    folder: Path | None = None,
) -> Iterator[Served]:
    """Runs a server as long as the block runs.

    settings: further MFN_* variables; trust: what clients need to trust where those are of TLS. log: a file for what
    the server writes to standard error. program: what starts it, in Python. folder: the checkout that it runs from, the
    current one unless given.
    """
    ports = free_port(), free_port()
    environment = {
        **os.environ,
        "MFN_HOST": "127.0.0.1",
        "MFN_HTTP_PORT": str(ports[0]),
        "MFN_GRPC_PORT": str(ports[1]),
        "MFN_LOG_LEVEL": "warning",
        **({} if folder is None else {"PYTHONPATH": os.pathsep.join([str(folder), str(folder / "clients/python")])}),
        **({} if models is None else {"MFN_MODELS_DIR": str(models)}),
        **(settings or {}),
    }
    scheme = "http" if trust is None else "https"
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=log, cwd=folder)
    try:
        while True:
            try:
                httpx2.get(f"{scheme}://127.0.0.1:{ports[0]}/readyz", verify=trust or True).raise_for_status()
                break
            except httpx2.TransportError:
                if process.poll() is not None:
                    sys.exit("The server did not start.")
                time.sleep(0.005)
        yield Served(*ports, process.pid, time.perf_counter() - start, trust)
    finally:
        process.terminate()
        process.wait(30)


def photo(width: int, height: int) -> bytes:
    """A JPEG of quality 90: the astronaut of scikit-image, twice, with noise as of a camera."""
    from skimage.data import astronaut

    half = Image.fromarray(astronaut()).resize((width // 2, width // 2), Image.Resampling.BICUBIC)
    canvas = Image.new("RGB", (width, height), (90, 100, 110))
    top = max(0, (height - width // 2) // 2)
    canvas.paste(half, (0, top))
    canvas.paste(half.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (width // 2, top))
    noise = np.random.default_rng(0).normal(0, 3, (height, width, 3))
    noisy = np.clip(np.asarray(canvas) + noise, 0, 255).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(noisy).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
