"""Each file in training/configs/ is a run that its command takes, and says at its top what came of it."""

import argparse
import re
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from training.scripts import train_mfn, train_sfn  # noqa: E402

FILES = sorted(Path("training/configs").glob("*.toml"))


class Started(Exception):  # noqa: N818
    """With the arguments that a run would have started from."""


def started(file: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> argparse.Namespace:
    def start(_build: Any, args: argparse.Namespace, _samples: int) -> None:
        raise Started(args)

    command = train_mfn if file.stem.startswith("mfn") else train_sfn
    monkeypatch.setattr(command, "start", start)
    with pytest.raises(Started) as raised:
        command.main(["--config", str(file), "--run", "r", *more])
    args: argparse.Namespace = raised.value.args[0]
    return args


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_published_runs_file_is_taken_by_its_command(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    args = started(file, monkeypatch)
    assert sum(args.shares) == pytest.approx(1, abs=0.01)
    sets = args.crops if hasattr(args, "crops") else args.pictures
    assert len(sets) == len(args.shares)
    assert len(getattr(args, "labels", sets)) == len(sets)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_published_runs_file_says_how_it_was_run_and_what_came_out(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = " ".join(line.removeprefix("#").strip() for line in file.read_text().splitlines() if line.startswith("#"))
    assert all(f" {label}: " in header for label in ("launch", "hardware", "time", "result"))
    launches = re.findall(
        r"launch: python -m training\.scripts\.train_(\w+) --config (\S+) --run \S+((?: --\w+ \d+)*)", header
    )
    assert len(launches) == header.count("launch: ")
    for command, config, more in launches:
        assert (command, Path(config)) == (file.stem[:3], file)
        started(file, monkeypatch, *more.split())


def test_there_is_a_file_for_each_version_from_0_2_0_on() -> None:
    names = {file.stem for file in FILES}
    assert names >= {f"{kind}-0.{minor}.0" for kind in ("mfn", "sfn") for minor in range(2, 7)}
