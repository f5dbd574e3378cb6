"""What the command line can do, a file a command: each adds its arguments, and runs with what was given."""
