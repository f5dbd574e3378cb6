"""The server: one core, and REST, gRPC and WebSocket as thin transports onto it."""

import os

# gRPC's core writes lines of its own to standard error, among those of the log, for instance of each TLS handshake that
# fails. It reads this when it is imported. Set it to `info` or `debug` to find out what goes wrong on a connection.
os.environ.setdefault("GRPC_VERBOSITY", "none")
