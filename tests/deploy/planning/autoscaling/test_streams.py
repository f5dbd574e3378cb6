"""Streams on their pods: what a pod makes of them, and how they spread."""

from typing import Literal

import numpy as np
import pytest

from deploy.planning.autoscaling.streams import WAITS_MS, Habits, Streams, frames
from deploy.planning.autoscaling.traffic import quantile


def test_one_stream_never_waits() -> None:
    alone = frames(1, 2, 30.0, 0.01)
    assert (alone.depth, alone.dropped) == (0, 0)
    assert alone.busy == pytest.approx(0.3, rel=0.02)
    assert quantile(WAITS_MS, alone.shares, 1.0) == 0


def test_as_many_streams_as_workers_never_wait() -> None:
    assert frames(2, 2, 30.0, 0.01).depth == 0


@pytest.mark.parametrize("streams", [12, 16])
def test_too_many_streams_keep_all_workers_busy_and_lose_the_rest(streams: int) -> None:
    full = frames(streams, 2, 30.0, 0.01)
    assert full.busy == pytest.approx(2, rel=0.01)
    assert full.dropped == pytest.approx(1 - 2 / (streams * 30 * 0.01), abs=0.02)  # two workers look at 200 a second
    assert full.depth == pytest.approx(streams - 2, rel=0.03)  # each has one frame in work or waiting


def placed(streams: Streams, pods: list[int], load: int, seconds: int) -> np.ndarray:
    """Mean cores in use of each pod, after so long."""
    for _ in range(seconds - 1):
        streams.step(load, pods)
    return streams.step(load, pods).busy


@pytest.mark.parametrize("clients", ["many", "gateway"])
def test_pods_that_are_added_fill_as_connections_end(clients: Literal["many", "gateway"]) -> None:
    habits = Habits(rate=10, frame_seconds=0.002, age_seconds=100, minutes=1e9, clients=clients)
    streams = Streams(habits, 2, seed=3)
    placed(streams, [0, 1], 60, 1)
    assert placed(streams, [0, 1, 2], 60, 85)[2] == 0  # no connection is older than 90 s at least
    assert placed(streams, [0, 1, 2], 60, 12)[2] > 0
    busy = placed(streams, [0, 1, 2], 60, 30)  # all are older than 110 s
    assert busy[2] == pytest.approx(60 * 10 * 0.002 / 3, rel=0.5)


def test_a_gateway_spreads_evenly() -> None:
    streams = Streams(Habits(rate=10, frame_seconds=0.002, clients="gateway"), 2, seed=3)
    assert placed(streams, [4, 7, 9], 30, 1) == pytest.approx(0.2, rel=0.05)


def test_streams_of_a_pod_that_ends_go_elsewhere_at_once() -> None:
    streams = Streams(Habits(rate=10, frame_seconds=0.002), 2, seed=3)
    placed(streams, [0, 1], 30, 1)
    assert placed(streams, [1], 30, 1) == pytest.approx(0.6, rel=0.05)


@pytest.mark.parametrize("clients", ["many", "gateway"])
def test_who_finds_a_pod_full_asks_another(clients: Literal["many", "gateway"]) -> None:
    habits = Habits(rate=10, frame_seconds=0.002, clients=clients, most=10)
    assert placed(Streams(habits, 2, seed=3), [0, 1, 2], 30, 1) == pytest.approx(0.2, rel=0.05)


def test_streams_that_no_pod_takes_lose_their_frames_until_there_is_room() -> None:
    streams = Streams(Habits(rate=10, frame_seconds=0.002, most=10), 2, seed=3)
    full = streams.step(25, [0, 1])
    assert (full.arrived, full.lost) == (250, 50)
    assert streams.step(25, [0, 1, 2]).lost == 0


def test_connections_without_an_age_never_end() -> None:
    streams = Streams(Habits(rate=10, frame_seconds=0.002, age_seconds=0, minutes=1e9), 2, seed=3)
    placed(streams, [0], 10, 1)
    assert placed(streams, [0, 1], 10, 500)[1] == 0


def test_frames_are_looked_at_or_dropped() -> None:
    streams = Streams(Habits(rate=30, frame_seconds=0.01), 2, seed=3)
    for load, pods in ((10, [0, 1]), (25, [0, 1]), (25, [1, 2, 3]), (4, [1]), (7, [])):
        answered = streams.step(load, pods)
        assert answered.arrived == load * 30
        assert answered.arrived == pytest.approx(answered.served + answered.lost)
