"""Pods and nodes: when a pod gets its first request, who goes first, and what the controller is shown."""

import pytest

from deploy.planning.autoscaling.cluster import Fleet, Startup

STARTUP = Startup(schedule=1, pull=5, start=0.65, probe=2, announce=2, node=90, pods_per_node=2, spare_nodes=1)


def ready_from(fleet: Fleet, number: int, until: int = 300) -> int | None:
    for now in range(until):
        fleet.step(now)
        if number in [pod.number for pod in fleet.sending_to(now)]:
            return now
    return None


def test_those_that_are_there_are_ready_at_once() -> None:
    assert ready_from(Fleet(STARTUP, 10, 3), 2) == 0


def test_a_pod_takes_its_time() -> None:
    fleet = Fleet(STARTUP, 10, 2)
    fleet.scale(0, 4)
    assert ready_from(fleet, 3) == 1 + 5 + 2 + 2  # the second probe finds it ready, and two seconds later all know


def test_a_pod_without_a_node_waits_for_one() -> None:
    fleet = Fleet(STARTUP, 10, 2)
    fleet.scale(0, 6)  # a node for two, and one more is empty
    assert ready_from(fleet, 3) == 10
    assert ready_from(fleet, 5) == 90 + 10


def test_nodes_that_are_not_needed_go_after_a_while() -> None:
    fleet = Fleet(STARTUP, 0, 6)
    fleet.step(0)
    fleet.scale(0, 2)
    for now in range(1, 610):
        fleet.step(now)
    fleet.scale(610, 6)  # two find room on the spare node
    for now in range(610, 640):
        fleet.step(now)
    assert len(fleet.sending_to(640)) == 4


def test_who_is_not_ready_goes_first_then_the_youngest() -> None:
    fleet = Fleet(STARTUP, 10, 2)
    fleet.scale(0, 3)
    for now in range(20):
        fleet.step(now)
    fleet.scale(20, 4)
    fleet.scale(20, 3)
    assert [pod.number for pod in fleet.staying] == [0, 1, 2]
    fleet.scale(20, 1)
    assert [pod.number for pod in fleet.staying] == [0]


def test_a_pod_that_is_to_end_gets_nothing_and_stays_for_its_delay() -> None:
    fleet = Fleet(STARTUP, 10, 2)
    fleet.scale(5, 1)
    for now, pods in ((5, 2), (14, 2), (15, 1)):
        fleet.step(now)
        assert len(fleet.sending_to(now)) == 1
        assert len(fleet.pods) == pods


def test_what_the_controller_sees_of_a_pod() -> None:
    fleet = Fleet(STARTUP, 10, 1)
    (pod,) = fleet.pods
    assert pod.observed(0, 2, "queue", 60).samples == {}
    for now, cpu, depth in ((0, 0.0, 1.0), (15, 21.0, 2.0), (30, 51.0, 6.0)):
        pod.cpu = cpu
        pod.read_usage(now)
        pod.scrape(now, depth, 60)
    seen = pod.observed(32, 2, "queue", 60)
    assert seen.ready
    assert seen.samples["cpu"].value == pytest.approx(100)  # 30 core seconds of 2 cores in 15 s
    assert (seen.samples["cpu"].taken, seen.samples["cpu"].window) == (30, 15)
    assert seen.samples["queue"].value == pytest.approx(3)
    assert pod.observed(61, 2, "queue", 60).samples["queue"].value == pytest.approx(4)  # the first is over a minute old
    assert "queue" not in pod.observed(32, 2, None, 60).samples


def test_a_new_pod_is_pending_then_not_ready() -> None:
    fleet = Fleet(STARTUP, 10, 2)
    fleet.scale(0, 3)
    fleet.step(0)
    assert fleet.pods[2].observed(0, 2, None, 60).started is None
    for now in range(1, 8):
        fleet.step(now)
    seen = fleet.pods[2].observed(7, 2, None, 60)
    assert (seen.started, seen.ready) == (0, False)
