"""Loss curves of a run: `python -m training.scripts.plot RUN` writes RUN/curves.png from RUN/log.jsonl."""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

NOT_LOSSES = (
    "step",
    "samples",
    "seconds",
    "per_second",
    "rate",
    "coefficient_weight",
    "tau",
    "size",
)  # tau: of earlier versions


def plot(run: Path) -> Path:
    """Draws the terms of a run's log over the samples seen. Gives the picture's path."""
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    names = sorted({name for row in rows for name in row} - {*NOT_LOSSES, "loss"})
    figure, axes = plt.subplots(1, len(names) + 2, figsize=(3 * (len(names) + 2), 3), layout="constrained")
    for axis, name in zip(axes, ["loss", *names, "rate"], strict=True):
        seen = [row for row in rows if name in row]
        axis.plot([row["samples"] for row in seen], [row[name] for row in seen])
        axis.set_title(name)
        axis.set_xlabel("samples")
        axis.set_yscale("log")
    target = run / "curves.png"
    figure.savefig(target, dpi=80)
    return target


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    print(plot(parser.parse_args().run))


if __name__ == "__main__":
    main()
