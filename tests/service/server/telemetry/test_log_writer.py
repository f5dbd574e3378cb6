import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from service.server.telemetry import log_writer
from service.server.telemetry.log_writer import LogWriter, write_at_once

LINE = 2**16  # bytes; a pipe holds that many


@dataclass
class Log:
    """A logger whose lines go through a pipe. drops: how many lines were told to be dropped."""

    logger: logging.Logger
    writer: LogWriter
    reading: int
    writing: int
    drops: int = 0

    def count(self) -> None:
        self.drops += 1

    def read(self) -> list[str]:
        """All lines, once nothing more is written."""
        os.close(self.writing)
        with os.fdopen(os.dup(self.reading)) as lines:
            return lines.read().splitlines()


@pytest.fixture
def log() -> Iterator[Log]:
    reading, writing = os.pipe()
    writer = LogWriter(os.dup(writing))
    writer.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(writer)
    log = Log(logger, writer, reading, writing)
    writer.on_drop = log.count
    yield log
    os.close(reading)
    writer.close()


def test_lines_come_in_their_order_with_the_last_one(log: Log) -> None:
    def write(number: int) -> None:
        for i in range(200):
            log.logger.info("%d %d", number, i)

    writers = [threading.Thread(target=write, args=(number,)) for number in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    log.logger.info("Stopped")
    log.writer.close()
    os.close(log.writer._descriptor)
    *lines, last = log.read()
    assert last == "INFO Stopped"
    for number in (1, 2):
        assert [line for line in lines if line.startswith(f"INFO {number} ")] == [
            f"INFO {number} {i}" for i in range(200)
        ]


def test_who_logs_is_not_blocked_and_what_is_dropped_is_told(log: Log) -> None:
    count = 2 * log_writer.MOST_WAITING // LINE
    log.logger.info("0 %s", "x" * LINE)
    while log.writer._waiting:  # until the thread writes it, which blocks: nobody reads meanwhile
        time.sleep(0.001)
    for number in range(1, count):
        log.logger.info("%d %s", number, "x" * LINE)
    assert 0 < log.drops < count
    lines: list[str] = []

    def read() -> None:
        with os.fdopen(os.dup(log.reading)) as stream:
            while not lines or lines[-1] != "INFO last":
                lines.append(stream.readline().removesuffix("\n"))
                if lines[-1].startswith("WARNING"):  # there is room again
                    log.logger.info("last")

    reader = threading.Thread(target=read)
    reader.start()
    reader.join(20)
    *written, told, last = lines
    assert [line.split()[1] for line in written] == [str(number) for number in range(count - log.drops)]
    assert told == f"WARNING Dropped {log.drops} log lines: those before them were not read in time"
    assert last == "INFO last"


def test_the_end_does_not_wait_for_ever(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_writer, "CLOSE_SECONDS", 0.05)
    for _ in range(3):
        log.logger.info("x" * LINE)
    log.writer.close()
    assert log.writer._thread.is_alive()


def test_a_reader_that_has_gone_ends_nothing() -> None:
    reading, writing = os.pipe()
    writer = LogWriter(writing)
    os.close(reading)
    logger = logging.Logger("test")
    logger.addHandler(writer)
    logger.info("to nobody")
    writer.close()
    assert not writer._thread.is_alive()
    os.close(writing)


def test_a_descriptor_that_does_not_block_loses_nothing() -> None:
    """As where a parent process shares its terminal."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    writer = LogWriter(writing)
    logger = logging.Logger("test")
    logger.addHandler(writer)
    for number in range(4):
        logger.info("%d %s", number, "x" * LINE)
    with os.fdopen(reading) as lines:
        assert [lines.readline().split()[0] for _ in range(4)] == ["0", "1", "2", "3"]
        writer.close()
        os.close(writing)


def test_a_line_that_cannot_be_written_at_once_is_dropped() -> None:
    reading, writing = os.pipe()
    write_at_once(writing, b"first\n")
    os.set_blocking(writing, False)
    os.write(writing, bytes(2**20))  # fills it
    os.set_blocking(writing, True)
    write_at_once(writing, b"second\n")
    assert os.read(reading, 6) == b"first\n"
    os.close(reading)
    os.close(writing)
