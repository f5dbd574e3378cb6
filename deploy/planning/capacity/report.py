"""The tables of deploy/CAPACITY.md, made of the figures and of nothing else."""

import json
from pathlib import Path
from typing import Final

from bench.results import with_figures
from deploy.planning.capacity import findings, plan
from deploy.planning.capacity.findings import Figures
from deploy.planning.capacity.sizing import Assumptions

DEPLOY: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = DEPLOY / "CAPACITY.md"
PLANNED, OTHER = "VNNI", "AVX2"  # families of processors: of the whole plan, and of the section without VNNI


def file_of(family: str) -> Path:
    """Where the figures of a family of processors are kept, see bench.results.family."""
    return DEPLOY / "planning" / "figures" / f"{family.lower()}.json"


def read(family: str) -> Figures:
    """The figures that are kept of a family of processors; none where there is no file."""
    file = file_of(family)
    figures: Figures = json.loads(file.read_text()) if file.exists() else {}
    return figures


def with_tables(text: str, assumed: Assumptions) -> str:
    """The document with every table made anew."""
    for name, lines in tables(assumed).items():
        text = with_figures(text, name, f"## {name.capitalize()}", lines)
    return text


def tables(assumed: Assumptions) -> dict[str, str]:
    """The tables by the names of their markers."""
    figures, other = read(PLANNED), read(OTHER)
    return {
        "calls": findings.calls(figures),
        "streams": findings.streams(figures, assumed),
        "ladder": findings.ladder(figures),
        "workers": findings.workers(figures),
        "memory": findings.memory(figures),
        "answers": findings.answers(figures),
        "sizing": plan.sizes(figures, assumed),
        "nodes": plan.nodes(figures, assumed),
        "levers": plan.levers(figures, assumed),
        "network": plan.network(figures, assumed),
        "cluster": plan.clusters(figures, assumed),
        "calls without VNNI": findings.calls(other),
        "streams without VNNI": findings.streams(other, assumed),
        "workers without VNNI": findings.workers(other),
        "memory without VNNI": findings.memory(other),
        "sizing without VNNI": plan.sizes(other, assumed),
        "assumptions": plan.assumptions(assumed),
    }
