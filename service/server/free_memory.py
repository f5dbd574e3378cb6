"""Free memory: how glibc's malloc keeps it for later requests, and when it is given back to the system."""

import asyncio
import contextlib
import ctypes
import sys
from collections.abc import Callable
from typing import Final

M_ARENA_MAX: Final = -8  # mallopt's parameter, <malloc.h>
# What is free at the end of a further arena is never given back. Threads rarely wait for the one arena: a run of a
# network allocates a few times, and Python's small objects have an allocator of their own.
ARENAS: Final = 1
IDLE_SECONDS: Final = 10.0  # without a picture; those that come more often find the memory of the last one warm


def use_one_arena() -> None:
    """Lets all threads allocate from one arena: by default each has its own, which keeps the memory of past pictures.

    Call this before there are other threads. Without glibc it does nothing.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Gives free memory back to the system. Without glibc it does nothing."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


async def give_back_when_idle(finished: Callable[[], int]) -> None:
    """Gives free memory back each time that no job has ended for IDLE_SECONDS, until it is cancelled.

    finished: the number of jobs that have ended.
    """
    given_back = finished()
    while True:
        before = finished()
        await asyncio.sleep(IDLE_SECONDS)
        if before == finished() != given_back:
            give_back()
            given_back = before
