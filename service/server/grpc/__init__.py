"""The gRPC transport of proto/mfn/v1/retarget.proto."""
