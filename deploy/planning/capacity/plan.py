"""The tables of what so many faces take."""

from dataclasses import replace
from typing import Final

from bench.results import table
from deploy.planning.capacity import sizing
from deploy.planning.capacity.findings import Figures
from deploy.planning.capacity.sizing import FPS, Assumptions, Size, User

FACES: Final = (100, 10_000, 1_000_000)
NODES: Final = (8, 16, 32)  # vCPU
NODES_FACES: Final = 10_000
LAZY: Final = 0.5  # of a pod's cores, where answers are to come soon
WHOLE_CORE_HOUR: Final = 0.055  # USD, of a vCPU that has a core to itself: list prices are about so much higher


def users(figures: Figures) -> list[User]:
    """The three kinds, with what was measured of them; all in int8, as it is served unless float32 is chosen."""
    frame = {(row["format"], row["mode"]): row["cpu_ms"] for row in figures["frames"] if row["server"] == "int8"}
    call = {(row["call"], row["faces"]): row["cpu_ms"] for row in figures["calls"] if row["server"] == "int8"}
    bytes_out = {(row["door"], row["carries"], row["faces"]): row["bytes"] for row in figures["answers"]}
    formats, one, wide = figures["formats"], "JPEG 640 x 480", "JPEG 640 x 360"
    slim = ("gRPC stream", "without identity")
    avatar, room = bytes_out[(*slim, 1)], bytes_out[(*slim, 9)]
    photo = bytes_out["REST", "as it comes", 1]
    return [
        User("avatar", 1, FPS, frame[one, "follow"], formats[one], avatar),
        User("room", 9, FPS, frame[wide, "search"], formats[wide], room),
        User("photo", 1, 1.0, call["REST, refine", 1], figures["pictures"]["1"], photo),
    ]


def overhead(figures: Figures) -> float:
    """CPU time of a picture in a server of two workers on two cores, over that on one core."""
    cost = {row["server"]: row["cpu_ms"] for row in figures["workers"]}
    return float(cost["2"] / cost["1"])


def _sizes(figures: Figures, assumed: Assumptions) -> list[tuple[User, Size]]:
    return [(user, sizing.size(user, faces, overhead(figures), assumed)) for user in users(figures) for faces in FACES]


def sizes(figures: Figures, assumed: Assumptions) -> str:
    """Table of the cores and pods that each kind of user needs."""
    lines = [
        [
            user.name,
            f"{size.faces:,}",
            f"{size.senders:,}",
            f"{size.pictures:,.0f}",
            f"{size.cores:,.1f}" if size.cores < 100 else f"{size.cores:,.0f}",
            f"{size.pods:,}",
            f"{size.safe_pods:,}",
            f"{size.nodes:,}",
            f"{size.compute:,.0f}",
            _cents(size.compute / size.faces),
        ]
        for user, size in _sizes(figures, assumed)
    ]
    header = [
        "user",
        "faces",
        "senders",
        "pictures/s",
        "measured cores busy",
        "pods",
        "pods, a zone may go",
        "machines",
    ]
    pod = overhead(figures)
    faces = [f"{sizing.faces_on(sizing.MAX_PODS, user, pod, assumed):,} of {user.name}" for user in users(figures)]
    most = f"The {sizing.MAX_PODS} pods of the autoscaler's maxReplicas bear so many faces: {', '.join(faces)}."
    return f"{table([*header, 'USD a month', 'USD a face'], lines)}\n\n{most}"


def nodes(figures: Figures, assumed: Assumptions) -> str:
    """Table of the machines for NODES_FACES faces, by their size."""
    user = users(figures)[0]
    size = sizing.size(user, NODES_FACES, overhead(figures), assumed)
    lines = []
    for vcpus in NODES:
        fit, count = sizing.pods_on(vcpus, assumed), sizing.nodes_for(size.pods, vcpus, assumed)
        cost = count * sizing.node_month(vcpus, assumed)
        cells = [f"{vcpus}", f"{fit}", f"{count:,}", f"{fit * assumed.pod_vcpus / vcpus:.0%}"]
        lines.append([*cells, f"{size.gbit_in / count:.2f}", f"{cost:,.0f}"])
    header = ["vCPU of a machine", "pods on it", "machines", "of it for pods", "Gbit/s in, each", "USD a month"]
    return table(header, lines)


