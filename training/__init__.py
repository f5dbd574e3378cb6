"""Trains, evaluates and exports the networks. The server never imports it."""
