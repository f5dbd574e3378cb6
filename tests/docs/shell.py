"""The shell blocks of documents, as the commands that they are made of."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from textwrap import dedent
from typing import Final

FENCE: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
SHELLS: Final = ("sh", "bash", "console", "shell")
ASSIGNMENT: Final = re.compile(r"([A-Z_]+)=(.*)", re.DOTALL)
SEPARATORS: Final = {"&&", "|", ";"}
PLACEHOLDER: Final = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Command:
    """A command as typed: up to the end of its line, to && or to |.

    variables: set by its first words; for what follows, if there are no more words. output: the file after >.
    """

    words: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    output: str | None = None

    def __str__(self) -> str:
        return " ".join([*(f"{name}={value}" for name, value in self.variables.items()), *self.words])


@dataclass(frozen=True)
class ShellBlock:
    """What a reader pastes into a terminal. shown: what it prints, where a block of text follows at once; else ""."""

    commands: str
    shown: str


def shell_blocks(document: Path) -> list[ShellBlock]:
    """Those of a document, in order."""
    text = document.read_text(encoding="utf-8")
    fences = list(FENCE.finditer(text))
    followers = [*fences[1:], None][: len(fences)]
    return [
        ShellBlock(dedent(fence["code"]), shown_after(fence, follower))
        for fence, follower in zip(fences, followers, strict=True)
        if fence["language"] in SHELLS
    ]


def shown_after(fence: re.Match[str], follower: re.Match[str] | None) -> str:
    if follower is None or follower["language"] != "text" or fence.string[fence.end() : follower.start()].strip():
        return ""
    return dedent(follower["code"])


def commands_of(block: str) -> Iterator[Command]:
    """The commands of a block, in order, with the variables that it sets filled in."""
    known: dict[str, str] = {}
    for line in block.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        for separates, words in groupby(lexer, SEPARATORS.__contains__):
            if separates:
                continue
            command = _command([_filled_in(word, known) for word in words])
            if not command.words:
                known |= command.variables
            yield command


def _filled_in(word: str, known: dict[str, str]) -> str:
    """A word with its variables; those that the block does not set are left as they are."""
    return PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), word)


def _command(words: list[str]) -> Command:
    variables: dict[str, str] = {}
    while words and (match := ASSIGNMENT.fullmatch(words[0])):
        variables[match[1]] = match[2]
        words = words[1:]
    if ">" in words:
        *words, redirection, output = words
        assert redirection == ">", f"{' '.join(words)}: a redirection stands at the end"
        return Command(words, variables, output)
    return Command(words, variables)
