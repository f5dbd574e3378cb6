"""The most memory that a process has held in RAM while something was going on, as Linux accounts for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

RESET_PEAK = "5"  # proc(5), clear_refs: the peak becomes what is held now


@dataclass
class Growth:
    """mb: the peak above what was held before, in MB; known once the block has ended."""

    mb: float = 0.0


@contextmanager
def growth(pid: int) -> Iterator[Growth]:
    """Measures a process during the block. Skips the test where the system does not tell."""
    before = resident_mb(pid, "VmRSS")
    try:
        Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK)
    except OSError as error:
        pytest.skip(f"the peak of memory cannot be reset: {error}")
    grown = Growth()
    yield grown
    grown.mb = resident_mb(pid, "VmHWM") - before


def resident_mb(pid: int, name: str) -> float:
    """VmRSS, what lies in RAM now, or VmHWM, its peak since the last reset; in MB. Skips the test off Linux."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        pytest.skip("memory is accounted for in /proc on Linux only")
    return int(status.split(f"{name}:")[1].split()[0]) / 1024
