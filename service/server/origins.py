"""The origins of web pages that may ask, as MFN_CORS_ORIGINS names them."""

import re
from typing import Final, Self

from service.errors import ORIGIN_REFUSED, RequestError, StartError

ANY: Final = "*"
# As browsers send it, RFC 6454 section 7: `null`, or scheme, host and port. The host may be empty, as in file://.
ORIGIN: Final = re.compile(r"null|([a-z][a-z0-9+.-]*)://([^\s/?#@A-Z]*)")
DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}  # which browsers leave out
SHOWN: Final = 60  # characters of an origin that a sentence repeats


class Origins:
    """The origins that are allowed."""

    def __init__(self, named: tuple[str, ...] = ()) -> None:
        """named: origins, or ANY."""
        self.named = named

    @classmethod
    def of_setting(cls, text: str) -> Self:
        """Parses comma-separated origins. Raises StartError where one is not written as browsers send it."""
        named = tuple(origin for part in text.split(",") if (origin := part.strip()))
        for origin in named:
            match = ORIGIN.fullmatch(origin)
            if origin == ANY or (match and not _has_default_port(match)):
                continue
            raise StartError(
                f"MFN_CORS_ORIGINS has {origin!r}, which no browser sends as an origin. Expected scheme, host and port "
                "in small letters, without a path, a slash at the end, or the scheme's usual port, as "
                "https://example.com or http://localhost:3000; or null, or *."
            )
        return cls(named)

    def check(self, origin: str | None, host: str) -> None:
        """Raises RequestError ORIGIN_REFUSED where a page of this origin may not open a WebSocket.

        Browsers let any page open one: CORS does not apply to WebSocket. Programs other than browsers send no origin.
        host: the one that was asked, with its port; its own pages may.
        """
        if origin is None or origin in self.named or ANY in self.named:
            return
        scheme, _, asking = origin.partition("://")
        port = DEFAULT_PORTS.get(scheme, "")
        if asking and asking.removesuffix(port) == host.lower().removesuffix(port):
            return
        raise origin_refused(origin)


def origin_refused(origin: str) -> RequestError:
    """The error of a page of an origin that is not allowed."""
    return RequestError(
        ORIGIN_REFUSED,
        f"The server's MFN_CORS_ORIGINS does not name the page's origin, {origin[:SHOWN]}. Add it there.",
    )


def _has_default_port(match: re.Match[str]) -> bool:
    scheme, host = match.groups()
    return scheme in DEFAULT_PORTS and host.endswith(DEFAULT_PORTS[scheme])
