"""Sends faces to game engines and avatar programs: pure functions from arrays to datagrams, and their senders."""
