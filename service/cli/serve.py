"""`mfn serve`: runs the server."""

import argparse

from service.settings import Settings, settings_help


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's description and arguments."""
    parser.description = "Runs the server until a signal ends it. The environment variables below set it up."
    parser.epilog = settings_help()
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=run)


def run(settings: Settings, _: argparse.Namespace) -> int:
    """Runs the server; returns the exit code."""
    from service.server.main import serve  # only now, so that a wrong command line is told of at once

    return serve(settings)
