"""Authentication by API keys, compared in constant time."""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from service.errors import UNAUTHENTICATED, RequestError, StartError

HEADERS: Final = ("authorization", "x-api-key")  # names of HTTP headers and of gRPC metadata
BEARER: Final = "bearer "
MIN_KEY_LENGTH: Final = 16  # characters; a shorter key could be guessed


class ApiKeys:
    """The accepted API keys; without any, requests need no key."""

    def __init__(self, keys: frozenset[str] = frozenset()) -> None:
        self._keys = [key.encode() for key in sorted(keys)]

    @classmethod
    def of_setting(cls, keys: str, file: Path | None) -> Self:
        """Parses comma-separated keys, and a file with one key on each line, in which # begins a comment.

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
        if any(len(key) < MIN_KEY_LENGTH for key in found):
            raise StartError(f"An API key has fewer than {MIN_KEY_LENGTH} characters. Make it longer, at random.")
        return cls(frozenset(found))

    @property
    def required(self) -> bool:
        """Whether requests need a key."""
        return bool(self._keys)

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises RequestError UNAUTHENTICATED unless the headers (names in lower case) hold one of the keys."""
        if not self._keys:
            return
        bearer = headers.get("authorization", "")
        given = bearer[len(BEARER) :] if bearer.lower().startswith(BEARER) else headers.get("x-api-key", "")
        self.check_key(given.strip())

    def check_key(self, given: str) -> None:
        """Raises RequestError UNAUTHENTICATED unless the given key is accepted. Takes the same time for every key."""
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
