"""`python -m service.cli.health`: whether the server in this container is ready, for a container's health check.

Exit code 0: it is; 1: it is not, and a line on stderr says what it answered. This runs every few seconds beside the
server, within its limits of time and memory, and so needs nothing but the standard library: no model, and none of the
settings but where the server listens, which service.settings documents.
"""

import contextlib
import http.client
import os
import ssl
import sys
from collections.abc import Mapping
from typing import Final

READY: Final = "/readyz"
TIMEOUT: Final = 4.0  # seconds; below that of the container's health check, which would end it without a word
DEFAULT_HOST: Final = "0.0.0.0"
DEFAULT_HTTP_PORT: Final = "8000"
LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # a server on all addresses is on this one


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Asks the server that the MFN_* variables describe, and returns the exit code."""
    try:
        with contextlib.closing(_connection(environment)) as connection:
            connection.request("GET", READY)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(f"mfn: The server does not answer: {error}.", file=sys.stderr)
        return 1
    if answer.status != http.HTTPStatus.OK:
        print(f"mfn: The server is not ready: {answer.status} {text}", file=sys.stderr)
        return 1
    return 0


def _connection(environment: Mapping[str, str]) -> http.client.HTTPConnection:
    host = environment.get("MFN_HOST", DEFAULT_HOST)
    host = LOOPBACK.get(host, host)
    port = int(environment.get("MFN_HTTP_PORT", DEFAULT_HTTP_PORT))
    if "MFN_TLS_CERTIFICATE_FILE" not in environment:
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    # The certificate is for the name that clients use; this asks the server beside it, by its address.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)


if __name__ == "__main__":
    sys.exit(main())
