"""bench/RESULTS.md: a section a measurement, whose figures the measurement itself puts there."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")


def with_figures(text: str, name: str, opening: str, figures: str) -> str:
    """The text with these figures in its section `name`; a section it lacks is appended, under its opening words."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    section = f"{begin}\n{figures}\n{end}"
    if begin not in text:
        return f"{text.rstrip()}\n\n{opening}\n\n{section}\n"
    head, rest = text.split(begin, 1)
    return head + section + rest.split(end, 1)[1]


def write_figures(name: str, opening: str, figures: str) -> None:
    """Puts figures into RESULTS.md. opening: heading and first words, for the first time."""
    RESULTS.write_text(with_figures(RESULTS.read_text(encoding="utf-8"), name, opening, figures), encoding="utf-8")


def machine() -> str:
    """Day, cores that this process may use, their instructions, and Python: how a line above figures begins."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    counted = "1 core" if cores == 1 else f"{cores} cores"
    return f"{datetime.now(UTC):%Y-%m-%d}, {counted} of {processor()} ({family()}), Python {platform.python_version()}"


def processor() -> str:
    """The processor's name."""
    file = Path("/proc/cpuinfo")
    for line in file.read_text().splitlines() if file.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def family() -> str:
    """Of the processor that this runs on, by the best instructions that it has for products of bytes."""
    if platform.machine() in ("arm64", "aarch64"):
        return "arm64"
    file = Path("/proc/cpuinfo")
    flags = set(file.read_text().split()) if file.exists() else set()
    if flags & {"avx512_vnni", "avx_vnni"}:
        return "VNNI"
    return "AVX2" if "avx2" in flags else "SSE"


def table(header: list[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in [header, *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(header), *lines[1:]])
