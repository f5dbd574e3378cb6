"""The certificate that both servers show, where there is one."""

import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from service.errors import StartError
from service.settings import Settings

PEM_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
# Tags of ASN.1 (X.690, section 8) that a certificate has before and in its validity.
VERSION_TAG, UTC_TIME_TAG = 0xA0, 0x17


@dataclass(frozen=True)
class Certificate:
    """What the PEM files hold, and a context that shows it. end: the last second that the server's own certificate
    holds, None where it could not be read."""

    chain: bytes
    key: bytes
    context: ssl.SSLContext
    end: datetime | None = None


def load_certificate(settings: Settings, now: datetime | None = None) -> Certificate | None:
    """None without TLS. Raises StartError where a file is missing, where the two do not belong together or change
    meanwhile, and where the certificate does not hold at this time (the server's own: a chain may carry others that
    nobody needs)."""
    chain_file, key_file = settings.tls_certificate_file, settings.tls_key_file
    if chain_file is None and key_file is None:
        return None
    if chain_file is None or key_file is None:
        raise StartError("TLS needs both MFN_TLS_CERTIFICATE_FILE and MFN_TLS_KEY_FILE; one of them is not set.")
    chain, key = _read("MFN_TLS_CERTIFICATE_FILE", chain_file), _read("MFN_TLS_KEY_FILE", key_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # a passphrase would be asked for on a terminal that a server does not have
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
    # the context has read the files by itself, and one server is not to show another certificate than the other
    if (chain, key) != (_read("MFN_TLS_CERTIFICATE_FILE", chain_file), _read("MFN_TLS_KEY_FILE", key_file)):
        raise StartError(f"{chain_file} and {key_file} were changed while they were read. Try again.")
    end = _checked_end(chain_file, chain, now or datetime.now(UTC))
    return Certificate(chain, key, context, end)


class RenewableContext:
    """A context for a server to listen with, whose certificate can be replaced.

    Loading another one into a context that is in use would not do: where its key is of another kind, OpenSSL keeps
    both and may go on to show the old one. So each has a context of its own, to which handshakes are handed over when
    the client's first message is read, whether or not that names a server.
    """

    def __init__(self, certificate: Certificate) -> None:
        self.context = self._shown = certificate.context
        self.context.sni_callback = self._hand_over

    def show(self, certificate: Certificate) -> None:
        """Handshakes that begin from now on are shown this one."""
        self._shown = certificate.context

    def _hand_over(self, connection: ssl.SSLObject, *_: object) -> None:
        connection.context = self._shown


def _read(name: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StartError(
            f"{name} is {file}, which cannot be read: {error.strerror or error}. Expected a PEM file."
        ) from error


def _checked_end(chain_file: Path, chain: bytes, now: datetime) -> datetime | None:
    """When the first certificate of a chain runs out. Raises StartError unless it holds now."""
    first = PEM_CERTIFICATE.search(chain.decode("latin-1"))
    if first is None:  # OpenSSL knows older names of the block, too; clients will see to its dates
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
    """notBefore and notAfter of a DER certificate that OpenSSL could read (RFC 5280, section 4.1)."""
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
    """(tag, start of the content, end) of the element that starts there."""
    tag, length, content = der[start], der[start + 1], start + 2
    if length & 0x80:  # then it tells how many bytes the length has
        size = length & 0x7F
        length, content = int.from_bytes(der[content : content + size], "big"), content + size
    return tag, content, content + length


def _time(der: bytes, start: int) -> datetime:
    tag, content, end = _element(der, start)
    text = der[content:end].decode("ascii")
    if tag == UTC_TIME_TAG:  # with two digits of a year from 1950 to 2049
        text = ("19" if text[0] >= "5" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
