import asyncio
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from service.server import tls
from service.server import tls_reload as renewal
from service.server.tls import Certificate, load_certificate
from service.server.tls_reload import CertificateReloader
from service.settings import Settings

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
NOW = datetime(2030, 1, 10, tzinfo=UTC)
END = datetime(2030, 2, 1, tzinfo=UTC)
AUTHORITY = trustme.CA()


def issued(begin: datetime = BEGIN, end: datetime = END) -> tuple[bytes, bytes]:
    """A new chain and its key, PEM."""
    certificate = AUTHORITY.issue_cert("localhost", not_before=begin, not_after=end)
    return certificate.cert_chain_pems[0].bytes(), certificate.private_key_pem.bytes()


class Files:
    """A certificate's two files, and a Renewal of what is in them at first. shown: what it has taken up since."""

    def __init__(self, folder: Path) -> None:
        self.chain, self.key = folder / "chain.pem", folder / "key.pem"
        self.put(*issued())
        settings = Settings(tls_certificate_file=self.chain, tls_key_file=self.key)
        first = load_certificate(settings, NOW)
        assert first is not None
        self.first = first
        self.shown: list[Certificate] = []
        self.renewal = CertificateReloader(settings, first, self.shown.append)

    def put(self, chain: bytes, key: bytes) -> None:
        self.chain.write_bytes(chain)
        self.key.write_bytes(key)


@pytest.fixture
def files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Files:
    caplog.set_level(logging.INFO)
    return Files(tmp_path)


def lines(caplog: pytest.LogCaptureFixture, level: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == level]


def test_what_is_new_is_taken_up_once(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    files.renewal.check(NOW)
    assert files.shown == []
    chain, key = issued(end=datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC))
    files.put(chain, key)
    for _ in range(3):
        files.renewal.check(NOW)
    (taken,) = files.shown
    assert (taken.chain, taken.key) == (chain, key)
    assert lines(caplog, "INFO") == ["Took up a renewed certificate, which holds until 2030-05-06 07:08:09+00:00"]
    files.put(files.first.chain, files.first.key)  # somebody goes back
    files.renewal.check(NOW)
    assert files.shown[-1].chain == files.first.chain
    assert not lines(caplog, "WARNING")


def test_the_same_content_in_new_files_is_nothing_new(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    chain, key = files.chain.read_bytes(), files.key.read_bytes()
    files.chain.unlink()
    files.key.unlink()
    files.put(chain, key)
    files.renewal.check(NOW)
    assert not files.shown
    assert not caplog.records


BROKEN: dict[str, tuple[Callable[[], tuple[bytes, bytes]], str]] = {
    "another's key": (lambda: (issued()[0], issued()[1]), r"key\.pem is not that of the certificate"),
    "run out": (lambda: issued(end=NOW - timedelta(seconds=1)), r"has run out on 2030-01-09 23:59:59.*Renew it"),
    "not valid yet": (lambda: issued(begin=NOW + timedelta(days=1)), "is not valid before 2030-01-11"),
    "half a chain": (lambda: (issued()[0][:300], issued()[1]), "Expected a certificate chain and its private key"),
    "nothing": (lambda: (b"", b""), "Expected a certificate chain and its private key"),
    "no key": (lambda: (issued()[0], b"\xff\x00"), "Expected a certificate chain and its private key"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_fit_is_refused_with_one_line_and_tried_again(
    files: Files, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    make, words = BROKEN[name]
    files.put(*make())
    for minute in range(3):
        files.renewal.check(NOW + timedelta(minutes=minute))
    (line,) = lines(caplog, "WARNING")
    assert line.startswith("Not taken up, the certificate from before is still shown: ")
    assert re.search(words, line)
    files.put(*make())  # broken again, in other bytes
    files.renewal.check(NOW)
    assert len(lines(caplog, "WARNING")) == (1 if name == "nothing" else 2)
    assert files.shown == []
    files.put(*issued())
    files.renewal.check(NOW)
    assert len(files.shown) == 1


def test_half_a_change_is_completed_at_the_next_look(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    chain, key = issued()
    files.chain.write_bytes(chain)
    files.renewal.check(NOW)
    assert files.shown == []
    files.key.write_bytes(key)
    files.renewal.check(NOW)
    assert [(taken.chain, taken.key) for taken in files.shown] == [(chain, key)]
    assert len(lines(caplog, "WARNING")) == 1


def test_what_is_not_valid_yet_is_taken_up_when_it_is(files: Files) -> None:
    files.put(*issued(begin=NOW + timedelta(minutes=2)))
    for minute, taken in ((0, 0), (1, 0), (2, 1), (3, 1)):
        files.renewal.check(NOW + timedelta(minutes=minute))
        assert len(files.shown) == taken


def test_files_that_are_gone_are_told_of_each_time_that_they_go(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    for times in (1, 2):
        files.key.unlink()
        files.renewal.check(NOW)
        files.renewal.check(NOW)
        assert len(lines(caplog, "WARNING")) == times
        assert "MFN_TLS_KEY_FILE" in lines(caplog, "WARNING")[-1]
        files.put(files.first.chain, files.first.key)
        files.renewal.check(NOW)
    assert files.shown == []


def test_what_is_shown_is_left_alone_when_it_runs_out(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    """The metric tells of it; there is nothing to take up."""
    files.renewal.check(END + timedelta(days=1))
    assert not files.shown
    assert not caplog.records


def test_what_nobody_has_foreseen_ends_nothing(
    files: Files, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(certificate: bytes) -> tuple[datetime, datetime]:
        raise IndexError(len(certificate))

    files.put(*issued())
    with monkeypatch.context() as patch:
        patch.setattr(tls, "validity", fail)
        files.renewal.check(NOW)
    assert files.shown == []
    assert "IndexError" in lines(caplog, "WARNING")[0]
    files.renewal.check(NOW)
    assert len(files.shown) == 1


def test_watching_is_looking_again_and_again(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "CHECK_SECONDS", 0.001)
    today = datetime.now(UTC)

    async def watch() -> None:
        watching = asyncio.create_task(files.renewal.watch())
        for number in (1, 2):
            files.put(*issued(today - timedelta(days=1), today + timedelta(days=number)))
            async with asyncio.timeout(20):
                while len(files.shown) < number:
                    await asyncio.sleep(0.001)
        watching.cancel()

    asyncio.run(watch())
    assert len({taken.chain for taken in files.shown}) == 2
