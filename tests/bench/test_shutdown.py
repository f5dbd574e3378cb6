"""What the program counts as lost, and one end of a real server."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

from PIL import Image

from bench.shutdown import Outcome, Server, Tally, end_under_load, note_faults, open_idle
from tests.service.tiny_models import encoded, write_models


def test_only_what_the_server_had_taken_is_lost() -> None:
    tally = Tally(cut={"a": "ReadError: reset", "b": "ReadError: reset", "c": "CANCELLED: "})
    tally.settle({"a", "z"})
    assert (tally.refused, tally.lost, tally.cut) == (2, {"ReadError: reset": 1}, {})


def test_faults_of_a_server_count() -> None:
    outcome = Outcome()
    note_faults(outcome, 0, 0.1, [{"level": "info", "message": "Stopped"}])
    assert outcome.lost_nothing
    note_faults(outcome, 1, 60.0, [{"level": "error", "message": "a request failed"}])
    assert set(outcome.faults) == {"exit code 1", "longer than the drain time", "in the log: a request failed"}
    assert not outcome.lost_nothing


def test_a_server_ends_under_load_and_with_idle_connections(tmp_path: Path) -> None:
    write_models(tmp_path)
    picture, outcome = encoded(Image.new("RGB", (192, 192)), "JPEG"), Outcome()
    with ExitStack() as stack:
        server = Server(tmp_path, "info")
        stack.callback(server.kill)
        server.until_ready()
        open_idle(stack, server)
        asyncio.run(end_under_load(server, picture, outcome, senders=1))
    assert outcome.lost_nothing, (outcome.faults, outcome.tallies)
    assert all(tally.answered for tally in outcome.tallies.values())
    assert "1 ends under load" in outcome.figures()
