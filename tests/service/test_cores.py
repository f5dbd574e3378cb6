"""The cores that a process may use, over trees that kernels and container engines are known to show."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cores import cpu_quota, usable_cores

V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:31 {root} /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)
V1_GROUPS = "9:name=systemd:{path}\n4:cpu,cpuacct:{path}\n3:cpuset:/elsewhere\n0::/\n"
SYS = "sys/fs/cgroup"


def tree(root: Path, groups: str, mounts: str, **files: str) -> Path:
    """A folder with proc/ and the files of sys/fs/cgroup, named by their path."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    (root / "proc/self/mountinfo").write_text("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + mounts)
    for name, text in files.items():
        (root / SYS / name).parent.mkdir(parents=True, exist_ok=True)
        (root / SYS / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200000 100000\n", 2.0),
        ("50000 100000\n", 0.5),  # 500m
        ("max 100000\n", None),
        ("", None),
        ("many cores\n", None),
        ("100000 0\n", None),
    ],
)
def test_a_container_of_version_2_with_a_namespace_of_its_own(
    text: str, expected: float | None, tmp_path: Path
) -> None:
    assert cpu_quota(tree(tmp_path, "0::/\n", V2, **{"cpu.max": text})) == expected


def test_the_least_of_a_group_and_those_above_it(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        "0::/kubepods.slice/pod-1/container\n",
        V2,
        **{
            "kubepods.slice/cpu.max": "6400000 100000\n",
            "kubepods.slice/pod-1/cpu.max": "150000 100000\n",
            "kubepods.slice/pod-1/container/cpu.max": "max 100000\n",
            "kubepods.slice/pod-2/cpu.max": "10000 100000\n",
        },
    )
    assert cpu_quota(root) == 1.5


@pytest.mark.parametrize(
    ("path", "mount_root", "folder"),
    [
        ("/docker/1f", "/", "cpu,cpuacct/docker/1f/"),  # on the machine itself
        ("/docker/1f", "/docker/1f", "cpu,cpuacct/"),  # in the container, which sees the machine's path
        ("/", "/", "cpu,cpuacct/"),  # in a namespace
        ("/../other", "/", "cpu,cpuacct/"),  # a group outside of the namespace
        ("/docker/1f/inner", "/docker/1f", "cpu,cpuacct/inner/"),
        ("/docker/1f", "/docker/1", "cpu,cpuacct/"),  # not within, though it begins alike
    ],
)
@pytest.mark.parametrize(("quota", "expected"), [("300000\n", 3.0), ("-1\n", None)])
def test_version_1(path: str, mount_root: str, folder: str, quota: str, expected: float | None, tmp_path: Path) -> None:
    files = {f"{folder}cpu.cfs_quota_us": quota, f"{folder}cpu.cfs_period_us": "100000\n"}
    assert cpu_quota(tree(tmp_path, V1_GROUPS.format(path=path), V1.format(root=mount_root), **files)) == expected


def test_a_path_with_blanks(tmp_path: Path) -> None:
    mounts = V2.replace(" / /sys/fs/cgroup ", r" / /sys/fs/cgroup/my\040group ")
    assert cpu_quota(tree(tmp_path, "0::/\n", mounts, **{"my group/cpu.max": "100000 100000"})) == 1


def test_where_there_is_no_proc(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None


@given(groups=st.text(), mounts=st.text())
def test_no_text_of_the_kernel_is_too_odd(groups: str, mounts: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    (root := tmp_path_factory.mktemp("odd") / "proc/self").mkdir(parents=True)
    (root / "cgroup").write_text(groups, encoding="utf-8", errors="replace")
    (root / "mountinfo").write_text(mounts, encoding="utf-8", errors="replace")
    cpu_quota(root.parents[1])


@pytest.mark.parametrize(
    ("quota", "count", "reason"),
    [
        ("200000 100000", 2, "the CPU quota of this container is 2 cores"),
        ("150000 100000", 2, "the CPU quota of this container is 1.5 cores"),
        ("50000 100000", 1, "the CPU quota of this container is 0.5 cores"),
        ("6400000 100000", 8, "the cores that this process may run on are 8"),
        ("max 100000", 8, "the cores that this process may run on are 8"),
    ],
)
def test_a_quota_counts_where_it_is_less_than_the_cores(
    quota: str, count: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    usable = usable_cores(tree(tmp_path, "0::/\n", V2, **{"cpu.max": quota}))
    assert (usable.count, usable.reason) == (count, reason)


def test_a_system_without_affinity_or_quotas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores(tmp_path).count == 6
