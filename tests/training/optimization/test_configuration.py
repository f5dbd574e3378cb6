"""Options from a file."""

import argparse
from pathlib import Path

import pytest

from training.optimization.configuration import parse


def command() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int)
    length.add_argument("--seconds", type=float)
    parser.add_argument("--shares", type=float, nargs="+", default=[1.0])
    parser.add_argument("--crops", type=Path, nargs="+")
    parser.add_argument("--plain-eyes", action=argparse.BooleanOptionalAction, default=False)
    return parser


def parsed(tmp_path: Path, text: str, *arguments: str) -> argparse.Namespace:
    path = tmp_path / "run.toml"
    path.write_text(text)
    return parse(command(), ["--config", str(path), "--run", "r", *arguments])


def test_a_file_says_what_the_command_line_would(tmp_path: Path) -> None:
    text = 'seconds = 485\nshares = [0.25, 1]\ncrops = ["a/b", "c"]\nplain-eyes = true\n'
    from_file = parsed(tmp_path, text)
    line = ["--seconds", "485", "--shares", "0.25", "1", "--crops", "a/b", "c", "--plain-eyes", "--run", "r"]
    expected = parse(command(), line)
    from_file.config = None
    assert from_file == expected


def test_the_command_line_counts_more(tmp_path: Path) -> None:
    text = "seconds = 485\nshares = [0.25, 1]\nplain-eyes = true\n"
    args = parsed(tmp_path, text, "--steps=3", "--shares", "0.5", "--no-plain-eyes")
    assert (args.steps, args.seconds, args.shares, args.plain_eyes) == (3, None, [0.5], False)


@pytest.mark.parametrize(
    ("key", "value"), [("share", "[1]"), ("run", '"here"'), ("config", '"f"'), ("plain_eyes", "true")]
)
def test_a_key_that_is_no_option_is_named_with_those_that_are(
    key: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(tmp_path, f"{key} = {value}\n")
    message = capsys.readouterr().err
    assert (
        f"run.toml: {key} is no option of this command; valid are crops, plain-eyes, seconds, shares, steps" in message
    )


@pytest.mark.parametrize("text", ["steps = \n", 'steps = "many"\n', "steps = 1\nseconds = 2\n"])
def test_what_is_no_option_line_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        parsed(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(command(), ["--run", "r", "--config", str(tmp_path / "no.toml")])
    assert "no.toml" in capsys.readouterr().err
