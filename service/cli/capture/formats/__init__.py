"""The formats of a take's files, by the names that `--format` takes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from service.cli.capture.formats import bvh, csv, glb, jsonl, npz, usda
from service.cli.capture.formats.format import Format

FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "csv": Format(".csv", csv.write),
        "glb": Format(".glb", glb.write),
        "bvh": Format(".bvh", bvh.write),
        "jsonl": Format(".jsonl", jsonl.write),
        "npz": Format(".npz", npz.write),
        "usda": Format(".usda", usda.write),
    }
)
