"""The command line: `mfn serve` runs the server, `mfn retarget` looks at photos, `mfn watch` at a video or a camera.

Exit codes: 0 all went well, also where no face was found, and where a watched video was ended by whoever watched; 1 a
photo, a video or a camera could not be read, or something not be drawn, or the models or the port are not there; 2 the
command line itself is wrong.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from service.cli import retarget, watch
from service.cli.arguments import FAILED, OK
from service.errors import StartError
from service.server.main import serve
from service.settings import Settings, settings_help


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; arguments default to those of the process."""
    chosen = build_parser().parse_args(arguments)
    try:
        code: int = chosen.run(Settings.from_environment(), chosen)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has closed it; Python would complain once more at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except StartError as error:
        print(f"mfn: {error}", file=sys.stderr)
        return FAILED
    return code


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mfn", description="Finds every face: box, pose, expression.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    server = commands.add_parser(
        "serve",
        help="answer requests on port 8000",
        description="Runs the server until a signal ends it. The environment variables below set it up.",
        epilog=settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    server.set_defaults(run=lambda settings, _: serve(settings))
    retarget.add_parser(commands)
    watch.add_parser(commands)
    return parser
