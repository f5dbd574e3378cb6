"""What Linux tells of a process."""

import os
import time
from pathlib import Path

import pytest

from deploy.planning.capacity.process import cpu_seconds, resident_mb, spent

# state, then ppid to cmajflt, utime 1234, stime 66, cutime, cstime and on.
REST = "S 1 2 3 4 5 6 7 8 9 10 1234 66 777 888 20 0 5 0 99 1000 200"


@pytest.mark.parametrize("command", ["mfn", "a b", "odd) S 9 9 (name", "((", "python -c x)"])
def test_time_is_found_behind_any_command(command: str) -> None:
    assert cpu_seconds(f"42 ({command}) {REST}", ticks=100) == 13.0
    assert cpu_seconds(f"42 ({command}) {REST}", ticks=1000) == 1.3


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells")
def test_a_process_that_works_uses_time_and_memory() -> None:
    before, told = spent(os.getpid()), time.process_time()
    while time.process_time() - told < 0.1:
        pass
    used = spent(os.getpid()) - before
    assert used.process >= 0.08  # to a tick
    assert 0 <= used.loop <= used.process + 0.02
    assert 1 < resident_mb(os.getpid()) < 100_000
