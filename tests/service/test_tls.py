import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from service.errors import StartError
from service.settings import Settings
from service.tls import load_certificate, validity


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this host and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate = trustme.CA().issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(folder / "chain.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    return folder / "chain.pem", folder / "key.pem"


def test_none_unless_set() -> None:
    assert load_certificate(Settings()) is None


def test_both_files_are_read(files: tuple[Path, Path]) -> None:
    certificate = load_certificate(Settings(tls_certificate_file=files[0], tls_key_file=files[1]))
    assert certificate is not None
    assert certificate.chain == files[0].read_bytes()
    assert certificate.key == files[1].read_bytes()


def test_what_does_not_fit_keeps_the_server_from_starting(files: tuple[Path, Path], tmp_path: Path) -> None:
    chain, key = files
    both = Settings(tls_certificate_file=chain, tls_key_file=key)
    other = tmp_path / "other.pem"
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(other)
    for settings, words in (
        (replace(both, tls_key_file=None), "both"),
        (replace(both, tls_certificate_file=None), "both"),
        (replace(both, tls_key_file=tmp_path / "none.pem"), "none.pem"),
        (replace(both, tls_certificate_file=key), "PEM"),
        (replace(both, tls_key_file=other), "other.pem"),
    ):
        with pytest.raises(StartError, match=words):
            load_certificate(settings)


def test_of_a_chain_the_servers_own_certificate_counts(tmp_path: Path) -> None:
    end = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
    authority = trustme.CA().create_child_ca()  # which holds for longer, and comes second in the chain
    issued = authority.issue_cert("localhost", not_after=end)
    assert len(issued.cert_chain_pems) == 2
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    certificate = load_certificate(
        Settings(tls_certificate_file=tmp_path / "both.pem", tls_key_file=tmp_path / "both.pem"),
        datetime(2030, 1, 1, tzinfo=UTC),
    )
    assert certificate is not None
    assert certificate.end == end


def test_dates_that_cannot_be_read_are_none(files: tuple[Path, Path], tmp_path: Path) -> None:
    """Of a block by its older name, which OpenSSL takes."""
    old = tmp_path / "old.pem"
    old.write_text(files[0].read_text().replace(" CERTIFICATE-", " X509 CERTIFICATE-"))
    certificate = load_certificate(Settings(tls_certificate_file=old, tls_key_file=files[1]))
    assert certificate is not None
    assert certificate.end is None


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (datetime(1994, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (datetime(2026, 2, 28, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)),  # the first year that is written in full
    ],
)
def test_the_dates_of_a_certificate(begin: datetime, end: datetime) -> None:
    certificate = trustme.CA().issue_cert("localhost", not_before=begin, not_after=end)
    pem = certificate.cert_chain_pems[0].bytes().decode()
    assert validity(ssl.PEM_cert_to_DER_cert(pem)) == (begin, end)


def test_a_certificate_holds_from_its_first_to_its_last_second(tmp_path: Path) -> None:
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    certificate = trustme.CA().issue_cert("localhost", not_before=begin, not_after=end)
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    settings = Settings(tls_certificate_file=tmp_path / "chain.pem", tls_key_file=tmp_path / "key.pem")
    second = timedelta(seconds=1)
    for now in (begin, end):
        certificate = load_certificate(settings, now)
        assert certificate is not None
        assert certificate.end == end
    with pytest.raises(StartError, match=r"chain\.pem is not valid before 2026-01-01 00:00:00.*2025-12-31 23:59:59"):
        load_certificate(settings, begin - second)
    with pytest.raises(StartError, match=r"chain\.pem has run out on 2026-02-01 00:00:00.* Renew it"):
        load_certificate(settings, end + second)
