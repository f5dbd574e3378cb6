from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from service.errors import StartError
from service.settings import Settings
from service.tls import load_certificate


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
