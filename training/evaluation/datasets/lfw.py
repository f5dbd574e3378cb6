"""LFW (Huang et al., 2007): a folder of .jpg files for each person, no annotation but the name."""

from collections.abc import Iterator
from pathlib import Path

from training.evaluation.datasets.sample import Sample, existing, later


def read(folder: Path) -> Iterator[Sample]:
    """A sample for each photo, in alphabetical order; the person is its group."""
    for path in sorted(existing(folder, "a folder of people's folders").glob("*/*.jpg")):
        yield Sample(name=path.stem, read=later(path), group=path.parent.name)
