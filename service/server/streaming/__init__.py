"""Streams of frames, independent of their transport."""
