"""Pictures, networks' outputs and faces as arrays: pure functions and small classes that know no server."""
