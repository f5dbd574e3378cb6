"""The command line. Each command has a file, with its arguments and the function that runs it."""