def levers(figures: Figures, assumed: Assumptions) -> str:
    """What changes the size of so many avatars, one thing at a time."""
    user, pod = users(figures)[0], overhead(figures)
    frame = {(row["server"], row["format"], row["mode"]): row["cpu_ms"] for row in figures["frames"]}
    jpeg, rgb = "JPEG 640 x 480", "RGB 288 x 288"
    small = replace(user, cpu_ms=frame["int8", rgb, "follow"], bytes_in=figures["formats"][rgb])
    searched = replace(user, cpu_ms=frame["int8", jpeg, "search"])
    exact = replace(user, cpu_ms=frame["float32", jpeg, "follow"])
    whole = replace(assumed, core_share=1.0, vcpu_hour=WHOLE_CORE_HOUR)
    variants = [
        ("as above", user, pod, assumed),
        ("15 frames a second", replace(user, rate=user.rate / 2), pod, assumed),
        ("every frame searched", searched, pod, assumed),
        ("raw RGB of 288 x 288", small, pod, assumed),
        ("float32", exact, pod, assumed),
        ("pods of one worker", user, 1.0, replace(assumed, pod_vcpus=1)),
        (f"half of the cores left free: {LAZY:.0%}", user, pod, replace(assumed, utilisation=LAZY)),
        (f"vCPU that are whole cores, at {WHOLE_CORE_HOUR:g} USD", user, pod, whole),
    ]
    lines = []
    for name, one, factor, terms in variants:
        size = sizing.size(one, NODES_FACES, factor, terms)
        cells = [f"{size.pods:,}", f"{size.nodes:,}", f"{size.compute:,.0f}", _gbit(size.gbit_in)]
        lines.append([name, *cells, f"{size.cross_zone:,.0f}"])
    header = ["avatars", "pods", "machines", "compute, USD a month", "Gbit/s in", "two thirds of it between zones"]
    return table(header, lines)


def network(figures: Figures, assumed: Assumptions) -> str:
    """Table of the traffic and what it costs."""
    lines = [
        [
            user.name,
            f"{size.faces:,}",
            _gbit(size.gbit_in),
            _gbit(size.gbit_out),
            f"{size.compute:,.0f}",
            f"{size.egress:,.0f}",
            f"{size.cross_zone:,.0f}",
        ]
        for user, size in _sizes(figures, assumed)
    ]
    header = ["user", "faces", "Gbit/s in", "Gbit/s out", "compute, USD a month", "answers to the internet"]
    return table([*header, "two thirds of it between zones"], lines)


def clusters(figures: Figures, assumed: Assumptions) -> str:
    """Table of what a cluster of that many pods has to bear."""
    lines = []
    for user, size in _sizes(figures, assumed):
        whole = sizing.cluster(size.pods, size.senders, figures["series"])
        lines.append(
            [
                user.name,
                f"{size.faces:,}",
                f"{whole.pods:,}",
                f"{whole.pods / sizing.MAX_PODS:.1f}",
                f"{whole.slices:,}",
                f"{whole.pods / sizing.DNS_ADDRESSES:.2f}",
                f"{whole.series:,}",
                f"{whole.samples:,.0f}",
                f"{whole.connections:,}",
                f"{whole.cells:,}",
            ]
        )
    header = ["user", "faces", "pods", f"of maxReplicas {sizing.MAX_PODS}", "endpoint slices"]
    header += ["of a DNS answer", "series", "samples/s", "connections, all to all", "cells"]
    return table(header, lines)


def assumptions(assumed: Assumptions) -> str:
    """Table of what is assumed, by the arguments that change it."""
    rows = [
        [f"`--{name.replace('_', '-')}`", f"{getattr(assumed, name):g}", field.metadata["what"]]
        for name, field in Assumptions.__dataclass_fields__.items()
    ]
    return table(["argument", "taken", "what"], rows)


def _gbit(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _cents(value: float) -> str:
    return f"{value:.2f}"
