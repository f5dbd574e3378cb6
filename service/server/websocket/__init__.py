"""The WebSocket transport, for browsers."""
