"""The server: one core, and REST, gRPC and WebSocket as thin transports onto it."""
