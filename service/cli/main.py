"""The command line: `mfn serve` runs the server, `mfn retarget` processes photos, `mfn watch` a video or a camera;
`mfn capture` makes animation files; `mfn --version` tells the versions of code and models.

Exit codes: 0 success, also without any face, and where the user ended `mfn watch`; 1 a photo, a video or a camera could
not be read, a drawing or the output not be written, or models or port are not available; 2 the command line is wrong;
130 the user ended another command, 143 SIGTERM did.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from service import __version__
from service.cli.arguments import FAILED, OK
from service.cli.interruption import exit_code
from service.errors import StartError
from service.inference.manifest import MANIFEST, read_manifest
from service.settings import Settings

COMMANDS: Final = {  # by name: the module that adds its arguments, and what --help says of it
    "serve": ("service.cli.serve", "answer requests on port 8000"),
    "retarget": ("service.cli.retarget", "find the faces in photos"),
    "watch": ("service.cli.watch", "follow the faces in a video or before a camera"),
    "capture": ("service.cli.capture.command", "make animation files of the people in a film"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; arguments default to those of the process."""
    # Names of files need not be text, nor need a terminal have every letter.
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        chosen = build_parser().parse_args(arguments)
        code: int = chosen.run(Settings.from_environment(), chosen)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has closed it
        close_output()
        return OK
    except OSError as error:  # as of a full disk that the output goes to; what is read and drawn has its own message
        print(f"mfn: It cannot go on: {error}", file=sys.stderr)
        close_output()
        return FAILED
    except KeyboardInterrupt as interruption:
        return exit_code(interruption)
    except StartError as error:
        print(f"mfn: {error}", file=sys.stderr)
        return FAILED
    return code


def close_output() -> None:
    """Lets Python's exit write what is left of the output to nowhere; it would report once more that it cannot."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class CommandParser(argparse.ArgumentParser):
    """The parser of one command. module: adds the command's arguments.

    It is imported once the command is chosen: no command waits for what only others need, nor keeps it in memory.
    """

    module = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses what follows the command; argparse calls this."""
        if module := self.module:
            self.module = ""
            import_module(module).add_arguments(self)
        return super().parse_known_args(args, namespace)


class PrintVersions(argparse.Action):
    """Prints the code's version, then that of the models that would be served, and ends the program.

    Raises StartError after the first line where there are no models.
    """

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Called by argparse for the option."""
        print(f"{parser.prog} {__version__}")
        print(f"models {read_manifest(Settings.from_environment().models_dir / MANIFEST).version}")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line; each command sets `run`, called with settings and arguments."""
    parser = argparse.ArgumentParser(prog="mfn", description="Finds every face: box, pose, expression.")
    parser.add_argument("--version", action=PrintVersions, nargs=0, help="tell the versions of code and models")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=CommandParser)
    for name, (module, told) in COMMANDS.items():
        commands.add_parser(name, help=told).module = module
    return parser
