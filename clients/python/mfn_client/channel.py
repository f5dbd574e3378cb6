"""The channel to a server, the same for both clients: address, TLS, key and options."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

# Where a name has several addresses, calls go in turn (round robin) to each whose health is SERVING, so that none is
# cancelled by a server that is about to stop.
SERVICE_CONFIG: Final = json.dumps(
    {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}
)

# Calls are not retried: that is the caller's decision. A server that has vanished is noticed within 30 s during a call.
OPTIONS: Final = (
    ("grpc.enable_retries", 0),
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),  # no limit
)

TIMEOUT: Final = 10.0  # seconds, default of calls except streams

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Target:
    """The target of a channel. address: host:port. metadata: of every call. credentials: None without TLS."""

    address: str
    metadata: Metadata
    credentials: grpc.ChannelCredentials | None


def target_of(address: str, key: str | None, tls: bool | str | Path | None) -> Target:
    """The target of a client's arguments.

    tls: None or False for none, True for the authorities that gRPC trusts, or a file of root certificates, PEM. Raises
    ValueError for a key that a header cannot carry, OSError where the file cannot be read.
    """
    if key is not None and not (key.isascii() and key.isprintable()):
        raise ValueError("the key holds a line break or another character that a header cannot carry")
    metadata = () if key is None else (("authorization", f"Bearer {key}"),)
    if tls is None or tls is False:
        return Target(address, metadata, None)
    roots = None if tls is True else Path(tls).read_bytes()
    return Target(address, metadata, grpc.ssl_channel_credentials(roots))
