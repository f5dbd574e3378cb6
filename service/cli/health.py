"""`python -m service.cli.health`: a container's health check, which asks the server whether it is ready.

Exit code 0: it is ready; 1: it is not, and a line on stderr tells its answer. This runs every few seconds beside the
server, within the container's limits of time and memory, so it imports the standard library only, and reads only those
settings that tell where the server listens; service.settings documents them.
"""

import contextlib
import http.client
import os
import ssl
import sys
from collections.abc import Mapping
from typing import Final

READY: Final = "/readyz"
TIMEOUT: Final = 4.0  # seconds; less than that of the container's health check, which would end this without a message
DEFAULT_HOST: Final = "::"
DEFAULT_HTTP_PORT: Final = "8000"
LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}  # the address to ask of a server that listens on all


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Asks the server that the MFN_* variables describe whether it is ready. Returns the exit code."""
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
    # The certificate is not verified: it is for the name that clients use, not for this address.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)


if __name__ == "__main__":
    sys.exit(main())
