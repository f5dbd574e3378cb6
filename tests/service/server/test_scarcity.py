"""A disk that takes no writes, and memory that does not suffice: the real server, under limits of the kernel."""

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc
from PIL import Image

from tests.service.processes import ROOT, free_port, server, wait_until_ready
from tests.service.server.grpc.conftest import trailing_metadata
from tests.service.tiny_models import encoded

resource = pytest.importorskip("resource", reason="limits are POSIX")
PNG = {"Content-Type": "image/png"}
SIDE = 20_000  # pixels: a picture of 1.6 GB, at Pillow's four bytes a pixel
SPARE_BYTES = 800 * 2**20  # less than that, and more than anything else takes; threads' stacks and reserves count, too
NO_WRITES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"  # not a byte, to any file


def lines_of(log: str) -> list[dict[str, Any]]:
    """The server's own lines; libraries in C++ may have some of theirs, as onnxruntime of what it could not keep."""
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def header_of(side: int) -> bytes:
    """The beginning of a PNG: memory for all of its pixels is asked for before the first is looked at."""
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(99))))
    parts = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_nothing_is_written(models_dir: Path, png: bytes) -> None:
    """Nor is a home needed, or a place for temporary files."""
    http, rpc = free_port(), free_port()
    nowhere = dict.fromkeys(("HOME", "TMPDIR", "TMP", "TEMP", "XDG_CACHE_HOME"), "/proc/nowhere")
    with server(models_dir, http, NO_WRITES, MFN_GRPC_PORT=str(rpc), **nowhere) as process:
        wait_until_ready(http)
        url = f"http://127.0.0.1:{http}"
        large = encoded(Image.effect_noise((1500, 1500), 90), "PNG")  # megabytes, which some would keep in a file
        for answer in (
            httpx2.post(f"{url}/retarget?refine=true", content=png, headers=PNG),
            httpx2.post(f"{url}/retarget", files={"image": large}, timeout=30),
        ):
            assert answer.status_code == 200
        with grpc.insecure_channel(f"127.0.0.1:{rpc}") as channel:
            stub = retarget_pb2_grpc.RetargetServiceStub(channel)
            assert stub.Retarget(pb.RetargetRequest(image=pb.Image(encoded=png)), timeout=20).faces
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert {line["level"] for line in lines_of(log)} == {"info"}


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits can be set on Linux only")
def test_a_picture_that_there_is_no_memory_for_is_refused_and_others_are_served(models_dir: Path, png: bytes) -> None:
    large = header_of(SIDE)
    http, rpc = free_port(), free_port()
    with server(models_dir, http, MFN_GRPC_PORT=str(rpc), MFN_MAX_MEGAPIXELS="500") as process:
        wait_until_ready(http)
        url = f"http://127.0.0.1:{http}"
        with grpc.insecure_channel(f"127.0.0.1:{rpc}") as channel:
            stub = retarget_pb2_grpc.RetargetServiceStub(channel)

            def faces() -> tuple[int, int]:
                over_http = httpx2.post(f"{url}/retarget", content=png, headers=PNG).json()["faces"]
                over_grpc = stub.Retarget(pb.RetargetRequest(image=pb.Image(encoded=png)), timeout=20).faces
                return len(over_http), len(over_grpc)

            assert faces() == (1, 1)
            status = Path(f"/proc/{process.pid}/status").read_text()
            used = int(status.split("VmSize:")[1].split()[0]) * 1024
            resource.prlimit(process.pid, resource.RLIMIT_AS, (used + SPARE_BYTES, resource.RLIM_INFINITY))
            refused = httpx2.post(f"{url}/retarget", content=large, headers=PNG, timeout=30)
            assert (refused.status_code, refused.json()["type"]) == (503, "urn:problem-type:mfn:no-memory")
            with pytest.raises(grpc.RpcError) as error:
                stub.Retarget(pb.RetargetRequest(image=pb.Image(encoded=large)), timeout=30)
            assert error.value.code() is grpc.StatusCode.UNAVAILABLE
            assert trailing_metadata(error.value)["mfn-problem"] == "no-memory"
            assert faces() == (1, 1)
        metrics = httpx2.get(f"{url}/metrics").text
        for transport, method, code in (("http", "POST /retarget", "503"), ("grpc", "Retarget", "UNAVAILABLE")):
            labels = f'code="{code}",method="{method}",transport="{transport}"'
            assert f"mfn_request_duration_seconds_count{{{labels}}} 1.0" in metrics
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert process.returncode == 0
    warnings = [line for line in lines_of(log) if line["level"] != "info"]
    assert [line["level"] for line in warnings] == ["warning", "warning"]
    assert all("no memory left" in line["message"] for line in warnings)


def test_a_server_whose_event_loop_finds_no_memory_ends() -> None:
    """It has missed something, and would answer some and not others."""
    program = """
import uvloop, asyncio
from service.server.main import _on_loop_failure
def fail():
    raise MemoryError
async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_on_loop_failure)
    loop.call_soon(fail)
    await asyncio.sleep(60)
uvloop.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("mfn: No memory is left for the server itself.")
