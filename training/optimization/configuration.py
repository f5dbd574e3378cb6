"""Options of a command from a TOML file: `--config FILE`; those given on the command line count more.

The file's keys are the command's long options without the dashes; a list gives an option several values, true and false
set a switch. training/configs/ has one for each published run.
"""

import argparse
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NOT_IN_FILES = ("help", "config", "run")  # what a file does not say: where things are, not how they are done


def parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """The options in `arguments`, completed from the file that --config names.

    Ends the program, as argparse does, where the file is missing, no TOML, or has a key that is no option, which the
    message names with those that are.
    """
    parser.allow_abbrev = False
    parser.add_argument("--config", type=Path, help="TOML file with options; the command line overrides it")
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--config", type=Path)
    path = first.parse_known_args(arguments)[0].config
    return parser.parse_args([*from_file(parser, path, arguments), *arguments] if path else arguments)


def from_file(parser: argparse.ArgumentParser, path: Path, arguments: Sequence[str]) -> list[str]:
    """The file's options as a command line would give them, less those that `arguments` exclude."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        parser.error(f"{path}: {error}")
    options = {name.removeprefix("--"): action for action in parser._actions for name in action.option_strings}
    known = {name for name, action in options.items() if action.dest not in NOT_IN_FILES}
    valid = sorted({action.option_strings[0].removeprefix("--") for name, action in options.items() if name in known})
    given = {argument.split("=")[0] for argument in arguments}
    excluded = {
        action.dest
        for group in parser._mutually_exclusive_groups
        for action in group._group_actions
        if any(given & set(other.option_strings) for other in group._group_actions)
    }
    line: list[str] = []
    for key, value in values.items():
        if key not in known:
            parser.error(f"{path}: {key} is no option of this command; valid are {', '.join(valid)}")
        if options[key].dest in excluded:
            continue
        if isinstance(value, bool):
            line.append(f"--{key}" if value else f"--no-{key}")
        else:
            line += [f"--{key}", *(str(item) for item in (value if isinstance(value, list) else [value]))]
    return line
