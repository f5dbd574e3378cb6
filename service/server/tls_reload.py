"""A certificate that is renewed while the server runs is taken up, without a restart."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from service.errors import StartError
from service.server.tls import Certificate, load_certificate
from service.settings import Settings

LOGGER: Final = logging.getLogger("mfn.tls")
# Seconds between two looks at the files. Kubernetes takes a minute or two itself to bring a Secret's new content to
# them, and certificates are renewed days before they run out: to look more often would gain nothing.
LOOK_SECONDS: Final = 60.0


class CertificateReloader:
    """Looks at the certificate's files now and then.

    certificate: the one that is shown so far. show: called with each that is to take its place.
    """

    def __init__(self, settings: Settings, certificate: Certificate, show: Callable[[Certificate], None]) -> None:
        self._settings, self._show = settings, show
        self._shown = certificate.chain, certificate.key
        self._refused: tuple[bytes | None, bytes | None] | None = None

    async def watch(self) -> None:
        """Looks every LOOK_SECONDS, until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self, now: datetime | None = None) -> None:
        """Takes up what is in the files where that is new, and a server could start with it.

        Otherwise what is shown stays, and a warning says why: one for the same content, however often it is seen. It is
        tried each time, as what is not valid yet will be.
        """
        content = _content(self._settings.tls_certificate_file), _content(self._settings.tls_key_file)
        if content == self._shown:
            self._refused = None
            return
        try:
            renewed = load_certificate(self._settings, now)
        except Exception as error:  # whatever is wrong with the files, the server has a certificate to go on with
            if content != self._refused:
                reason = error if isinstance(error, StartError) else repr(error)
                LOGGER.warning("Not taken up, the certificate from before is still shown: %s", reason)
            self._refused = content
            return
        if renewed is None:
            return
        self._show(renewed)
        self._shown, self._refused = (renewed.chain, renewed.key), None
        LOGGER.info(
            "Took up a renewed certificate, which holds until %s", renewed.end or "a date that could not be read"
        )


def _content(file: Path | None) -> bytes | None:
    """None where it cannot be read."""
    try:
        return file.read_bytes() if file else None
    except OSError:
        return None
