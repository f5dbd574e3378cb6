"""The formats of a take's files, by the names that `--format` takes."""

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from service.cli.capture.formats import bvh, csv, glb, jsonl, npz, usda
from service.cli.capture.formats.character import Character
from service.cli.capture.formats.format import Format

FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "csv": Format(".csv", csv.write),
        "glb": Format(".glb", glb.write),
        "bvh": Format(".bvh", bvh.write, bvh.refusal),
        "jsonl": Format(".jsonl", jsonl.write),
        "npz": Format(".npz", npz.write),
        "usda": Format(".usda", usda.write),
    }
)


def formats_of(names: Iterable[str], character: Character | None) -> list[Format]:
    """The formats of some names in FORMATS; of glb, one that animates this character, None for the default."""
    formats = {**FORMATS, "glb": Format(".glb", partial(glb.write, character=character))}
    return [formats[name] for name in names]
