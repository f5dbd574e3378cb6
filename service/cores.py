"""The cores that this process may use: those of its affinity mask, of which a container's CPU quota may leave less.

A quota (`docker run --cpus=2`, Kubernetes' limits.cpu) is a share of time that Linux' control groups keep; the process
still sees every core. It is read where the kernel tells it, from the process's own group up to the root: each group is
bound by those above it.
"""

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")
ESCAPED: Final = re.compile(r"\\([0-7]{3})")  # a blank or a backslash in a path of mountinfo, see proc(5)


@dataclass(frozen=True)
class Cores:
    """count: of cores, at least 1. reason: a clause that says what the count follows from."""

    count: int
    reason: str


def usable_cores(root: Path = ROOT) -> Cores:
    """The cores that this process may use. A quota's fraction counts as a core, as in Kubernetes' limits.cpu.

    root: folder of proc/ and sys/.
    """
    visible = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota(root)
    if quota is None or math.ceil(quota) >= visible:
        return Cores(visible, f"the cores that this process may run on are {visible}")
    return Cores(max(1, math.ceil(quota)), f"the CPU quota of this container is {quota:g} cores")


def cpu_quota(root: Path = ROOT) -> float | None:
    """The CPU quota in cores: the least of the process's control groups, of version 1 or 2; None where none is set.

    root: folder of proc/ and sys/.
    """
    try:
        paths = _paths((root / "proc/self/cgroup").read_text())
        mounts = (root / "proc/self/mountinfo").read_text()
    except (OSError, ValueError):  # not Linux, or no /proc
        return None
    quotas = [
        quota
        for version, mount_root, mount_point in _cpu_mounts(mounts)
        if version in paths
        for folder in _groups(root / mount_point.lstrip("/"), mount_root, paths[version])
        if (quota := _quota(folder)) is not None
    ]
    return min(quotas, default=None)


def _paths(text: str) -> dict[int, str]:
    """The paths of /proc/self/cgroup, by version: of lines `4:cpu,cpuacct:/path` the cpu controller's, and `0::/path`.

    A path counts from the root of its hierarchy as this process sees it.
    """
    found = {}
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "cpu" in controllers.split(","):
            found[1] = path
        elif number == "0" and not controllers:
            found[2] = path
    return found


def _cpu_mounts(text: str) -> Iterator[tuple[int, str, str]]:
    """Version, root within the hierarchy and mount point of each hierarchy in /proc/self/mountinfo that may hold CPU
    quotas."""
    for line in text.splitlines():
        mount, _, kind = line.partition(" - ")
        fields, (name, *_, options) = mount.split(), kind.split() or ["", ""]
        if len(fields) > 4 and (name == "cgroup2" or (name == "cgroup" and "cpu" in options.split(","))):
            yield 2 if name == "cgroup2" else 1, _unescaped(fields[3]), _unescaped(fields[4])


def _unescaped(path: str) -> str:
    return ESCAPED.sub(lambda code: chr(int(code[1], 8)), path)


def _groups(mount_point: Path, mount_root: str, path: str) -> Iterator[Path]:
    """The folders of a process's group and of those above it, as far as they are mounted.

    Containers often have their own group mounted, under a path of the host that is not there.
    """
    group = os.path.relpath(path, mount_root)
    steps = [] if group.startswith("..") else [step for step in group.split("/") if step != "."]
    for depth in range(len(steps), -1, -1):
        yield mount_point.joinpath(*steps[:depth])


def _quota(folder: Path) -> float | None:
    """The quota in cores of one group: of cpu.max `200000 100000` or `max 100000`, or of version 1's two files."""
    try:
        if (limit := folder / "cpu.max").exists():
            time, period = limit.read_text().split()
        else:
            time = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        quota = int(time) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no quota, as `max`
        return None
    return quota if quota > 0 else None  # -1 in version 1: none
