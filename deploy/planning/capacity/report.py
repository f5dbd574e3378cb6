"""The tables of deploy/CAPACITY.md, made of the figures and of nothing else."""

from pathlib import Path
from typing import Final

from bench.results import with_figures
from deploy.planning.capacity import findings, plan
from deploy.planning.capacity.findings import Figures
from deploy.planning.capacity.sizing import Assumptions

DEPLOY: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = DEPLOY / "CAPACITY.md"
FIGURES: Final = DEPLOY / "planning" / "figures" / "figures.json"


def with_tables(text: str, figures: Figures, assumed: Assumptions) -> str:
    """The document with every table made anew."""
    for name, lines in tables(figures, assumed).items():
        text = with_figures(text, name, f"## {name.capitalize()}", lines)
    return text


def tables(figures: Figures, assumed: Assumptions) -> dict[str, str]:
    """The tables by the names of their markers."""
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
        "assumptions": plan.assumptions(assumed),
    }
