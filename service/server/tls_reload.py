"""Reloads a renewed certificate without a restart."""

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
# Seconds between two checks of the files. Kubernetes itself takes a minute or two to update the files of a Secret, and
# certificates are renewed days before they expire, so shorter intervals would gain nothing.
CHECK_SECONDS: Final = 60.0


class CertificateReloader:
    """Checks the certificate's files periodically, and reloads them when they change."""

    def __init__(self, settings: Settings, certificate: Certificate, on_renewal: Callable[[Certificate], None]) -> None:
        """certificate: the current one. on_renewal: called with each renewed one."""
        self._settings, self._on_renewal = settings, on_renewal
        self._current = certificate.chain, certificate.key
        self._refused: tuple[bytes | None, bytes | None] | None = None

    async def watch(self) -> None:
        """Checks the files every CHECK_SECONDS, until it is cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self.check()

    def check(self, now: datetime | None = None) -> None:
        """Reloads the files where they have changed and a server could start with them.

        Otherwise the current certificate stays, and a warning tells why, once for the same content. The content is
        tried again at each check, since it may become valid. now: as in load_certificate.
        """
        content = _content(self._settings.tls_certificate_file), _content(self._settings.tls_key_file)
        if content == self._current:
            self._refused = None
            return
        try:
            renewed = load_certificate(self._settings, now)
        except Exception as error:  # whatever is wrong with the files, the server still has its current certificate
            if content != self._refused:
                reason = error if isinstance(error, StartError) else repr(error)
                LOGGER.warning("Not taken up, the certificate from before is still shown: %s", reason)
            self._refused = content
            return
        if renewed is None:
            return
        self._on_renewal(renewed)
        self._current, self._refused = (renewed.chain, renewed.key), None
        LOGGER.info(
            "Took up a renewed certificate, which holds until %s", renewed.end or "a date that could not be read"
        )


def _content(file: Path | None) -> bytes | None:
    """The file's content, None where there is no file or it cannot be read."""
    try:
        return file.read_bytes() if file else None
    except OSError:
        return None
