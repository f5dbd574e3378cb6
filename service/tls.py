"""The certificate that both doors show, where there is one."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from service.errors import StartError
from service.settings import Settings


@dataclass(frozen=True)
class Certificate:
    """The PEM files, and what is in them."""

    chain_file: Path
    key_file: Path
    chain: bytes
    key: bytes


def load_certificate(settings: Settings) -> Certificate | None:
    """None without TLS. Raises StartError where a file is missing, or the two do not belong together."""
    chain_file, key_file = settings.tls_certificate_file, settings.tls_key_file
    if chain_file is None and key_file is None:
        return None
    if chain_file is None or key_file is None:
        raise StartError("TLS needs both MFN_TLS_CERTIFICATE_FILE and MFN_TLS_KEY_FILE; one of them is not set.")
    try:
        chain, key = chain_file.read_bytes(), key_file.read_bytes()
        # a passphrase would be asked for on a terminal that a server does not have
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain_file, key_file, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise StartError(
            f"TLS cannot be set up with {chain_file} and {key_file}: {error}. Expected a certificate chain and its "
            "private key, both PEM, the key without a passphrase."
        ) from error
    return Certificate(chain_file, key_file, chain, key)
