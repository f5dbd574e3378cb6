"""Sizes against sums done by hand."""

import math
from dataclasses import replace

import pytest

from deploy.planning.capacity.sizing import (
    Assumptions,
    User,
    cluster,
    egress_month,
    faces_on,
    month_gb,
    node_month,
    nodes_for,
    pods_for,
    pods_on,
    size,
    streams_per_core,
)

ASSUMED = Assumptions(
    utilisation=0.7,
    after_loss=0.8,
    zones=3,
    pod_vcpus=2,
    core_share=0.5,
    node_vcpus=16,
    node_reserved=1,
    vcpu_hour=0.05,
    zone_gb=0.02,
)


def test_streams_of_a_core() -> None:
    assert streams_per_core(5.0, 30) == pytest.approx(1000 / 150)
    assert streams_per_core(5.0, 30, 0.7) == pytest.approx(700 / 150)


@pytest.mark.parametrize(
    ("cores", "pods"),
    [
        (0.1, 3),  # no fewer than minReplicas
        (7.0, 10),  # 2 vCPU, each half a core, at 70 %: 0.7 cores a pod, exactly
        (7.01, 11),
        (700.0, 1000),
    ],
)
def test_pods(cores: float, pods: int) -> None:
    assert pods_for(cores, 0.7, ASSUMED) == pods


def test_machines() -> None:
    assert [pods_on(vcpus, ASSUMED) for vcpus in (8, 16, 32)] == [3, 7, 15]
    assert nodes_for(14, 16, ASSUMED) == 2
    assert nodes_for(15, 16, ASSUMED) == 3
    assert node_month(16, ASSUMED) == pytest.approx(16 * 0.05 * 730)  # 584 USD


@pytest.mark.parametrize(
    ("gigabytes", "usd"),
    [
        (0, 0),
        (10_000, 900),
        (20_000, 900 + 850),
        (60_000, 900 + 3_400 + 700),
        (250_000, 900 + 3_400 + 7_000 + 5_000),
    ],
)
def test_what_goes_out_is_paid_by_steps(gigabytes: float, usd: float) -> None:
    assert egress_month(gigabytes) == pytest.approx(usd)


def test_a_month_of_one_gigabit_a_second() -> None:
    assert month_gb(8) == 2_628_000  # 1 GB a second for 730 hours


def test_a_size() -> None:
    """70 faces, 7 a stream, 10 frames a second each, 10 ms a frame, a tenth more in a pod."""
    user = User("x", faces=7, rate=10, cpu_ms=10, bytes_in=100_000, bytes_out=1_000)
    of_it = size(user, 7_000, 1.1, ASSUMED)
    assert of_it.senders == 1_000
    assert of_it.pictures == 10_000
    assert of_it.cores == pytest.approx(110)
    assert of_it.pods == math.ceil(110 / 0.7)  # 158
    assert of_it.safe_pods == math.ceil(110 / (0.8 * 2 / 3))  # 207: two zones of three at 80 %
    assert of_it.nodes == 23  # 7 pods each
    assert of_it.compute == pytest.approx(23 * 584)
    assert of_it.gbit_in == pytest.approx(8)
    assert of_it.gbit_out == pytest.approx(0.08)
    assert of_it.egress == pytest.approx(900 + 16_280 * 0.085)  # 26,280 GB
    assert of_it.cross_zone == pytest.approx((2_628_000 + 26_280) * 2 / 3 * 0.02)


def test_faces_of_some_pods() -> None:
    """50 pods are 35 busy cores; a stream of 30 frames of 10 ms takes 0.3 of one, in a pod 0.33."""
    assert faces_on(50, User("x", 9, 30, 10, 1, 1), 1.1, ASSUMED) == 9 * 106


def test_a_stream_that_is_begun_is_a_stream() -> None:
    user = User("x", faces=9, rate=30, cpu_ms=6, bytes_in=1, bytes_out=1)
    assert size(user, 100, 1.0, ASSUMED).senders == 12


def test_faces_in_a_crowd_are_cheaper() -> None:
    alone, group = User("a", 1, 30, 6, 4e4, 400), User("b", 9, 30, 6, 4e4, 3000)
    assert size(group, 10_000, 1.0, ASSUMED).pods < size(alone, 10_000, 1.0, ASSUMED).pods / 8


def test_what_a_cluster_has_to_bear() -> None:
    whole = cluster(pods=1_501, senders=10, series=400)
    assert whole.series == 600_400
    assert whole.samples == pytest.approx(40_026.7, abs=0.1)
    assert whole.slices == 16
    assert whole.connections == 15_010
    assert whole.cells == 4


def test_half_the_price_is_half_the_cost() -> None:
    user = User("x", 1, 1, 16, 1e5, 2e3)
    dear, cheap = (size(user, 10_000, 1.1, replace(ASSUMED, vcpu_hour=price)) for price in (0.04, 0.02))
    assert dear.compute == pytest.approx(2 * cheap.compute)
    assert dear.egress == cheap.egress
