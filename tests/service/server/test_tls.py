import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from service.errors import StartError
from service.server.tls import RenewableContext, load_certificate, validity
from service.settings import Settings


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


def test_files_that_change_while_they_are_read_are_refused(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one door would show another certificate than the other, or a chain that is not of its key."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(files[0].read_bytes())
    key.write_bytes(files[1].read_bytes())
    read = Path.read_bytes

    def read_before_a_change(file: Path) -> bytes:
        content = read(file)
        monkeypatch.setattr(Path, "read_bytes", read)
        renewed = trustme.CA().issue_cert("localhost")
        renewed.cert_chain_pems[0].write_to_path(chain)
        renewed.private_key_pem.write_to_path(key)
        return content

    settings = Settings(tls_certificate_file=chain, tls_key_file=key)
    monkeypatch.setattr(Path, "read_bytes", read_before_a_change)
    with pytest.raises(StartError, match=r"chain\.pem and .*key\.pem were changed while"):
        load_certificate(settings)
    assert load_certificate(settings) is not None


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
        loaded = load_certificate(settings, now)
        assert loaded is not None
        assert loaded.end == end
    with pytest.raises(StartError, match=r"chain\.pem is not valid before 2026-01-01 00:00:00.*2025-12-31 23:59:59"):
        load_certificate(settings, begin - second)
    with pytest.raises(StartError, match=r"chain\.pem has run out on 2026-02-01 00:00:00.* Renew it"):
        load_certificate(settings, end + second)


def shown(server: ssl.SSLContext, authority: trustme.CA, version: ssl.TLSVersion, name: str | None) -> bytes | None:
    """The certificate that a client of this TLS version is shown, DER. name: the server's, None where none is told."""
    trusted = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    trusted.maximum_version = trusted.minimum_version = version
    trusted.check_hostname = name is not None
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusted.wrap_bio(to_client, to_server, server_hostname=name)
    ends = [client, server.wrap_bio(to_server, to_client, server_side=True)]
    for _ in range(10):
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                pass
    assert not ends
    return client.getpeercert(binary_form=True)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", ["localhost", None])
def test_a_renewed_certificate_is_shown_whatever_the_kinds_of_the_keys(
    tmp_path: Path, version: ssl.TLSVersion, name: str | None
) -> None:
    authority = trustme.CA()
    certificates = []
    for kind in (trustme.KeyType.ECDSA, trustme.KeyType.RSA, trustme.KeyType.RSA, trustme.KeyType.ECDSA):
        issued = authority.issue_cert("localhost", key_type=kind)
        issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
        certificate = load_certificate(
            Settings(tls_certificate_file=tmp_path / "both.pem", tls_key_file=tmp_path / "both.pem")
        )
        assert certificate is not None
        certificates.append((certificate, ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())))
    (first, der), *_ = certificates
    renewable = RenewableContext(first)
    assert shown(renewable.context, authority, version, name) == der
    for (_, before), (renewed, der) in pairwise(certificates):
        renewable.replace_certificate(renewed)
        assert shown(renewable.context, authority, version, name) == der != before
