"""A server that is kept to its cores, with clients that are kept to theirs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.server import PROGRAM, free_port
from deploy.planning.capacity.process import confine

CORES: Final = sorted(os.sched_getaffinity(0))
SERVER_CORE: Final = {CORES[-1]}
CLIENT_CORE: Final = {CORES[0]}
PATIENCE_SECONDS: Final = 60.0  # until it is ready
# What a pod is set up with and costs something: lines of the log for every request (into nothing here), and streams
# for as many as one core may bear.
SETTINGS: Final = {"MFN_HOST": "127.0.0.1", "MFN_LOG_LEVEL": "info", "MFN_MAX_STREAMS": "1000", "MFN_WORKERS": "1"}


@dataclass(frozen=True)
class Served:
    """Where it listens; certificate: what its clients trust, where it speaks TLS."""

    pid: int
    http_port: int
    grpc_port: int
    certificate: Path | None


@contextmanager
def started(server_cores: set[int], client_cores: set[int], **settings: str) -> Iterator[Served]:
    """A server whose ports are open, hence warm. settings: MFN_* variables by their names."""
    ports = free_port(), free_port()
    doors = {"MFN_HTTP_PORT": str(ports[0]), "MFN_GRPC_PORT": str(ports[1])}
    environment = {**os.environ, **SETTINGS, **doors, **settings}
    confine(server_cores)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stderr=subprocess.DEVNULL)
    confine(client_cores)
    try:
        for port in ports:
            _wait_for(port, process)
        certificate = settings.get("MFN_TLS_CERTIFICATE_FILE")
        yield Served(process.pid, *ports, None if certificate is None else Path(certificate))
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if process.poll() is not None or time.perf_counter() > deadline:
                sys.exit("The server did not start. Try `.venv/bin/mfn serve` to see why.")
            time.sleep(0.02)
        else:
            return


def certificate_in(folder: Path) -> dict[str, str]:
    """Makes a certificate for this machine with openssl; returns the settings that name it."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=mfn -addext subjectAltName=IP:127.0.0.1"
    command = f"{command} -keyout {key} -out {chain}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return {"MFN_TLS_CERTIFICATE_FILE": str(chain), "MFN_TLS_KEY_FILE": str(key)}
