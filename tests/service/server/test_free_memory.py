import asyncio
import ctypes
import sys
from pathlib import Path

import pytest

from service.server import free_memory
from service.server.free_memory import give_back, give_back_when_idle

BLOCK_BYTES = 2**16  # too small for a mapping of its own
BLOCKS = 500


def resident_bytes() -> int:
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) * 1024


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="glibc's malloc")
def test_what_is_free_is_given_back() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    blocks = [libc.malloc(ctypes.c_size_t(BLOCK_BYTES)) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK_BYTES)
    *first, last = blocks
    for block in first:  # the last one lies above them, so that the end of the heap stays where it is
        libc.free(ctypes.c_void_p(block))
    before = resident_bytes()
    give_back()
    assert before - resident_bytes() > BLOCKS * BLOCK_BYTES / 2
    libc.free(ctypes.c_void_p(last))


def test_it_is_given_back_once_after_each_time_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs_ended = iter([0, 2, 1, 0, 0, 1, 0, 0])  # in each interval
    events: list[str] = []
    finished = 7

    async def interval(seconds: float) -> None:
        nonlocal finished
        assert seconds == free_memory.IDLE_SECONDS
        ended = next(jobs_ended, None)
        if ended is None:
            raise asyncio.CancelledError
        events.append("work" if ended else "rest")
        finished += ended

    monkeypatch.setattr(asyncio, "sleep", interval)
    monkeypatch.setattr(free_memory, "give_back", lambda: events.append("give back"))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(give_back_when_idle(lambda: finished))
    assert events == ["rest", "work", "work", "rest", "give back", "rest", "work", "rest", "give back", "rest"]
