"""The clock of the core that a measurement runs on."""

import ctypes
import mmap
import platform
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# A product has to wait for the one before it, three cycles on every x86-64 of the last 15 years:
# 16 times imul eax, eax; dec rdi; jnz to the first; ret.
PRODUCTS, CYCLES = 16, 3
CHAIN = b"\x0f\xaf\xc0" * PRODUCTS + b"\x48\xff\xcf"
CHAIN += b"\x0f\x85" + (-len(CHAIN) - 6).to_bytes(4, "little", signed=True) + b"\xc3"
TURNS = 20_000  # of the loop: a quarter of a millisecond


@dataclass(frozen=True)
class Clock:
    """How the clock is read. ghz: reads it, in cycles a nanosecond. how: in words."""

    ghz: Callable[[], float]
    how: str


def find_clock(given: float | None) -> Clock | None:
    """The best way there is to learn the clock, or None. given: GHz, if the user knows better."""
    if given is not None:
        return Clock(lambda: given, "as given")
    if platform.machine() in ("x86_64", "AMD64") and hasattr(mmap, "PROT_EXEC"):
        try:
            return Clock(Chain().ghz, "measured with a chain of multiplications")
        except OSError:
            pass  # a kernel that lets nobody write code to run
    if told_mhz():
        return Clock(lambda: statistics.median(told_mhz()) / 1e3, "as the kernel tells; virtual machines may not know")
    return None


class Chain:
    """Measures GHz by running a chain of known length. Raises OSError where memory cannot be executed."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self.memory.write(CHAIN)
        self.run = ctypes.CFUNCTYPE(None, ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(self.memory)))

    def ghz(self) -> float:
        """The processor's clock in GHz, from how long a loop of known length takes."""
        start = time.perf_counter_ns()
        self.run(TURNS)
        return TURNS * PRODUCTS * CYCLES / (time.perf_counter_ns() - start)


def told_mhz() -> list[float]:
    """What /proc/cpuinfo says of each core."""
    file = Path("/proc/cpuinfo")
    return [float(mhz) for mhz in re.findall(r"cpu MHz\s*: ([\d.]+)", file.read_text())] if file.exists() else []
