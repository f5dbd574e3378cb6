"""The tables of what was measured."""

from typing import Any

from bench.results import table
from deploy.planning.capacity.sizing import FPS, Assumptions, streams_per_core

Figures = dict[str, Any]


def calls(figures: Figures) -> str:
    """Table of the CPU time of each request."""
    by_call = {(row["call"], row["faces"], row["server"]): row for row in figures["calls"]}
    lines = []
    for name, faces in dict.fromkeys((row["call"], row["faces"]) for row in figures["calls"]):
        cells = []
        for server in ("int8", "float32"):
            row = by_call.get((name, faces, server))
            cells += ["", ""] if row is None else [_spread(row), f"{row['per_second']:.0f}"]
        lines.append([name, str(faces), *cells])
    header = ["request", "faces", "int8: CPU ms", "requests/s", "float32: CPU ms", "requests/s"]
    shares = [row["server_share"] for row in figures["calls"]]
    busiest = max(row["client_share"] for row in figures["calls"])
    worth = (
        f"{figures['machine']}; medians of {figures['calls'][0]['rounds']} rounds in which everything has its turn, in "
        f"brackets the least and the most of them. The server had {min(shares):.0%} of its core or more, the clients "
        f"used {busiest:.0%} of theirs or less."
    )
    return f"{worth}\n\n{table(header, lines)}"


def streams(figures: Figures, assumed: Assumptions) -> str:
    """Table of the CPU time of a stream's frame."""
    rows = {(row["format"], row["mode"], row["server"]): row for row in figures["frames"]}
    lines = []
    for form, mode in dict.fromkeys((row["format"], row["mode"]) for row in figures["frames"]):
        faces = rows[form, mode, "int8"]["faces"]
        cells = []
        for server in ("int8", "float32"):
            row = rows.get((form, mode, server))
            cells += ["", ""] if row is None else [_spread(row), _per_core(row, assumed.utilisation)]
        lines.append([form, str(faces), mode, *cells, f"{figures['formats'][form] * 8 * FPS / 1e6:.0f}"])
    share = f"{assumed.utilisation:.0%}"
    header = ["frame", "faces", "mode", "int8: CPU ms", f"streams at 100 / {share}"]
    header += ["float32: CPU ms", f"streams at 100 / {share}", "Mbit/s in"]
    return table(header, lines)


def ladder(figures: Figures) -> str:
    """Table of how many streams a core was seen to bear."""
    lines = []
    for row in figures["ladder"]:
        borne, refused = row["borne"], row["refused"]
        of_time = borne["streams"] / row["predicted"]
        lines.append(
            [
                f"{row['server']}, {row['format']}, {row['mode']}, {_faces(row['faces'])}",
                f"{row['predicted']:.1f}",
                f"{borne['streams']} ({of_time:.0%})",
                f"{borne['p99_ms']:.0f} ({borne['late_p99_ms']:.0f})",
                f"{borne['server_share']:.0%}",
                f"{refused['streams']}",
                f"{refused['dropped']:.0%}, {refused['p99_ms']:.0f} ({refused['late_p99_ms']:.0f})",
            ]
        )
    header = ["streams of", "by CPU time", "borne", "p99, ms", "of the core", "too many", "there dropped, p99 ms"]
    return table(header, lines)


def workers(figures: Figures) -> str:
    """Table of servers with several workers."""
    rows = figures["workers"]
    cores = int(figures["machine"].split(" core")[0].rsplit(" ", 1)[-1])
    lines = [
        [
            row["server"],
            f"{row['per_second']:.0f}",
            f"{row['cpu_ms']:.2f}",
            f"{row['loop_ms']:.2f}",
            f"{row['server_share']:.2f}",
        ]
        for row in rows
    ]
    header = ["workers", "requests/s", "CPU ms a request", "of it the event loop", f"cores used, of {cores}"]
    slower = figures["siblings"]
    told = f"With both cores busy, the network alone takes {slower:.2f} times as long as with one."
    return f"{table(header, lines)}\n\n{told}"


def memory(figures: Figures) -> str:
    """Table of the memory that servers and connections take."""
    memory = figures["memory"]
    lines = [
        [f"{row['server']}, {_counted(row['workers'], 'worker')}", f"{row['idle_mb']:.0f}", f"{row['loaded_mb']:.0f}"]
        for row in memory["servers"]
    ]
    header = ["server", "idle, MiB", "after load, MiB"]
    more = (
        f"A stream that follows a face adds {memory['stream_kb']:.0f} KiB with its connection, a gRPC connection over "
        f"which nothing is under way {memory['connection_kb']:.0f} KiB. A pod shows "
        f"Prometheus {figures['series']} series."
    )
    return f"{table(header, lines)}\n\n{more}"


def answers(figures: Figures) -> str:
    """Table of the sizes of answers."""
    rows = figures["answers"]
    faces = sorted({row["faces"] for row in rows})
    lines = []
    for door, carries in dict.fromkeys((row["door"], row["carries"]) for row in rows):
        count = {row["faces"]: row["bytes"] for row in rows if (row["door"], row["carries"]) == (door, carries)}
        per_second = [f"{count[n] * 8 * FPS / 1e6:.2f}" if door == "gRPC stream" else "" for n in (1, 9)]
        lines.append([f"{door}, {carries}", *(f"{count[n]:,}" for n in faces), *per_second])
    header = ["answer, bytes", *(_faces(n) for n in faces), "Mbit/s of a stream, 1 face", "9 faces"]
    pictures = ", ".join(f"{count:,} with {_faces(int(n))}" for n, count in sorted(figures["pictures"].items()))
    frames = ", ".join(f"{name} {count:,}" for name, count in figures["formats"].items())
    return f"{table(header, lines)}\n\nPictures, bytes: 1280 x 720 JPEG {pictures}; frames: {frames}."


def _spread(row: dict[str, Any]) -> str:
    return f"{row['cpu_ms']:.1f} ({row['cpu_ms_least']:.1f}-{row['cpu_ms_most']:.1f})"


def _per_core(row: dict[str, Any], share: float) -> str:
    whole = streams_per_core(row["cpu_ms"], FPS)
    return f"{whole:.1f} / {whole * share:.1f}"


def _faces(count: int) -> str:
    return _counted(count, "face")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
