"""Installs the wheels as a user would and serves a picture: `python -m tools.try_wheels FOLDER`, after `make wheels`.

FOLDER holds one wheel of the server and one of the client. They get an environment of their own, with what
requirements/serve.txt locks and nothing of this repository; `mfn` is then started in an empty folder. Exit code 0: it
told its version, found the faces of a picture with the models of its package, served the Studio's page and what that
names, and ended as it should.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PICTURE: Final = ROOT / "tests/pictures/five_faces.webp"
FACES: Final = 5
CHARACTER: Final = "characters/human.glb"
PATIENCE: Final = 60  # seconds for the start, and for the answer
# What an installation must not lean on: the settings of whoever runs this, and modules of this repository.
FOREIGN: Final = ("MFN_", "PYTHON", "VIRTUAL_ENV")


def install(wheels: list[Path], folder: Path) -> Path:
    """Makes an environment in a folder, with the locked packages and the wheels; returns the folder of its programs."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip: list[str | Path] = [programs / "python", "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--require-hashes", "-r", ROOT / "requirements/serve.txt"], check=True)
    subprocess.run([*pip, "install", "--quiet", "--no-index", *wheels], check=True)
    subprocess.run([*pip, "check"], check=True)
    return programs


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def faces_found(address: str) -> int:
    """The number of faces that a server finds in the picture, once it is ready. Raises OSError where it never is."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=PATIENCE).close()
            break
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    request = urllib.request.Request(f"{address}/retarget", PICTURE.read_bytes(), {"Content-Type": "image/webp"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return len(json.load(answer)["faces"])


def files_served(address: str) -> int:
    """The number of files that a server has of the Studio: its page, what that names, and a character. Raises OSError
    where one is missing."""
    with urllib.request.urlopen(f"{address}/studio", timeout=PATIENCE) as answer:
        page = answer.read().decode()
    named = [name.removeprefix("./") for name in re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page)]
    for name in (*named, CHARACTER):
        urllib.request.urlopen(f"{address}/studio/{name}", timeout=PATIENCE).close()
    return 1 + len(named) + 1


def serve(mfn: Path, folder: Path) -> tuple[int, int, int]:
    """Starts `mfn serve` in a folder; returns the faces found in the picture, the number of files that it has of the
    Studio, and the exit code after SIGTERM."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment |= {"MFN_HOST": "127.0.0.1", "MFN_HTTP_PORT": str(port), "MFN_GRPC_PORT": "0"}
    with subprocess.Popen([mfn, "serve"], cwd=folder, env=environment) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            found, files = faces_found(address), files_served(address)
            server.send_signal(signal.SIGTERM)
            code = server.wait(PATIENCE)
        finally:
            server.kill()
    return found, files, code


def main(dist: Path) -> int:
    """Installs the two wheels of a folder and has them serve; returns the exit code of the command."""
    wheels = sorted(dist.resolve().glob("*.whl"))
    if len(wheels) != 2:
        print(f"{dist} holds {len(wheels)} wheels; expected those of one server and one client.", file=sys.stderr)
        return 1
    with TemporaryDirectory() as scratch:
        programs = install(wheels, Path(scratch) / "environment")
        empty = Path(scratch) / "empty"
        empty.mkdir()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        subprocess.run([programs / "mfn", "--version"], cwd=empty, env=environment, check=True)
        found, files, code = serve(programs / "mfn", empty)
    print(f"{found} faces found, {files} files of the Studio, exit code {code} after SIGTERM")
    return 0 if (found, code) == (FACES, 0) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
