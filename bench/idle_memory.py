"""Memory of `mfn serve` that nobody has asked yet, and what it is: `python -m bench.idle_memory [--starts N]` (Linux).

Both networks are loaded and warm. Resident memory is anonymous, which only this process has, or pages of files such as
libraries, which all servers of a machine share and which the kernel drops when it needs room.
"""

import argparse
import re
import statistics
import time
from collections import Counter
from pathlib import Path

from bench.results import table
from bench.server import server

PROGRAM = "import sys; from service.cli.main import main; sys.exit(main(['serve']))"
SETTLED_SECONDS = 8.0  # from ready
SHOWN = 12  # files
MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)")
HEAP, OTHER = "heap: networks, large objects", "other anonymous: Python's small objects, stacks"


def resident(pid: int) -> Counter[str]:
    """Resident MB of a process: of the heap, of other anonymous memory, and of each file by its name."""
    kilobytes: Counter[str] = Counter()
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if mapping := MAPPING.fullmatch(line):
            told = mapping[1]
            name = HEAP if told == "[heap]" else told.rpartition("/")[2] if told.startswith("/") else OTHER
        elif line.startswith("Rss:"):
            kilobytes[name] += int(line.split()[1])
    return Counter({name: size / 1024 for name, size in kilobytes.items()})


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=3, help="servers that are started, one after the other")
    starts = []
    for _ in range(parser.parse_args().starts):
        with server(program=PROGRAM) as served:
            time.sleep(SETTLED_SECONDS)
            starts.append(resident(served.pid))
    totals = [sum(start.values()) for start in starts]
    last = starts[-1]
    largest = last.most_common(SHOWN + 2)
    rows = [[name, f"{size:.1f}"] for name, size in largest]
    rows.append(["all others", f"{sum(last.values()) - sum(size for _, size in largest):.1f}"])
    print(
        f"{statistics.median(totals):.1f} MB, the median of {', '.join(f'{total:.1f}' for total in totals)}; the last:"
    )
    print(table(["what", "MB resident"], rows))


if __name__ == "__main__":
    main()
