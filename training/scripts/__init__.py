"""Commands; no module elsewhere imports from here."""
