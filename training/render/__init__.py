"""Renders faces with known pose, expression and gaze."""
