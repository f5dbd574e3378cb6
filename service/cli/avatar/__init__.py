"""Faces on to game engines and avatar programs: pure functions from arrays to datagrams, and what sends them."""
