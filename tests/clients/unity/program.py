"""StreamProgram.exe as a child: commands in, documents out."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

PATIENCE = 300  # seconds, for all that a module does with it


class StreamProgram:
    """The program, which has one stream at a time. events: what has happened to that stream so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._streams = 0
        self.events: list[dict[str, Any]] = []

    def open(self, address: str, **options: object) -> None:
        """Opens another stream. options: StreamOptions' own names."""
        assert self.new(address, **options) is None
        self.do("open")

    def new(self, address: str, **options: object) -> Any:
        """Makes a stream, or returns why it is refused."""
        self._streams += 1
        self.events = []
        return self.do("new", address, *(f"{name}={value}" for name, value in options.items()))

    def do(self, *words: object) -> Any:
        """Carries a command out; returns what it printed: nothing, a document, or a list of several."""
        command = " ".join(map(str, words))
        assert self._process.stdin
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        printed = []
        while (document := self._next()) != {"done": command}:
            if "event" not in document:
                printed.append(document)
            elif document["stream"] == self._streams:
                self.events.append(document)
        return printed[0] if len(printed) == 1 else printed or None

    @property
    def states(self) -> list[str]:
        return [event["event"] for event in self.events if event["event"] != "Failed"]

    @property
    def failures(self) -> list[dict[str, str]]:
        return [event["error"] for event in self.events if event["event"] == "Failed"]

    def _next(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the program has ended"
        return json.loads(line)


@contextmanager
def stream_program(built: Path) -> Iterator[StreamProgram]:
    """built: the folder of StreamProgram.exe."""
    command = ["mono", str(built / "StreamProgram.exe")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        watchdog = Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            yield StreamProgram(process)
        finally:
            watchdog.cancel()
            process.kill()
