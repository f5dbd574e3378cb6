"""The gRPC transport of proto/mfn/v1/retarget.proto."""

import os

# gRPC's core writes to standard error by itself and blocks where that is not read, so it only does in need: by default
# it tells of every handshake that fails. The variable is read when grpc is imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
