"""What Linux tells about a process and its threads: time on a core, memory; and on which cores it may run."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")  # of /proc/PID/stat in a second: 100 on every usual kernel


@dataclass(frozen=True)
class Spent:
    """Seconds on a core, of the process and of its first thread, which runs the server's event loop."""

    process: float
    loop: float

    def __sub__(self, before: "Spent") -> "Spent":
        return Spent(self.process - before.process, self.loop - before.loop)


def spent(pid: int) -> Spent:
    """What a process has used so far."""
    process = Path(f"/proc/{pid}/stat").read_text()
    loop = Path(f"/proc/{pid}/task/{pid}/stat").read_text()
    return Spent(cpu_seconds(process), cpu_seconds(loop))


def cpu_seconds(stat: str, ticks: int = TICKS) -> float:
    """User and system time, seconds, of a line of /proc/PID/stat: its fields 14 and 15, in ticks.

    Field 2 is the command in brackets, which may itself hold spaces and brackets.
    """
    after_command = stat[stat.rindex(")") + 1 :].split()  # from field 3 on
    return (int(after_command[11]) + int(after_command[12])) / ticks


def resident_mb(pid: int) -> float:
    """Memory of a process that lies in RAM, MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def confine(cores: set[int]) -> None:
    """Keeps this process, with all threads that it has and will have, and the processes it will start to these."""
    for task in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)
