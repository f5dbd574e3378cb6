"""Who may ask: API keys, compared in constant time."""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from service.errors import UNAUTHENTICATED, RequestError, StartError

HEADERS: Final = ("authorization", "x-api-key")  # names of HTTP headers and of gRPC metadata
BEARER: Final = "bearer "
SHORTEST_KEY: Final = 16  # characters; a shorter one could be guessed


class ApiKeys:
    """The keys that are let in; with none of them, everybody is."""

    def __init__(self, keys: frozenset[str] = frozenset()) -> None:
        self._keys = [key.encode() for key in sorted(keys)]

    @classmethod
    def of_setting(cls, keys: str, file: Path | None) -> Self:
        """Keys with commas between, and the lines of a file, in which # begins a comment.

        Raises StartError where the file cannot be read, holds no key, or a key is too short.
        """
        found = {key.strip() for key in keys.split(",")} - {""}
        if file is not None:
            try:
                lines = file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise StartError(
                    f"MFN_API_KEYS_FILE is {file}, which cannot be read: {getattr(error, 'strerror', error)}. "
                    "Expected a file with one key a line."
                ) from error
            in_file = {line.partition("#")[0].strip() for line in lines} - {""}
            if not in_file:
                raise StartError(f"MFN_API_KEYS_FILE is {file}, which holds no key. Expected one key a line.")
            found |= in_file
        if any(len(key) < SHORTEST_KEY for key in found):
            raise StartError(f"An API key has fewer than {SHORTEST_KEY} characters. Make it longer, at random.")
        return cls(frozenset(found))

    @property
    def wanted(self) -> bool:
        return bool(self._keys)

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises RequestError UNAUTHENTICATED unless the headers (names in lower case) hold one of the keys."""
        if not self._keys:
            return
        bearer = headers.get("authorization", "")
        given = bearer[len(BEARER) :] if bearer.lower().startswith(BEARER) else headers.get("x-api-key", "")
        self.check_key(given.strip())

    def check_key(self, given: str) -> None:
        """Raises RequestError UNAUTHENTICATED unless it is one of the keys. Takes as long whichever it is."""
        if not self._keys:
            return
        encoded = given.encode("utf-8", "surrogateescape")
        matches = [hmac.compare_digest(encoded, key) for key in self._keys]
        if not any(matches):
            problem = "The API key is wrong" if given else "An API key is missing"
            raise RequestError(
                UNAUTHENTICATED,
                f"{problem}. Send it as Authorization: Bearer <key> or as X-API-Key: <key>; "
                "in a WebSocket stream as `key` of the configuration.",
            )
