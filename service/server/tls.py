"""The TLS certificate that both servers present."""

import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from service.errors import StartError
from service.settings import Settings

PEM_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
# Tags of ASN.1 (X.690, section 8): of the version field and of a UTCTime in the validity.
VERSION_TAG, UTC_TIME_TAG = 0xA0, 0x17


@dataclass(frozen=True)
class Certificate:
    """A certificate chain and its key, both PEM, and a context that presents them.

    end: the last second at which the server's own certificate is valid, None where it could not be read.
    """

    chain: bytes
    key: bytes
    context: ssl.SSLContext
    end: datetime | None = None


def load_certificate(settings: Settings, now: datetime | None = None) -> Certificate | None:
    """Loads the certificate of the settings; None without TLS. now: time to validate it at, the current one by default.

    Raises StartError where a file is missing, where the two do not belong together or change while they are read, and
    where the server's own certificate is not valid at that time; others in the chain are not checked, since clients may
    not need them.
    """
    chain_file, key_file = settings.tls_certificate_file, settings.tls_key_file
    if chain_file is None and key_file is None:
        return None
    if chain_file is None or key_file is None:
        raise StartError("TLS needs both MFN_TLS_CERTIFICATE_FILE and MFN_TLS_KEY_FILE; one of them is not set.")
    chain, key = _read("MFN_TLS_CERTIFICATE_FILE", chain_file), _read("MFN_TLS_KEY_FILE", key_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without a password OpenSSL would ask for a passphrase on a terminal, which a server does not have.
        context.load_cert_chain(chain_file, key_file, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        if "MISMATCH" in (getattr(error, "reason", None) or ""):
            raise StartError(
                f"The key in {key_file} is not that of the certificate in {chain_file}. "
                "Set MFN_TLS_CERTIFICATE_FILE and MFN_TLS_KEY_FILE to two that were made together."
            ) from error
        raise StartError(
            f"TLS cannot be set up with {chain_file} and {key_file}: {error}. Expected a certificate chain and its "
            "private key, both PEM, the key without a passphrase."
        ) from error
    # The context has read the files itself; gRPC must present the same certificate.
    if (chain, key) != (_read("MFN_TLS_CERTIFICATE_FILE", chain_file), _read("MFN_TLS_KEY_FILE", key_file)):
        raise StartError(f"{chain_file} and {key_file} were changed while they were read. Try again.")
    end = _checked_end(chain_file, chain, now or datetime.now(UTC))
    return Certificate(chain, key, context, end)


class RenewableContext:
    """A context for a server to listen with, whose certificate can be replaced.

    A second certificate cannot be loaded into the same context: where its key is of another type, OpenSSL keeps both
    and may go on to present the old one. So each certificate has its own context, to which the SNI callback switches a
    handshake when it reads the client's first message, whether or not that names a server.
    """

    def __init__(self, certificate: Certificate) -> None:
        self.context = self._current = certificate.context
        self.context.sni_callback = self._switch

    def replace_certificate(self, certificate: Certificate) -> None:
        """Presents this certificate in new handshakes."""
        self._current = certificate.context

    def _switch(self, connection: ssl.SSLObject, *_: object) -> None:
        connection.context = self._current


def _read(name: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StartError(
            f"{name} is {file}, which cannot be read: {error.strerror or error}. Expected a PEM file."
        ) from error


def _checked_end(chain_file: Path, chain: bytes, now: datetime) -> datetime | None:
    """The time at which a chain's first certificate expires. Raises StartError unless it is valid now."""
    first = PEM_CERTIFICATE.search(chain.decode("latin-1"))
    if first is None:  # OpenSSL also reads blocks with older names; clients will check the dates
        return None
    begin, end = validity(ssl.PEM_cert_to_DER_cert(first[0]))
    if now > end:
        raise StartError(f"The certificate in {chain_file} has run out on {end}. Renew it.")
    if now < begin:
        raise StartError(
            f"The certificate in {chain_file} is not valid before {begin}, and it is {now:%Y-%m-%d %H:%M:%S%z} here. "
            "Set this machine's clock, or wait."
        )
    return end


def validity(certificate: bytes) -> tuple[datetime, datetime]:
    """The validity, notBefore and notAfter, of a DER certificate that OpenSSL could read (RFC 5280, section 4.1)."""
    _, body, _ = _element(certificate, 0)
    _, position, _ = _element(certificate, body)
    tag, _, after = _element(certificate, position)
    if tag == VERSION_TAG:
        position = after
    for _ in range(3):  # serial number, signature algorithm, issuer
        _, _, position = _element(certificate, position)
    _, begin, _ = _element(certificate, position)
    _, _, end = _element(certificate, begin)
    return _time(certificate, begin), _time(certificate, end)


def _element(der: bytes, start: int) -> tuple[int, int, int]:
    """Tag, start of the content, and end of the ASN.1 element at `start`."""
    tag, length, content = der[start], der[start + 1], start + 2
    if length & 0x80:  # long form: the other bits tell how many bytes the length has
        size = length & 0x7F
        length, content = int.from_bytes(der[content : content + size], "big"), content + size
    return tag, content, content + length


def _time(der: bytes, start: int) -> datetime:
    tag, content, end = _element(der, start)
    text = der[content:end].decode("ascii")
    if tag == UTC_TIME_TAG:  # its years have two digits, from 1950 to 2049
        text = ("19" if text[0] >= "5" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
