"""Captures films: a take a person, written as files that animation programs open."""
