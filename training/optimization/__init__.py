"""Optimization: losses, assignment, schedules, and runs that can be resumed."""
