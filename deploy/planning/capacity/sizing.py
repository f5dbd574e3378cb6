"""Converts what a core bears into pods, machines, network and money. What is in Assumptions is assumed and not
measured.

Bytes are decimal: 1 GB is 10^9. A month has HOURS hours.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Final

FPS: Final = 30  # of streams
HOURS: Final = 730.0  # of a month
# USD a GB that goes out to the internet, by GB a month: list prices fall like this in the large clouds. Above the
# last step one negotiates.
EGRESS_TIERS: Final = ((10_000.0, 0.09), (50_000.0, 0.085), (150_000.0, 0.07), (math.inf, 0.05))
MIN_PODS: Final = 3  # minReplicas of deploy/overlays/production
MAX_PODS: Final = 50  # its maxReplicas
CELL_PODS: Final = 500  # most pods of a cell, see deploy/CAPACITY.md
ENDPOINTS_IN_SLICE: Final = 100  # of an EndpointSlice, unless the control plane is told otherwise
SCRAPE_SECONDS: Final = 15.0  # of deploy/monitoring/pod-monitor.yaml
IMAGE_MB: Final = 88.0  # compressed, as the README says
# A DNS message holds 65,535 bytes; an address takes 16 where the name before it is pointed at, and 100 are left for
# header, question and options.
DNS_ADDRESSES: Final = (65_535 - 100) // 16
UDP_ADDRESSES: Final = (1_232 - 100) // 16  # the usual size of a datagram, above which it is asked for again by TCP


def _assumed(default: float, what: str) -> Any:
    return field(default=default, metadata={"what": what})


@dataclass(frozen=True)
class Assumptions:
    """Prices are in USD, as public list prices were in 2025: replace them by yours."""

    utilisation: float = _assumed(0.70, "share of a pod's cores that is used, the autoscaler's target")
    after_loss: float = _assumed(0.80, "share of them that may be used while a zone is lost; of `zones`")
    zones: float = _assumed(3, "zones that pods are spread over")
    pod_vcpus: float = _assumed(2, "vCPU of a pod, as in deploy/base/deployment.yaml")
    core_share: float = _assumed(0.6, "measured cores that a vCPU is worth: a hyperthread whose sibling is busy")
    node_vcpus: float = _assumed(16, "vCPU of a machine")
    node_reserved: float = _assumed(0.9, "vCPU of it that system, agents and log shippers take")
    vcpu_hour: float = _assumed(0.04, "USD an hour for a vCPU of a general-purpose machine, on demand")
    zone_gb: float = _assumed(0.02, "USD for a GB that goes from one zone to another, both sides together")


@dataclass(frozen=True)
class User:
    """One who sends: rate pictures a second with so many faces. cpu_ms: of a picture, on a core of its own. bytes_in,
    bytes_out: of a picture and of its answer."""

    name: str
    faces: int
    rate: float
    cpu_ms: float
    bytes_in: float
    bytes_out: float


@dataclass(frozen=True)
class Size:
    """What so many concurrent faces take. senders: streams, or those who send pictures. cores: busy, as measured. pods,
    nodes: at the utilisation aimed at; safe_pods: so many that the loss of a zone is borne. gbit_in, gbit_out: a
    second. The money is USD a month; cross_zone: where two thirds of the pictures enter by another zone."""

    faces: int
    senders: int
    pictures: float
    cores: float
    pods: int
    safe_pods: int
    nodes: int
    gbit_in: float
    gbit_out: float
    compute: float
    egress: float
    cross_zone: float


def streams_per_core(cpu_ms: float, rate: float, share: float = 1.0) -> float:
    """How many streams of `rate` frames a second use this share of a core."""
    return share * 1e3 / (cpu_ms * rate)


def pods_for(cores: float, share: float, assumed: Assumptions) -> int:
    """Pods that have so many measured cores' work at this share of their time."""
    return max(MIN_PODS, math.ceil(round(cores / (assumed.pod_vcpus * assumed.core_share * share), 9)))


def faces_on(pods: int, user: User, overhead: float, assumed: Assumptions) -> int:
    """Faces of whole streams that so many pods bear at the utilisation aimed at."""
    cores = pods * assumed.pod_vcpus * assumed.core_share * assumed.utilisation
    return math.floor(cores * 1e3 / (user.rate * user.cpu_ms * overhead)) * user.faces


def pods_on(node_vcpus: float, assumed: Assumptions) -> int:
    """Pods that fit on a machine."""
    return int((node_vcpus - assumed.node_reserved) // assumed.pod_vcpus)


def nodes_for(pods: int, node_vcpus: float, assumed: Assumptions) -> int:
    """How many machines the pods need."""
    return math.ceil(pods / pods_on(node_vcpus, assumed))


def node_month(node_vcpus: float, assumed: Assumptions) -> float:
    """USD."""
    return node_vcpus * assumed.vcpu_hour * HOURS


def egress_month(gigabytes: float) -> float:
    """USD for so many GB a month to the internet."""
    cost, below = 0.0, 0.0
    for up_to, price in EGRESS_TIERS:
        cost += max(0.0, min(gigabytes, up_to) - below) * price
        below = up_to
    return cost


def month_gb(gbit: float) -> float:
    """GB a month of so many Gbit/s."""
    return gbit / 8 * HOURS * 3600


def size(user: User, faces: int, overhead: float, assumed: Assumptions) -> Size:
    """overhead: what a picture costs in a pod of two cores, over what it costs on one."""
    senders = math.ceil(faces / user.faces)
    pictures = senders * user.rate
    cores = pictures * user.cpu_ms / 1e3 * overhead
    pods = pods_for(cores, assumed.utilisation, assumed)
    left = 1 - 1 / assumed.zones
    nodes = nodes_for(pods, assumed.node_vcpus, assumed)
    gbit_in, gbit_out = (pictures * count * 8 / 1e9 for count in (user.bytes_in, user.bytes_out))
    return Size(
        faces=faces,
        senders=senders,
        pictures=pictures,
        cores=cores,
        pods=pods,
        safe_pods=max(pods, pods_for(cores, assumed.after_loss * left, assumed)),
        nodes=nodes,
        gbit_in=gbit_in,
        gbit_out=gbit_out,
        compute=nodes * node_month(assumed.node_vcpus, assumed),
        egress=egress_month(month_gb(gbit_out)),
        cross_zone=month_gb(gbit_in + gbit_out) * left * assumed.zone_gb,
    )


@dataclass(frozen=True)
class Cluster:
    """What so many pods mean for the rest: series and samples a second of Prometheus, slices of endpoints of a Service,
    connections where every sender has one to every pod, those of a pod, and cells of CELL_PODS."""

    pods: int
    series: int
    samples: float
    slices: int
    connections: int
    cells: int


def cluster(pods: int, senders: int, series: int) -> Cluster:
    """What a cluster of so many pods has to bear."""
    return Cluster(
        pods=pods,
        series=pods * series,
        samples=pods * series / SCRAPE_SECONDS,
        slices=math.ceil(pods / ENDPOINTS_IN_SLICE),
        connections=pods * senders,
        cells=math.ceil(pods / CELL_PODS),
    )
